// Several limits in one acquire, all or nothing (semantics 6): nothing local is held while it is
// parked, home and strict limits are asked last, one after the other, each as a reservation. What
// was charged is kept refundable meanwhile, and settled with nothing used on a refusal.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "node/node.h"

namespace brigade::node {
namespace {

// Tokens that exist elsewhere are waited for this long, as for a single limit.
constexpr std::size_t kLimitsMax = 32;
constexpr std::size_t kTexts = 4;  // limit, key, priority, id of each request

}  // namespace

bool Node::begin_whole(std::span<const AcquireRequest> requests, Whole& whole, Decision& out,
                       Instant now) {
  if (requests.empty() || requests.size() > kLimitsMax) {
    out.verdict = Verdict::kBadRequest;
    return false;
  }
  whole.texts.reserve(requests.size() * kTexts);
  base::Duration wait = config_.trade.borrow_timeout;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto served = served_.find(requests[i].limit);
    std::optional<Decision> refusal;
    if (served == served_.end()) {
      refusal = unknown(requests[i].limit);
    } else {
      refusal = check(served->second, requests[i]);
    }
    if (refusal) {
      out = *refusal;
      out.refused_by = static_cast<std::uint32_t>(i);
      return false;
    }
    AcquireRequest copy = requests[i];
    copy.limit = whole.texts.emplace_back(copy.limit);
    copy.key = whole.texts.emplace_back(copy.key);
    copy.priority = whole.texts.emplace_back(copy.priority);
    copy.id = whole.texts.emplace_back(copy.id);
    LedgerId ledger{.limit = std::string(copy.limit), .key = {}};
    if (served->second.elsewhere && served->second.config.spec.mode == bucket::Mode::kShared) {
      ledger.key = served->second.keys.hash(copy.key);
    }
    const SharedLimit* const mine = held(ledger);
    const bool here =
        !served->second.elsewhere || (served->second.config.spec.mode == bucket::Mode::kShared &&
                                      mine != nullptr && mine->purse().bucket().size() > Tokens{});
    whole.ledgers.push_back(std::move(ledger));
    (here ? whole.local : whole.remote).push_back(i);
    wait = std::max(wait, std::min(copy.wait, served->second.config.spec.queue.max_wait));
    whole.requests.push_back(copy);
  }
  std::sort(whole.remote.begin(), whole.remote.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(whole.requests[a].limit, a) < std::pair(whole.requests[b].limit, b);
  });
  whole.decisions.resize(requests.size());
  whole.accounts.resize(requests.size());
  whole.deadline = now.slow + wait;
  for (const std::size_t i : whole.remote) {
    const bucket::LimitSpec& spec = served_.find(requests[i].limit)->second.config.spec;
    if (auto refusal = spec.shadow ? std::nullopt : never(spec, requests[i])) {
      whole.decisions[i] = *std::move(refusal);
      out = refuse(whole, i);
      return false;
    }
  }
  return true;
}

bool Node::take_locals(Whole& whole, Instant now, std::size_t& short_at) {
  for (const std::size_t i : whole.local) {
    SharedLimit* const limit = holding(whole.ledgers[i]);
    Decision decision{.verdict = Verdict::kNoRights};
    const auto fate = limit == nullptr ? SharedLimit::Fate::kDecided
                                       : limit->acquire(whole.requests[i], now, decision);
    whole.decisions[i] = decision;
    if (fate == SharedLimit::Fate::kShort || !decision.admitted()) {
      short_at = i;
      give_back(whole, now);
      return false;
    }
    whole.accounts[i] = limit->purse().account();
  }
  return true;
}

// Ends what an acquire of several limits keeps in a bucket here.
void Node::settle_here(Whole& whole, std::size_t at, Tokens actual) {
  ReservationId& kept = whole.decisions[at].reservation;
  const auto given = given_.find(kept.sequence);
  if (given != given_.end() && given->second.shared != nullptr) {
    (void)given->second.shared->settle(kept.sequence, actual);
  }
  given_.erase(kept.sequence);
  kept = ReservationId{};
}

void Node::give_back(Whole& whole, Instant now) {
  for (const std::size_t i : whole.local) {
    if (whole.decisions[i].reservation.sequence != 0) {
      settle_here(whole, i, Tokens{});
    } else if (SharedLimit* limit = whole.accounts[i] ? holding(whole.ledgers[i]) : nullptr) {
      limit->undo(whole.decisions[i], whole.accounts[i], whole.requests[i].cost);
    }
    whole.accounts[i] = Account{};
  }
  for (const auto& [i, part] : whole.parts) {
    if (part.ours) {
      COVERED("an acquire of several limits gives back what it took elsewhere");
      call_off(part.settle, now);
    }
  }
  whole.parts.clear();
}

// What was charged is now either a reservation of the client's or used.
Decision Node::admit(Whole& whole) {
  for (const std::size_t i : whole.local) {
    if (!whole.requests[i].reserve) {
      settle_here(whole, i, whole.requests[i].cost);
    }
  }
  for (auto& [i, part] : whole.parts) {
    const Tokens cost = whole.requests[i].cost;
    if (whole.requests[i].reserve) {
      part.settle.holder = 0;
      whole.decisions[i].reservation = give_out({.ask = std::move(part.settle), .reserved = cost});
    } else if (part.ours) {
      close(std::move(part.settle), cost);
    }
  }
  for (const std::size_t i : whole.remote) {
    if (whole.requests[i].reserve && whole.decisions[i].source == Source::kShadow) {
      whole.decisions[i].reservation = give_out({.reserved = whole.requests[i].cost});
    }
  }
  return sum_up(whole);
}

Decision Node::sum_up(const Whole& whole) const {
  Decision sum = whole.decisions.front();
  for (const Decision& one : whole.decisions) {
    sum.remaining = std::min(sum.remaining, one.remaining);
    sum.valid_until = std::min(sum.valid_until, one.valid_until);
    if (one.source != Source::kLocal) {
      sum.source = one.source;
    }
  }
  sum.verdict = Verdict::kAdmitted;
  sum.each = whole.decisions;
  return sum;
}

Decision Node::refuse(const Whole& whole, std::size_t at) const {
  Decision refusal = whole.decisions[at];
  refusal.refused_by = static_cast<std::uint32_t>(at);
  refusal.each = whole.decisions;
  for (Decision& one : refusal.each) {
    if (one.admitted()) {
      one.verdict = Verdict::kRefused;  // it had enough, but nothing was kept
    }
  }
  return refusal;
}

std::optional<Decision> Node::advance(Ticket ticket, Whole& whole, Instant now) {
  std::size_t short_at = 0;
  if (!take_locals(whole, now, short_at)) {
    const Decision& decision = whole.decisions[short_at];
    SharedLimit* const limit = holding(whole.ledgers[short_at]);
    const bool pointless = limit == nullptr || decision.verdict == Verdict::kNever ||
                           now.slow >= whole.deadline ||
                           (!limit->hopeful(whole.requests[short_at].cost, book_, now) &&
                            now.slow + decision.retry_after > whole.deadline);
    if (pointless) {
      return refuse(whole, short_at);
    }
    limit->wish(whole.requests[short_at], whole.deadline);
    return std::nullopt;
  }
  // While the others are asked for, minting goes on: what is kept for a give-back must not come on
  // top of it.
  for (const std::size_t i : whole.local) {
    SharedLimit* const limit = holding(whole.ledgers[i]);
    if (limit != nullptr && (whole.requests[i].reserve || !whole.remote.empty())) {
      whole.decisions[i].reservation = reserve(*limit, whole.decisions[i], whole.requests[i].cost);
    }
  }
  whole.next = 0;
  whole.asking = true;
  return ask_next(ticket, whole, now);
}

std::vector<ReservationId> Node::keeping(Ticket ticket) const {
  std::vector<ReservationId> kept;
  const auto found = wholes_.find(ticket);
  if (found != wholes_.end() && found->second.asking) {
    for (const Decision& one : found->second.decisions) {
      kept.push_back(one.reservation);
    }
  }
  return kept;
}

// Asks for the next part elsewhere; the decision when there is none left, or no way to ask.
std::optional<Decision> Node::ask_next(Ticket ticket, Whole& whole, Instant now) {
  for (; whole.next < whole.remote.size(); ++whole.next) {
    const std::size_t at = whole.remote[whole.next];
    AcquireRequest request = whole.requests[at];
    request.reserve = true;  // so that it can be given back
    const auto found = served_.find(request.limit);
    if (found == served_.end()) {
      COVERED("one of several limits is deleted while the others are asked");
      whole.decisions[at] = unknown(request.limit);
      give_back(whole, now);
      return refuse(whole, at);
    }
    Served& served = found->second;
    const bucket::LimitSpec& spec = served.config.spec;
    auto refusal = never(spec, request);
    if (!refusal) {
      Errand errand = errand_for(spec, served.keys, request, now);
      errand.whole = ticket;
      refusal = run(std::move(errand), now);
    }
    if (!refusal) {
      return std::nullopt;
    }
    whole.decisions[at] = *std::move(refusal);
    if (!spec.shadow || !cast_shadow(whole.decisions[at])) {
      give_back(whole, now);
      return refuse(whole, at);
    }
    count(served, whole.decisions[at], request.cost);
  }
  return admit(whole);
}

std::optional<Decision> Node::acquire_all(std::span<const AcquireRequest> requests, Ticket ticket,
                                          Instant now) {
  Whole whole;
  Decision refusal;
  if (!begin_whole(requests, whole, refusal, now)) {
    return refusal;
  }
  auto decided = advance(ticket, whole, now);
  if (!decided) {
    wholes_.emplace(ticket, std::move(whole));
  }
  return decided;
}

void Node::on_part(const Errand& errand, Decision decision, bool ours, Instant now) {
  const auto found = wholes_.find(errand.whole);
  if (found == wholes_.end()) {
    return;
  }
  Whole& whole = found->second;
  const std::size_t at = whole.remote[whole.next];
  std::optional<Decision> decided;
  whole.decisions[at] = std::move(decision);
  if (whole.decisions[at].admitted()) {
    if (whole.decisions[at].source != Source::kShadow) {
      whole.parts[at] = {.settle = settlement_of(errand), .ours = ours};
    }
    ++whole.next;
    decided = ask_next(found->first, whole, now);
  } else {
    COVERED("an acquire of several limits gives back what it took here");
    give_back(whole, now);
    decided = refuse(whole, at);
  }
  if (decided) {
    answers_.push_back({.ticket = found->first, .decision = std::move(*decided)});
    wholes_.erase(found);
  }
}

void Node::advance_wholes(Instant now) {
  for (auto it = wholes_.begin(); it != wholes_.end();) {
    if (it->second.asking) {
      ++it;
      continue;
    }
    auto decided = advance(it->first, it->second, now);
    if (decided) {
      answers_.push_back({.ticket = it->first, .decision = std::move(*decided)});
      it = wholes_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace brigade::node
