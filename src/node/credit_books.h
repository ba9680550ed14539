// Karma at the leader: one book of credits per limit that is shared by karma, settled once a second
// with what nodes ask for and with what they lent each other (semantics 5).
//
// Credits live with the steward: a new leader starts with nobody owing anything.
// Single-threaded (owner: steward). Memory: one balance per node and limit.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "bucket/karma.h"
#include "node/messages.h"
#include "node/share_plan.h"
#include "node/token_store.h"

namespace brigade::node {

class CreditBooks {
 public:
  static constexpr base::Duration kQuantum = base::seconds(1);
  // Ranks told per renewal.
  static constexpr std::size_t kToldMax = 64;

  // One quantum of this limit: settles, and says in `reports` what each account is entitled to
  // while tokens are short.
  void divide(const LedgerId& id, const Ledger& ledger, const TokenStore& store,
              std::map<Account, Reported>& reports, base::TimePoint now);
  void forget(const std::string& limit) { books_.erase(limit); }
  // The ranks of everybody but `except`.
  [[nodiscard]] std::vector<Credit> credits(NodeId except) const;

 private:
  struct Book {
    bucket::KarmaBook karma;
    base::TimePoint next{};
    std::map<Account, NodeId> members;
    std::map<Account, PurseTotals> seen;
    std::map<Account, Rate> entitled;
  };
  void settle(Book& book, const TokenStore& store, const std::map<Account, Reported>& reports);

  std::map<std::string, Book> books_;
};

}  // namespace brigade::node
