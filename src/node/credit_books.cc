#include "node/credit_books.h"

#include <algorithm>

namespace brigade::node {
namespace {

constexpr std::int64_t kMoveMax = Tokens::kMaxMicro / 1024;

Tokens moved(Tokens before, Tokens after) {
  const auto difference = static_cast<std::int64_t>(static_cast<std::uint64_t>(after.micro()) -
                                                    static_cast<std::uint64_t>(before.micro()));
  return Tokens::micro(std::clamp<std::int64_t>(difference, 0, kMoveMax));
}

}  // namespace

// Members that left take their credits along; what was lent and borrowed since is paid.
void CreditBooks::settle(Book& book, const TokenStore& store,
                         const std::map<Account, Reported>& reports) {
  for (auto it = book.members.begin(); it != book.members.end();) {
    if (reports.contains(it->first)) {
      ++it;
      continue;
    }
    book.karma.leave(it->second);
    book.seen.erase(it->first);
    it = book.members.erase(it);
  }
  for (const auto& [account, reported] : reports) {
    const auto session = store.sessions().find(account);
    if (session == store.sessions().end()) {
      continue;
    }
    const NodeId node = session->second.node;
    book.members[account] = node;
    book.karma.join(node);
    const PurseTotals& totals = reported.demand.totals;
    const auto [seen, fresh] = book.seen.try_emplace(account, totals);
    if (!fresh) {
      book.karma.traded(node, moved(seen->second.lent, totals.lent),
                        moved(seen->second.borrowed, totals.borrowed));
      seen->second = totals;
    }
  }
}

void CreditBooks::divide(const LedgerId& id, const Ledger& ledger, const TokenStore& store,
                         std::map<Account, Reported>& reports, base::TimePoint now) {
  Book& book = books_[id.limit];
  if (now >= book.next) {
    book.next = now + kQuantum;
    settle(book, store, reports);
    // Two sessions of one node (a restart) are one member: the younger speaks.
    std::map<NodeId, Account> speakers;
    for (const auto& [account, node] : book.members) {
      speakers[node] = account;
    }
    std::vector<bucket::KarmaBook::Member> members;
    for (const auto& [node, account] : speakers) {
      members.push_back(
          {.id = node, .weight = 1, .demand = reports.at(account).predicted.over(kQuantum)});
    }
    const auto parts = book.karma.divide(members, ledger.rate().over(kQuantum));
    book.entitled.clear();
    std::size_t i = 0;
    for (const auto& [node, account] : speakers) {
      book.entitled[account] = Rate::of(parts[i], kQuantum);
      ++i;
    }
  }
  for (auto& [account, reported] : reports) {
    if (const auto entitled = book.entitled.find(account); entitled != book.entitled.end()) {
      reported.entitled = entitled->second;
    }
  }
}

std::vector<Credit> CreditBooks::credits(NodeId except) const {
  std::vector<Credit> list;
  for (const auto& [limit, book] : books_) {
    for (const auto& [account, node] : book.members) {
      const bucket::Permille rank = book.karma.lend_rank(node);
      if (node != except && rank != 0 && list.size() < kToldMax) {
        list.push_back({.limit = limit, .node = node, .rank = rank});
      }
    }
  }
  return list;
}

}  // namespace brigade::node
