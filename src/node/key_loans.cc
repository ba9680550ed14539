#include "node/key_loans.h"

#include <algorithm>

#include "base/check.h"
#include "base/coverage.h"

namespace brigade::node {

Tokens KeyLoans::out(const KeyHash& key) const {
  Tokens sum;
  if (const auto found = keys_.find(key); found != keys_.end()) {
    for (const Loan& loan : found->second.loans) {
      sum += loan.out();
    }
  }
  return sum;
}

void KeyLoans::settle(bucket::KeyTable& keys, const KeyHash& key, TimePoint now) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) {
    return;
  }
  keys.cut(key, ceiling(key, keys.policy().size), now);
  if (std::erase_if(found->second.loans, [&](const Loan& loan) { return now >= loan.lapses; }) >
      0) {
    COVERED("a quantum lapsed");
  }
  if (found->second.loans.empty()) {
    keys_.erase(found);
  }
}

void KeyLoans::forget_lapsed(const KeyHash& key, TimePoint now) {
  if (const auto found = keys_.find(key); found != keys_.end()) {
    std::erase_if(found->second.loans, [&](const Loan& loan) { return now >= loan.lapses; });
    if (found->second.loans.empty()) {
      keys_.erase(found);
    }
  }
}

std::vector<LedgerId> KeyLoans::lapsed(TimePoint now) const {
  std::vector<LedgerId> due;
  for (const auto& [key, lent] : keys_) {
    if (std::any_of(lent.loans.begin(), lent.loans.end(),
                    [&](const Loan& loan) { return now >= loan.lapses; })) {
      due.push_back({.limit = lent.limit, .key = key});
    }
  }
  return due;
}

bool KeyLoans::stopped(const KeyHash& key, TimePoint now) const {
  if (now < all_stopped_until_) {
    return true;
  }
  const auto found = stopped_.find(key);
  return found != stopped_.end() && now < found->second;
}

void KeyLoans::stop(const KeyHash& key, TimePoint until) {
  if (stopped_.size() < kStoppedMax || stopped_.contains(key)) {
    const auto [one, fresh] = stopped_.try_emplace(key, until);
    one->second = std::max(one->second, until);
  }
}

void KeyLoans::sweep(TimePoint now) {
  std::erase_if(stopped_, [&](const auto& one) { return now >= one.second; });
}

bool KeyLoans::find(NodeId from, const QuantumAsk& ask, Loan*& loan) {
  loan = nullptr;
  if (const auto found = keys_.find(ask.ledger.key); found != keys_.end()) {
    auto& loans = found->second.loans;
    const auto its =
        std::find_if(loans.begin(), loans.end(), [&](const Loan& one) { return one.node == from; });
    if (its != loans.end()) {
      // Another till of the same node: one of the two is over, and there is no telling which. What
      // is out waits for its lapse.
      loan = &*its;
      return its->till == ask.till && (ask.hold == HoldId{} || ask.hold == its->id);
    }
  }
  // A hold that is not known here lapsed, or another leader granted it.
  return ask.hold == HoldId{} && !ask.closing;
}

void KeyLoans::close(const KeyHash& key, const Loan& loan, bucket::KeyTable& keys, TimePoint now) {
  // The node spends nothing of this hold any more, not even what it never heard of. With the loan
  // goes its part of the size; the bucket takes back what fits beside the other loans.
  const Tokens rest = loan.out();
  if (plant_ != Plant::kQuantumReturnedTwice) {
    auto& loans = keys_.at(key).loans;
    loans.erase(loans.begin() + (&loan - loans.data()));
  }
  keys.put(key, rest, now);
  settle(keys, key, now);
}

Tokens KeyLoans::grantable(const QuantumAsk& ask, const Loan* loan, const Offer& offer,
                           const bucket::KeyTable& keys, TimePoint now) const {
  const Tokens level = keys.level(ask.ledger.key, now);
  const Tokens has = loan == nullptr ? Tokens{} : loan->out();
  const Tokens more =
      std::min({ask.want - has, level.scaled(offer.max_share, 1000), level - offer.reserve,
                keys.policy().size.scaled(kMostOut, 1000) - out(ask.ledger.key)});
  // A till that cannot pay for one request is of no use to anybody.
  return more > Tokens{} && has + more >= ask.least ? more : Tokens{};
}

bool KeyLoans::deduct(bucket::KeyTable& keys, const KeyHash& key, Tokens amount,
                      TimePoint now) const {
  return plant_ == Plant::kQuantumNotDeducted ||
         keys.take(key, amount, Tokens{}, now).verdict == bucket::KeyTable::Verdict::kTaken;
}

KeyLoans::Loan* KeyLoans::open(NodeId from, const QuantumAsk& ask, TimePoint now) {
  const auto found = keys_.find(ask.ledger.key);
  if (found == keys_.end() ? keys_.size() >= kKeysMax : found->second.loans.size() >= kPerKeyMax) {
    COVERED("no room for another loan");
    return nullptr;
  }
  Lent& lent = keys_[ask.ledger.key];
  lent.limit = ask.ledger.limit;
  return &lent.loans.emplace_back(Loan{.node = from,
                                       .till = ask.till,
                                       .id = {.term = term_, .number = ++last_number_},
                                       .granted = {},
                                       .spent = {},
                                       .lapses = now});
}

Quantum KeyLoans::answer(NodeId from, const QuantumAsk& ask, const Offer& offer,
                         bucket::KeyTable& keys, TimePoint now) {
  const KeyHash& key = ask.ledger.key;
  Quantum quantum{.ticket = ask.ticket};
  touch(keys, key, now);
  Loan* loan = nullptr;
  if (!find(from, ask, loan)) {
    return quantum;
  }
  if (loan != nullptr) {
    loan->spent = std::max(loan->spent, std::min(ask.spent, loan->granted));
    if (ask.closing) {
      close(key, *loan, keys, now);
      return quantum;
    }
  }
  const bool calls_in = stopped(key, now) || offer.lasts <= Duration::zero() ||
                        (loan != nullptr && loan->granted > kGrantedMax);
  if (!calls_in) {
    const Tokens more = grantable(ask, loan, offer, keys, now);
    if (loan == nullptr && more > Tokens{}) {
      loan = open(from, ask, now);
    }
    if (loan != nullptr && more > Tokens{} && deduct(keys, key, more, now)) {
      loan->granted += more;
    }
    if (loan != nullptr) {
      loan->lapses = std::max(loan->lapses, now + drift_.outlast(offer.lasts));
      quantum.lasts = offer.lasts;
    }
  }
  if (loan != nullptr) {
    quantum.hold = loan->id;
    quantum.granted = loan->granted;
  }
  quantum.recalled = calls_in;
  return quantum;
}

std::size_t KeyLoans::count() const {
  std::size_t sum = 0;
  for (const auto& [key, lent] : keys_) {
    sum += lent.loans.size();
  }
  return sum;
}

void KeyLoans::check_invariants() const {
  BRIGADE_CHECK(keys_.size() <= kKeysMax);
  for (const auto& [key, lent] : keys_) {
    BRIGADE_CHECK(!lent.loans.empty() && lent.loans.size() <= kPerKeyMax);
    for (const Loan& loan : lent.loans) {
      BRIGADE_CHECK(loan.spent >= Tokens{} && loan.spent <= loan.granted);
    }
  }
}

}  // namespace brigade::node
