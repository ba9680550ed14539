#include "node/purse.h"

#include <algorithm>

#include "base/check.h"
#include "base/coverage.h"

namespace brigade::node {

void Purse::open(Account account, TimePoint now) {
  lapse();
  account_ = account;
  bucket_ = bucket::TokenBucket(Rate{}, Tokens{}, Tokens{}, now);
}

void Purse::lapse() {
  account_ = Account{};
  valid_until_ = TimePoint{};
  rate_ = Rate{};
  granted_seen_ = Tokens{};
  epoch_ = Epoch{};
  kept_ = false;
  bucket_ = bucket::TokenBucket();
  shrunk_.reset();
  borrow_.reset();
  refundable_ = Tokens{};
}

void Purse::adopt(Account account, const Rights& rights, Instant now, Drift drift) {
  if (!account_ || account != account_ || rights.epoch < epoch_) {
    COVERED("rights of another session or an older epoch are ignored");
    return;
  }
  if (rights.epoch == epoch_ && epoch_) {
    return;  // the same again
  }
  const bool shrinks =
      rights.size < bucket_.size() || rights.rate < rate_ || (kept_ && !rights.keep);
  kept_ = rights.keep;
  const bool divides = evenly_ && rights.size < bucket_.size();
  if (borrow_ && (divides || bucket_.held() > rights.size)) {
    COVERED("a shrink closes the open borrow");
    close_borrow();
  }
  if (!divides && bucket_.held() > rights.size) {
    COVERED("a shrink cuts what was refundable");
    give_up_refund(bucket_.held() - rights.size);
  }
  mint(now);
  rate_ = rights.rate;
  epoch_ = rights.epoch;
  Tokens cut = divides ? part_with_all_above(rights.size) : Tokens{};
  cut += bucket_.resize(rights.rate.derated(drift), rights.size, now.slow);
  if (shrinks) {
    shrunk_ = ShrunkReport{.ledger = rights.ledger, .epoch = rights.epoch, .surplus = cut};
  } else {
    shrunk_.reset();
  }
  // C only grows while a ledger lives: less of it under a newer epoch is a limit deleted and made
  // anew.
  const bool anew = rights.granted < granted_seen_;
  const Tokens fresh = anew ? rights.granted : rights.granted - granted_seen_;
  granted_seen_ = rights.granted;  // moves even when clamped
  bucket_.put(fresh);
}

// Takes out, and returns, what lies in the room above `size` when the tokens lie evenly in all of
// it; what is refundable stays as far as the rest has room for it.
Tokens Purse::part_with_all_above(Tokens size) {
  const Tokens all = bucket_.level() + refundable_;
  const Tokens stays = all.scaled(size.micro(), bucket_.size().micro());
  give_up_refund(std::max(Tokens{}, refundable_ - stays));
  const Tokens goes = std::min(bucket_.level(), all - stays);
  bucket_.take(goes, Tokens{});
  return goes;
}

void Purse::undo(Account account, Tokens cost) {
  if (account_ && account == account_) {
    bucket_.put(cost);
  }
}

void Purse::mint_beside_refundable(Instant now) {
  bucket_.release(refundable_);
  bucket_.mint(now.slow);
  refundable_ = bucket_.hold(refundable_);
}

base::Duration Purse::wait_for(Tokens cost, Tokens floor) const {
  bucket::TokenBucket free = bucket_;
  free.release(refundable_);
  return free.wait_for(cost, floor);
}

Tokens Purse::keep_refundable(Tokens amount) {
  const Tokens kept = bucket_.hold(amount);
  refundable_ += kept;
  return kept;
}

Tokens Purse::give_up_refund(Tokens amount) {
  const Tokens kept = std::min(amount, refundable_);
  refundable_ -= kept;
  bucket_.release(kept);
  return kept;
}

std::optional<Purse::OpenBorrow> Purse::open_borrow(NodeId lender, Tokens want, Instant now) {
  BRIGADE_CHECK(!borrow_);
  mint(now);
  const Tokens held = bucket_.hold(want);
  if (held <= Tokens{}) {
    return std::nullopt;
  }
  borrow_ = OpenBorrow{.seq = next_seq_++, .held = held, .lender = lender, .asked = now.slow};
  return borrow_;
}

Tokens Purse::credit(const Loan& loan) {
  if (!borrow_ || loan.seq != borrow_->seq || loan.account != account_) {
    COVERED("a loan arrives after its sequence was closed");
    return Tokens{};
  }
  const Tokens amount = std::clamp(loan.granted, Tokens{}, borrow_->held);
  close_borrow();
  bucket_.put(amount);
  totals_.borrowed += amount;
  return amount;
}

void Purse::close_borrow() {
  if (borrow_) {
    bucket_.release(borrow_->held);
    borrow_.reset();
  }
}

bool Purse::lend(Tokens amount) {
  if (!bucket_.take(amount, Tokens{})) {
    return false;
  }
  totals_.lent += amount;
  return true;
}

Tokens Purse::level_at(Instant now) const {
  bucket::TokenBucket copy = bucket_;
  copy.mint(now.slow);
  return copy.level();
}

void Purse::check_invariants() const {
  bucket_.check_invariants();
  BRIGADE_CHECK(bucket_.held() == (borrow_ ? borrow_->held : Tokens{}) + refundable_);
  if (!account_) {
    BRIGADE_CHECK(bucket_.size() == Tokens{});
    BRIGADE_CHECK(bucket_.level() == Tokens{});
  }
}

}  // namespace brigade::node
