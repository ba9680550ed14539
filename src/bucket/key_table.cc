#include "bucket/key_table.h"

#include <algorithm>

#include "base/check.h"
#include "base/coverage.h"
#include "base/wide.h"

namespace brigade::bucket {
namespace {

// nano-tokens/s x ns = 1e-12 micro-tokens
constexpr std::int64_t kUnits = 1'000'000'000'000;
// Far below every reading, and far enough from the end of the type.
constexpr std::int64_t kLongAgo = -(std::int64_t{1} << 61);
// The meter starts over before sums of readings could overflow: after 53 days at a million tokens
// per second and key.
constexpr std::int64_t kMeterMax = std::int64_t{1} << 62;

constexpr KeyHash successor(const KeyHash& key) {
  return KeyHash{key.high + (key.low == UINT64_MAX ? 1 : 0), key.low + 1};
}

}  // namespace

KeyTable::KeyTable(KeyPolicy policy, std::int64_t max_keys, Tokens ghost, TimePoint now)
    : policy_(policy),
      max_keys_(static_cast<std::size_t>(std::max<std::int64_t>(max_keys, 1))),
      metered_until_(now),
      ghost_empty_at_(-std::min(ghost, policy.size).micro()),
      earliest_empty_(kLongAgo) {
  BRIGADE_CHECK(policy.rate >= Rate{});
  BRIGADE_CHECK(policy.size >= Tokens{});
  BRIGADE_CHECK(ghost >= Tokens{});
}

KeyHash KeyTable::identity(const KeyHash& key) {
  return key == KeyHash{} ? KeyHash{0, 1} : key;  // zero marks a free slot
}

KeyTable::Meter KeyTable::meter_at(TimePoint now) const {
  if (now <= metered_until_) {
    return meter_;
  }
  const base::Wide units =
      static_cast<base::Wide>(policy_.rate.nano_per_second()) * (now - metered_until_).count() +
      meter_.fraction;
  // The common case in 64 bits: a 128-bit division costs more than the rest of a take.
  if (units <= INT64_MAX) {
    const auto narrow = static_cast<std::int64_t>(units);
    return Meter{meter_.whole + narrow / kUnits, narrow % kUnits};
  }
  // Beyond this every bucket is full whatever it had.
  const base::Wide most = kMeterMax + Tokens::kMaxMicro + 1 - meter_.whole;
  const base::Wide micro = std::min(units / kUnits, most);
  return Meter{meter_.whole + static_cast<std::int64_t>(micro),
               static_cast<std::int64_t>(units % kUnits)};
}

void KeyTable::advance(TimePoint now) {
  if (now <= metered_until_) {
    return;
  }
  meter_ = meter_at(now);
  metered_until_ = now;
  if (meter_.whole > kMeterMax) {
    rebase();
  }
}

void KeyTable::rebase() {
  COVERED("key meter starts over");
  const std::int64_t start = meter_.whole;
  meter_.fraction = 0;  // given up, so that a full bucket stays full
  const auto moved = [&](std::int64_t empty_at) { return clamped(empty_at, meter_) - start; };
  for (Slots& stripe : stripes_) {
    for (std::size_t i = 0; i < stripe.slot_count(); ++i) {
      stripe.at(i).value = moved(stripe.at(i).value);
    }
  }
  ghost_empty_at_ = moved(ghost_empty_at_);
  earliest_empty_ = kLongAgo;
  meter_.whole = 0;
}

std::int64_t KeyTable::raw_level(std::int64_t empty_at, const Meter& meter) const {
  return std::min(policy_.size.micro(), meter.whole - std::max(empty_at, earliest_empty_));
}

std::int64_t KeyTable::clamped(std::int64_t empty_at, const Meter& meter) const {
  // Rounded up: a bucket that was full a moment ago must not gain the meter's fraction.
  return std::max({empty_at, earliest_empty_, meter.rounded_up() - policy_.size.micro()});
}

Duration KeyTable::wait_from(std::int64_t raw, Tokens cost, Tokens floor) const {
  if (cost + floor > policy_.size) {
    return Duration::max();
  }
  return policy_.rate.time_for(cost + floor - Tokens::micro(raw));
}

KeyTable::Outcome KeyTable::judge(std::int64_t raw, Tokens cost, Tokens floor) const {
  const Tokens level = Tokens::micro(std::max<std::int64_t>(raw, 0));
  if (cost == Tokens{}) {
    return {Verdict::kTaken, level, Duration::zero()};
  }
  if (Tokens::micro(raw) - cost < floor) {
    return {Verdict::kShort, level, wait_from(raw, cost, floor)};
  }
  return {Verdict::kTaken, level - cost, Duration::zero()};
}

std::int64_t KeyTable::empty_at(const KeyHash& key) const {
  const std::int64_t* entry = find(identity(key));
  return entry == nullptr ? ghost_empty_at_ : *entry;
}

void KeyTable::insert(const KeyHash& id, std::int64_t empty_at) {
  if (stripes_.empty()) {
    stripes_.resize(kStripes);
  }
  stripes_[stripe_of(id)].insert(id, empty_at);
  ++count_;
}

bool KeyTable::has_room_for_a_key(TimePoint now) {
  if (count_ >= max_keys_) {
    COVERED("key table is full");
    sweep(kSweepWhenFull, now);
  }
  return count_ < max_keys_;
}

KeyTable::Outcome KeyTable::take(const KeyHash& key, Tokens cost, Tokens floor, TimePoint now) {
  advance(now);
  const KeyHash id = identity(key);
  std::int64_t* entry = find(id);
  const std::int64_t before = entry == nullptr ? ghost_empty_at_ : *entry;
  Outcome outcome = judge(raw_level(before, meter_), cost, floor);
  if (outcome.verdict != Verdict::kTaken || cost == Tokens{}) {
    return outcome;
  }
  const std::int64_t after = clamped(before, meter_) + cost.micro();
  if (entry != nullptr) {
    *entry = after;
    return outcome;
  }
  if (!has_room_for_a_key(now)) {
    return {Verdict::kTooManyKeys, outcome.level + cost, Duration::zero()};
  }
  insert(id, after);
  return outcome;
}

KeyTable::Outcome KeyTable::peek(const KeyHash& key, Tokens cost, Tokens floor,
                                 TimePoint now) const {
  return judge(raw_level(empty_at(key), meter_at(now)), cost, floor);
}

void KeyTable::put(const KeyHash& key, Tokens amount, TimePoint now) {
  advance(now);
  const KeyHash id = identity(key);
  std::int64_t* entry = find(id);
  const std::int64_t before = entry == nullptr ? ghost_empty_at_ : *entry;
  const std::int64_t after = clamped(std::max(before, earliest_empty_) - amount.micro(), meter_);
  if (entry != nullptr) {
    *entry = after;
  } else if (raw_level(before, meter_) < raw_level(after, meter_) && has_room_for_a_key(now)) {
    COVERED("refund to a key that was dropped");
    insert(id, after);
  }
}

void KeyTable::reconfigure(KeyPolicy policy, TimePoint now) {
  BRIGADE_CHECK(policy.rate >= Rate{});
  BRIGADE_CHECK(policy.size >= Tokens{});
  advance(now);
  if (policy.size > policy_.size) {
    earliest_empty_ = std::max(earliest_empty_, meter_.rounded_up() - policy_.size.micro());
  }
  policy_ = policy;
}

void KeyTable::place(const KeyHash& key, Tokens level, TimePoint now) {
  advance(now);
  const KeyHash id = identity(key);
  const std::int64_t empty_at = clamped(meter_.whole - level.micro(), meter_);
  if (find(id) != nullptr || empty_at <= ghost_empty_at_) {
    return;
  }
  if (has_room_for_a_key(now)) {
    insert(id, empty_at);
  } else {
    COVERED("the ghost falls to the level of a key for which there is no room");
    ghost_empty_at_ = empty_at;
  }
}

void KeyTable::cut(const KeyHash& key, Tokens ceiling, TimePoint now) {
  advance(now);
  const KeyHash id = identity(key);
  std::int64_t* entry = find(id);
  const std::int64_t before = clamped(entry == nullptr ? ghost_empty_at_ : *entry, meter_);
  // Rounded up as in clamped(): the meter's fraction must not come on top of the ceiling.
  const std::int64_t after = meter_.rounded_up() - std::max(ceiling, Tokens{}).micro();
  if (after <= before) {
    return;
  }
  if (entry != nullptr) {
    *entry = after;
  } else if (has_room_for_a_key(now)) {
    insert(id, after);
  } else {
    COVERED("the ghost falls to the ceiling of a key for which there is no room");
    ghost_empty_at_ = after;
  }
}

KeyListing KeyTable::listing(std::size_t most, TimePoint now) const {
  const Meter meter = meter_at(now);
  const auto level = [&](std::int64_t empty_at) {
    return Tokens::micro(std::max<std::int64_t>(0, raw_level(empty_at, meter)));
  };
  KeyListing listing{.ghost = level(ghost_empty_at_), .keys = {}};
  for (const Slots& stripe : stripes_) {
    for (std::size_t i = 0; i < stripe.slot_count(); ++i) {
      const Slots::Slot& slot = stripe.at(i);
      if (slot.in_use() && level(slot.value) < listing.ghost) {
        listing.keys.push_back({.key = slot.key, .level = level(slot.value)});
      }
    }
  }
  if (listing.keys.size() > most) {
    COVERED("a listing leaves out the fullest keys");
    const auto cut = listing.keys.begin() + static_cast<std::ptrdiff_t>(most);
    std::nth_element(listing.keys.begin(), cut, listing.keys.end(),
                     [](const auto& a, const auto& b) { return a.level < b.level; });
    listing.ghost = cut->level;
    listing.keys.resize(most);
  }
  return listing;
}

std::size_t KeyTable::sweep(std::size_t max_entries, TimePoint now) {
  advance(now);
  const std::int64_t ghost = raw_level(ghost_empty_at_, meter_);
  std::size_t dropped = 0;
  std::size_t stripes_done = 0;
  while (max_entries > 0 && stripes_done < stripes_.size()) {
    Slots& stripe = stripes_[swept_stripe_];
    std::size_t i = stripe.seek(swept_key_);
    while (max_entries > 0 && i < stripe.slot_count()) {
      const Slots::Slot& slot = stripe.at(i);
      if (!slot.in_use()) {
        ++i;
        continue;
      }
      --max_entries;
      swept_key_ = successor(slot.key);
      if (raw_level(slot.value, meter_) >= ghost) {
        stripe.erase_at(i);  // the next slot may have moved here
        ++dropped;
      } else {
        ++i;
      }
    }
    if (i >= stripe.slot_count()) {
      stripe.shrink();
      swept_stripe_ = (swept_stripe_ + 1) % kStripes;
      swept_key_ = KeyHash{};
      ++stripes_done;
    }
  }
  count_ -= dropped;
  return dropped;
}

Tokens KeyTable::level(const KeyHash& key, TimePoint now) const {
  return Tokens::micro(std::max<std::int64_t>(0, raw_level(empty_at(key), meter_at(now))));
}

Tokens KeyTable::ghost_level(TimePoint now) const {
  return Tokens::micro(std::max<std::int64_t>(0, raw_level(ghost_empty_at_, meter_at(now))));
}

std::size_t KeyTable::memory() const {
  std::size_t bytes = sizeof(*this);
  for (const Slots& stripe : stripes_) {
    bytes += stripe.slot_count() * sizeof(Slots::Slot);
  }
  return bytes;
}

void KeyTable::check_invariants() const {
  std::size_t count = 0;
  for (const Slots& stripe : stripes_) {
    stripe.check_invariants();
    count += stripe.count();
  }
  BRIGADE_CHECK(count == count_);
  BRIGADE_CHECK(meter_.fraction >= 0 && meter_.fraction < kUnits);
}

}  // namespace brigade::bucket
