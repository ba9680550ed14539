#include "node/reservations.h"

#include <algorithm>

#include "base/check.h"
#include "base/coverage.h"

namespace brigade::node {

bool consistent(const Reservation& one) {
  return one.refundable >= Tokens{} && one.refundable <= one.reserved &&
         (!one.settled || one.refundable == Tokens{});
}

Reservations::Reservations(std::size_t most, bool recorded, Plant plant)
    : most_(most), recorded_(recorded), plant_(plant) {}

const Reservation* Reservations::find(const KeyHash& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

Tokens Reservations::refundable(std::string_view limit, const KeyHash& key) const {
  const auto found = open_.find(View(limit, key));
  return found == open_.end() ? Tokens{} : found->second.refundable;
}

std::vector<KeyHash> Reservations::keys_of(std::string_view limit) const {
  std::vector<KeyHash> keys;
  for (auto it = open_.lower_bound(View(limit, KeyHash{}));
       it != open_.end() && it->first.limit == limit; ++it) {
    keys.push_back(it->first.key);
  }
  return keys;
}

std::vector<Reservation> Reservations::newest_open(std::size_t most) const {
  std::vector<Reservation> open;
  for (auto age = ages_.rbegin(); age != ages_.rend() && open.size() < most; ++age) {
    const Reservation& one = by_id_.at(age->second);
    if (one.refundable > Tokens{}) {
      open.push_back(one);
    }
  }
  return open;
}

void Reservations::note(const Reservation& reservation, bool dropped) {
  ++revision_;
  if (recorded_) {
    changes_.push_back({.reservation = reservation, .dropped = dropped});
  }
}

bool Reservations::add(Reservation reservation) {
  if (by_id_.contains(reservation.id)) {
    return false;
  }
  while (by_id_.size() >= most_ && !ages_.empty()) {
    COVERED("the oldest reservation is spent: there are too many");
    forget(KeyHash(ages_.begin()->second));
  }
  const Age age(reservation.since, reservation.id);
  ages_.insert(age);
  if (reservation.refundable > Tokens{}) {
    Open& open = open_[reservation.bucket];
    open.oldest_first.insert(age);
    open.refundable += reservation.refundable;
  }
  note(reservation);
  by_id_.emplace(reservation.id, std::move(reservation));
  return true;
}

void Reservations::call_off(const KeyHash& id, LedgerId bucket, Tokens actual, Stamp now) {
  add({.id = id, .bucket = std::move(bucket), .since = now, .settled = true, .actual = actual});
}

bool Reservations::repeat(const KeyHash& id, std::uint64_t holder) {
  Reservation& one = by_id_.at(id);
  const bool own = one.holder == holder;
  if (!own && !one.repeated) {
    one.repeated = true;
    note(one);
  }
  return own;
}

void Reservations::cut(std::string_view limit, const KeyHash& key, Tokens room) {
  const auto found = open_.find(View(limit, key));
  if (found == open_.end() || plant_ == Plant::kRefundUncapped) {
    return;
  }
  Open& open = found->second;
  room = std::max(Tokens{}, room);
  while (open.refundable > room) {
    COVERED("minting eats into a reservation");
    Reservation& oldest = by_id_.at(open.oldest_first.begin()->second);
    const Tokens part = std::min(oldest.refundable, open.refundable - room);
    oldest.refundable -= part;
    open.refundable -= part;
    note(oldest);
    if (oldest.refundable == Tokens{}) {
      open.oldest_first.erase(open.oldest_first.begin());
    }
  }
  if (open.oldest_first.empty()) {
    open_.erase(found);
  }
}

// Nothing of it is refundable any more.
void Reservations::close(Reservation& reservation) {
  if (reservation.refundable == Tokens{}) {
    return;
  }
  const auto open = open_.find(reservation.bucket);
  open->second.refundable -= reservation.refundable;
  open->second.oldest_first.erase({reservation.since, reservation.id});
  if (open->second.oldest_first.empty()) {
    open_.erase(open);
  }
  reservation.refundable = Tokens{};
}

Reservations::Settlement Reservations::settle(const KeyHash& id, Tokens actual) {
  Reservation& one = by_id_.at(id);
  if (one.settled) {
    COVERED("a settlement is repeated");
    const Settled told{.conflict = actual != one.actual, .refunded = one.refunded};
    return {.told = told, .back = plant_ == Plant::kRefundTwice ? one.refunded : Tokens{}};
  }
  const Tokens unused =
      plant_ == Plant::kRefundUsed ? one.reserved : std::max(Tokens{}, one.reserved - actual);
  one.settled = true;
  one.actual = actual;
  one.refunded = std::min(unused, one.refundable);
  close(one);
  note(one);
  return {.told = {.refunded = one.refunded}, .back = one.refunded};
}

void Reservations::forget(const KeyHash& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) {
    return;
  }
  close(found->second);
  ages_.erase({found->second.since, id});
  note(found->second, true);
  by_id_.erase(found);
}

void Reservations::forget_limit(std::string_view limit) {
  std::vector<KeyHash> gone;
  for (const auto& [id, one] : by_id_) {
    if (one.bucket.limit == limit) {
      gone.push_back(id);
    }
  }
  for (const KeyHash& id : gone) {
    forget(id);
  }
}

void Reservations::expire(Stamp now) {
  while (!ages_.empty() && ages_.begin()->first + kWindow < now) {
    forget(KeyHash(ages_.begin()->second));
  }
}

void Reservations::check_invariants() const {
  BRIGADE_CHECK(by_id_.size() <= most_ && by_id_.size() == ages_.size());
  Tokens sum;
  for (const auto& [id, one] : by_id_) {
    BRIGADE_CHECK(one.refundable >= Tokens{} && one.refundable <= one.reserved);
    sum += one.refundable;
  }
  for (const auto& [bucket, open] : open_) {
    BRIGADE_CHECK(!open.oldest_first.empty() && open.refundable > Tokens{});
    sum -= open.refundable;
  }
  BRIGADE_CHECK(sum == Tokens{});
}

}  // namespace brigade::node
