// The buckets of one `per: key` limit in home mode: every key has the same rate and size.
//
// All buckets mint at one rate, so the table keeps one meter (tokens minted per key since the
// start) and per key only the meter's reading at which that bucket was empty:
//     level = min(size, meter - empty_at)
// 24 bytes a key, no fraction lost or gained however often a key is touched, and minting follows
// the configuration in force at each moment without touching any key.
//
// An absent key has the level of the table's *ghost*, a bucket that is minted into and never spent
// (semantics 6). A key is dropped only when its level is at least the ghost's, so dropping never
// adds a token.
//
// Threads: single-threaded (owner: node). Time: the slow line of an Instant; a reading older than
// the latest counts as the latest. Rates are handed in derated. Limits: max_keys; one operation
// inspects at most kSweepWhenFull keys on top of its own, and copies at most one of kStripes
// parts when the table grows.
// Invariants: for every key and every interval, taken <= size + rate x length + put, exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/key_hash.h"
#include "base/time.h"
#include "base/tokens.h"
#include "bucket/key_slots.h"

namespace brigade::bucket {

using base::Duration;
using base::Rate;
using base::TimePoint;
using base::Tokens;

// What every key of a limit may do. rate: derated, >= 0. size: >= 0.
struct KeyPolicy {
  Rate rate;
  Tokens size;
  friend bool operator==(const KeyPolicy&, const KeyPolicy&) = default;
};

// What a table knows, for whoever spends after its owner: any other key has the ghost's level.
struct KeyListing {
  struct Key {
    KeyHash key;
    Tokens level;
  };
  Tokens ghost;
  std::vector<Key> keys;  // all of them below the ghost
};

class KeyTable {
 public:
  static constexpr std::size_t kStripes = 64;
  static constexpr std::size_t kSweepWhenFull = 256;

  enum class Verdict : std::uint8_t { kTaken, kShort, kTooManyKeys };
  struct Outcome {
    Verdict verdict = Verdict::kShort;
    Tokens level;      // afterwards, >= 0
    Duration wait{0};  // kShort: until it could be taken by minting alone; max() if never
  };

  // `ghost`: what an absent key has at `now`, cut to the size. Full for a limit that was just
  // created and whose keys nobody else can have spent from.
  KeyTable(KeyPolicy policy, std::int64_t max_keys, Tokens ghost, TimePoint now);

  // Takes `cost` if the key's level stays >= `floor` (a cost of zero is always taken). A refused
  // take leaves no trace of the key. Requires: cost >= 0, floor >= 0.
  Outcome take(const KeyHash& key, Tokens cost, Tokens floor, TimePoint now);
  // What take() would answer; changes nothing and never answers kTooManyKeys.
  [[nodiscard]] Outcome peek(const KeyHash& key, Tokens cost, Tokens floor, TimePoint now) const;
  // Gives tokens back that were taken from this key (undo, refund), clamped to the size; dropped
  // if the key is absent and the table full. Requires: amount >= 0.
  void put(const KeyHash& key, Tokens amount, TimePoint now);

  // Gives an absent key this level, for a table that goes on where another one ended. A level that
  // is not below the ghost's changes nothing; where there is no room the ghost falls to the level.
  void place(const KeyHash& key, Tokens level, TimePoint now);
  // Lowers a key's level to at most `ceiling` (below zero: zero), less a micro-token's rounding; an
  // absent key too, and where there is no room for it the ghost falls with it. What is minted
  // afterwards comes on top: whoever holds a part of the key's size elsewhere cuts at every touch.
  void cut(const KeyHash& key, Tokens ceiling, TimePoint now);
  // At most `most` keys: where more are below the ghost, a ghost that is low enough for the rest.
  [[nodiscard]] KeyListing listing(std::size_t most, TimePoint now) const;

  // Changes the policy for all keys. Raising adds room, never tokens; a put right after a raise
  // may be clamped to the old size (tokens are lost, never doubled).
  void reconfigure(KeyPolicy policy, TimePoint now);
  // From now on at most this many keys; those that are more stay until they can be dropped.
  void allow(std::size_t max_keys) { max_keys_ = max_keys; }
  // Drops keys that have what the ghost has; inspects at most `max_entries` keys and each stripe
  // once, resuming where the last call stopped. Returns how many were dropped.
  std::size_t sweep(std::size_t max_entries, TimePoint now);

  [[nodiscard]] Tokens level(const KeyHash& key, TimePoint now) const;
  [[nodiscard]] Tokens ghost_level(TimePoint now) const;
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const KeyPolicy& policy() const { return policy_; }
  // Bytes that the table holds, the slots in reserve included.
  [[nodiscard]] std::size_t memory() const;

  void check_invariants() const;

 private:
  using Slots = KeySlots<std::int64_t>;

  // The meter: micro-tokens minted per key, with what is below one in units of 1e-12.
  struct Meter {
    std::int64_t whole = 0;
    std::int64_t fraction = 0;  // in [0, 1e12)
    [[nodiscard]] std::int64_t rounded_up() const { return whole + (fraction > 0 ? 1 : 0); }
  };

  [[nodiscard]] Meter meter_at(TimePoint now) const;
  void advance(TimePoint now);
  void rebase();
  // May be -1 micro-token after a full bucket was emptied between two micro-tokens.
  [[nodiscard]] std::int64_t raw_level(std::int64_t empty_at, const Meter& meter) const;
  // The reading that a bucket with this one would have if it were cut to the size.
  [[nodiscard]] std::int64_t clamped(std::int64_t empty_at, const Meter& meter) const;
  [[nodiscard]] Outcome judge(std::int64_t raw, Tokens cost, Tokens floor) const;
  [[nodiscard]] Duration wait_from(std::int64_t raw, Tokens cost, Tokens floor) const;
  [[nodiscard]] std::int64_t empty_at(const KeyHash& key) const;
  [[nodiscard]] const std::int64_t* find(const KeyHash& id) const {
    return stripes_.empty() ? nullptr : stripes_[stripe_of(id)].find(id);
  }
  std::int64_t* find(const KeyHash& id) {
    return stripes_.empty() ? nullptr : stripes_[stripe_of(id)].find(id);
  }
  void insert(const KeyHash& id, std::int64_t empty_at);
  [[nodiscard]] bool has_room_for_a_key(TimePoint now);
  std::size_t stripe_of(const KeyHash& key) const { return key.low % kStripes; }
  static KeyHash identity(const KeyHash& key);

  KeyPolicy policy_;
  std::size_t max_keys_;
  std::vector<Slots> stripes_;  // none until the first key
  std::size_t count_ = 0;
  Meter meter_;
  TimePoint metered_until_;
  std::int64_t ghost_empty_at_ = 0;
  // No bucket was empty before this reading: at each raise nobody had more than the old size.
  std::int64_t earliest_empty_ = 0;
  // Where the sweep resumes.
  std::size_t swept_stripe_ = 0;
  KeyHash swept_key_;
};

}  // namespace brigade::bucket
