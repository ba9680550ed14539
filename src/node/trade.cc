#include "node/trade.h"

#include <algorithm>
#include <utility>

#include "base/coverage.h"

namespace brigade::node {
namespace {

constexpr base::Duration kStarvingFor = base::seconds(2);
constexpr Tokens kMost = Tokens::micro(Tokens::kMaxMicro);

// The reserve kept from a borrower's class; 0 is the class without a name.
bucket::Permille reserve_of(const bucket::LimitSpec& spec, std::uint8_t priority) {
  return priority == 0 || priority > spec.priorities.size()
             ? 0
             : spec.priorities[priority - 1U].reserved;
}

// The class that most is kept from.
std::uint8_t most_reserved(const bucket::LimitSpec& spec) {
  std::uint8_t most = 0;
  for (std::uint8_t i = 1; std::size_t{i} <= spec.priorities.size(); ++i) {
    most = reserve_of(spec, i) > reserve_of(spec, most) ? i : most;
  }
  return most;
}

// The smallest part of a bucket that is kept from some class, but not from this one.
bucket::Permille next_reserve(const bucket::LimitSpec& spec, std::uint8_t priority) {
  bucket::Permille next = 1000;
  for (const bucket::PrioritySpec& other : spec.priorities) {
    next = other.reserved > reserve_of(spec, priority) ? std::min(next, other.reserved) : next;
  }
  return next;
}

}  // namespace

Trade::Trade(LedgerId ledger, TradeTiming timing, base::Prng dice)
    : ledger_(std::move(ledger)), hash_(PeerBook::hash_of(ledger_)), timing_(timing), dice_(dice) {}

void Trade::consider(Purse& purse, const ConfigRecord& config, const Need& need, PeerBook& peers,
                     Instant now, std::vector<Send>& sends) {
  if (purse.borrow() || !purse.valid(now) || !backoff_.may_ask(now.slow)) {
    return;
  }
  const bucket::BorrowInput input{.level = purse.bucket().level(),
                                  .room = purse.bucket().room(),
                                  .waiting = need.waiting,
                                  .demand = need.offered,
                                  .rate = purse.rate(),
                                  .rtt_p99 = peers.rtt_p99()};
  if (need.waiting <= input.level && !bucket::should_prefetch(input)) {
    return;
  }
  if (peers.empty() || !config.spec.lend.enabled) {
    backoff_.little_came(now.slow, dice_);  // nobody to ask: not a question for this moment
    return;
  }
  const auto [want, priority] = wish(purse, config.spec, need, bucket::borrow_want(input));
  if (want <= Tokens{}) {
    backoff_.little_came(now.slow, dice_);  // no room: not a question for this very moment
    return;
  }
  starved_until_ = now.slow + kStarvingFor;
  searching_ = need.lacking > Tokens{};
  const auto candidates = peers.candidates(hash_, presumed(want), now.slow);
  const auto chosen = bucket::choose(candidates, want, dice_);
  if (!chosen) {
    backoff_.little_came(now.slow, dice_);
    return;
  }
  const NodeId lender = candidates[*chosen].id;
  // What one lender cannot bring comes in parts from several.
  const Tokens most = candidates[*chosen].free.scaled(config.spec.lend.max_share, 1000);
  least_ = need.lacking <= most ? need.lacking : Tokens{};
  const auto opened = purse.open_borrow(lender, want, now);
  if (!opened || !peers.admit(lender, now.slow)) {
    purse.close_borrow();
    backoff_.little_came(now.slow, dice_);
    return;
  }
  Borrow question = question_of(*opened, purse, config);
  question.min = std::min(opened->held, least_);
  question.priority = priority;
  sends.push_back({.to = lender, .message = std::move(question)});
}

// What no request waits for is asked in the name of the class that most is kept from: nobody knows
// who will spend it. Out of what is kept from some, a class gets what it waits for, and only as
// much as is kept from them here too: above that they could spend it. Only a request that is larger
// than this gets what it lacks.
Trade::Wish Trade::wish(const Purse& purse, const bucket::LimitSpec& spec, const Need& need,
                        Tokens want) const {
  const std::uint8_t most = most_reserved(spec);
  const Tokens waiting = need.waiting - purse.bucket().level();
  if (waiting <= Tokens{} || reserve_of(spec, need.priority) == reserve_of(spec, most)) {
    return {.want = want, .priority = most};
  }
  const Tokens kept = purse.bucket().size().scaled(next_reserve(spec, need.priority), 1000);
  const Tokens below = timing_.plant == Plant::kBorrowAboveKept
                           ? waiting
                           : std::max(need.lacking, kept - purse.bucket().level());
  if (below <= Tokens{}) {
    return {.want = std::min(want, waiting), .priority = most};
  }
  return {.want = std::min({want, waiting, below}), .priority = need.priority};
}

Borrow Trade::question_of(const Purse::OpenBorrow& opened, const Purse& purse,
                          const ConfigRecord& config) const {
  return {.ledger = ledger_,
          .version = config.version,
          .account = purse.account(),
          .seq = opened.seq,
          .want = opened.held};
}

bool Trade::pull(NodeId lender, Tokens amount, Purse& purse, const ConfigRecord& config,
                 Instant now, std::vector<Send>& sends) {
  if (purse.borrow() || !purse.valid(now)) {
    return false;
  }
  const auto opened = purse.open_borrow(lender, amount, now);
  if (!opened) {
    return false;
  }
  Borrow question = question_of(*opened, purse, config);
  question.by_hand = true;
  question.priority = most_reserved(config.spec);
  sends.push_back({.to = lender, .message = std::move(question)});
  return true;
}

// What a peer that said nothing lately may have. For a request that waits it is worth finding out;
// else as much as one that has a little.
Tokens Trade::presumed(Tokens want) const {
  return searching_ ? want.scaled(1, 2) : std::min(want, Tokens::whole(1));
}

// After little came: somebody else may have more for the request that waits.
bool Trade::others_promise(Tokens want, const PeerBook& peers, Instant now) const {
  const auto candidates = peers.candidates(hash_, presumed(want), now.slow);
  return searching_ &&
         std::any_of(candidates.begin(), candidates.end(), [&](const bucket::Candidate& one) {
           return one.breaker_closed && !bucket::Backoff::is_little(one.free, want);
         });
}

Tokens Trade::on(NodeId from, const Loan& loan, Purse& purse, PeerBook& peers, Instant now) {
  for (const Lender& other : loan.others) {
    peers.hearsay(other.node, hash_, other.free, now.slow);
  }
  const auto open = purse.borrow();
  const bool awaited = open && open->seq == loan.seq && open->lender == from;
  // Who gave less than was asked for needs the rest: it is no promise for the next question, except
  // that it may have less than the least that was asked for.
  const Tokens more = std::max({loan.granted, least_ - Tokens::micro(1), Tokens::micro(1)});
  const bool all = !awaited || loan.granted >= open->held;
  peers.free_tokens(from, hash_, all ? loan.free_after : std::min(loan.free_after, more), now.slow);
  if (!awaited) {
    if (timing_.plant == Plant::kCreditClosed && loan.account == purse.account()) {
      purse.undo(loan.account, loan.granted);
    }
    COVERED("a stray loan is dropped");
    return Tokens{};
  }
  peers.answered(from, now.slow - open->asked, now.slow);
  const Tokens got = purse.credit(loan);
  peers.borrowed(from, got);
  ++(got >= open->held ? counts_.granted : got > Tokens{} ? counts_.partly : counts_.refused);
  // "No surplus" is no failure, but asking again at once would only add traffic.
  if (!bucket::Backoff::is_little(got, open->held)) {
    backoff_.enough_came();
  } else if (!others_promise(open->held, peers, now)) {
    backoff_.little_came(now.slow, dice_);
  }
  return got;
}

void Trade::expire(Purse& purse, PeerBook& peers, Instant now) {
  const auto& open = purse.borrow();
  if (open && now.slow >= open->asked + timing_.borrow_timeout) {
    COVERED("a borrow is given up");
    ++counts_.timed_out;
    peers.failed(open->lender, now.slow);
    purse.close_borrow();
    backoff_.little_came(now.slow, dice_);
  }
}

// What this borrower may have while others ask too; never so little that it is of no use to it.
Tokens Trade::fair_part(NodeId borrower, const Borrow& ask, const bucket::LendInput& lender,
                        const ConfigRecord& config, const PeerBook& peers, Instant now) {
  borrowers_.asked(borrower, {.want = ask.want, .rank = peers.credit_of(borrower, hash_)},
                   now.slow);
  const Tokens surplus = bucket::lendable(lender, {.want = lender.level, .min = Tokens{}});
  const Tokens part = borrowers_.part(borrower, surplus, config.spec.fairness, now.slow);
  return std::min(ask.want, std::max(part, ask.min));
}

Tokens Trade::spare(NodeId borrower, const Borrow& ask, const Purse& purse,
                    const ConfigRecord& config, const Need& need, const PeerBook& peers,
                    Instant now) {
  bucket::LendInput lender{.level = purse.bucket().level(),
                           .size = purse.bucket().size(),
                           .near_term_need = {},
                           .reserve = config.spec.lend.reserve,
                           .max_share = 1000,
                           .class_reserve = reserve_of(config.spec, ask.priority)};
  if (ask.by_hand) {
    return bucket::lendable(lender, {.want = ask.want, .min = ask.min});
  }
  lender.max_share = config.spec.lend.max_share;
  // What is asked ahead of need comes only from what this node would not soon ask back: two nodes
  // that run dry would hand the same tokens to and fro. What a request waits for may come from all
  // that its own requests do not wait for and that minting replaces in time.
  const base::Duration horizon = bucket::prefetch_horizon(peers.rtt_p99());
  // Its own requests come first, but not those that may not spend what the borrower's may.
  const bool ours_first = reserve_of(config.spec, need.priority) <= lender.class_reserve;
  const Tokens waiting = ours_first ? need.waiting : Tokens{};
  lender.near_term_need = waiting + need.offered.over(horizon);
  const Tokens want = fair_part(borrower, ask, lender, config, peers, now);
  const Tokens ahead = bucket::lendable(lender, {.want = want, .min = ask.min});
  if (ahead > Tokens{} || ask.min <= Tokens{}) {
    return ahead;
  }
  const Rate beyond_minting = std::max(Rate{}, need.offered - purse.rate());
  lender.near_term_need = waiting + beyond_minting.over(horizon);
  return bucket::lendable(lender, {.want = ask.min, .min = ask.min});
}

Send Trade::lend(NodeId borrower, const Borrow& ask, Purse& purse, const ConfigRecord& config,
                 const Need& need, PeerBook& peers, Instant now) {
  Loan loan{.ledger = ledger_, .account = ask.account, .seq = ask.seq};
  const Asker asker{.node = borrower, .account = ask.account, .seq = ask.seq};
  if (const auto known = given_.find(asker); known != given_.end()) {
    COVERED("a repeated borrow gets the same answer");
    loan.granted = known->second;
  } else if (purse.valid(now) && ask.version == config.version && config.spec.lend.enabled) {
    purse.mint(now);
    const Tokens granted = spare(borrower, ask, purse, config, need, peers, now);
    const bool planted = timing_.plant == Plant::kLendWithoutTaking;
    if (granted > Tokens{} && (planted || purse.lend(granted))) {
      loan.granted = granted;
      peers.lent(borrower, granted);
      given_.emplace(asker, granted);
      given_order_.push_back(asker);
      if (given_order_.size() > kMaxRemembered) {
        given_.erase(given_order_.front());
        given_order_.pop_front();
      }
    }
  }
  loan.free_after = purse.valid(now) ? purse.bucket().level() : Tokens{};
  loan.others = peers.top_lenders(hash_, borrower, now.slow);
  return {.to = borrower,
          .message = std::move(loan),
          .expires = purse.valid(now) ? purse.valid_until() : base::kNever};
}

Tokens Trade::within_reach(const Purse& purse, const ConfigRecord& config, const PeerBook& peers,
                           Instant now) const {
  if (purse.borrow()) {
    return kMost;
  }
  if (!config.spec.lend.enabled || peers.empty()) {
    return {};
  }
  // Digests tell what any class may have: more is lent to one from which less is kept.
  return bucket::reserves(config.spec) ? kMost
                                       : peers.free_together(hash_, config.spec.rate, now.slow,
                                                             now.slow + timing_.borrow_timeout);
}

bool Trade::hopeful(Tokens lacking, const Purse& purse, const ConfigRecord& config,
                    const PeerBook& peers, Instant now) const {
  if (!purse.valid(now) || !(purse.borrow() || backoff_.may_ask(now.slow))) {
    return false;
  }
  return !peers.empty() && within_reach(purse, config, peers, now) >= lacking;
}

base::TimePoint Trade::next_deadline(const Purse& purse) const {
  return purse.borrow() ? purse.borrow()->asked + timing_.borrow_timeout : base::kNever;
}

void Trade::reset() {
  given_.clear();
  given_order_.clear();
  backoff_ = {};
}

bool Trade::starving(Instant now) const {
  return now.slow < starved_until_;
}

}  // namespace brigade::node
