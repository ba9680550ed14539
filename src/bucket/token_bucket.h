// What one node may spend of one limit or key: a right to mint R, a right to hold B, and a level.
//
// Threads: single-threaded (owner: the node).
// Time: callers hand in the slow line of an Instant (base/time.h); it never goes backwards. Rates
// are handed in derated already (Rate::derated), so that minting often loses nothing. Invariants:
// (1) level + held <= size; (2) held >= 0; (3) level >= 0. Source: token bucket as in RFC 2697;
// derated minting from semantics 2, headroom from semantics 5.
#pragma once

#include "base/time.h"
#include "base/tokens.h"

namespace brigade::bucket {

using base::Duration;
using base::Rate;
using base::TimePoint;
using base::Tokens;

class TokenBucket {
 public:
  TokenBucket() = default;
  // A bucket that may mint `rate` and hold `size`, with `level` in it at `now`. Requires: level <=
  // size.
  TokenBucket(Rate rate, Tokens size, Tokens level, TimePoint now);

  // Adds what was minted since the last call: rate x elapsed time, clamped to the room.
  void mint(TimePoint now);
  // Takes `cost` if the level stays >= `floor`; true when taken. Requires: cost >= 0; minted at
  // now.
  bool take(Tokens cost, Tokens floor);
  // Puts tokens back that were taken from this bucket (undo of a take, a refund), clamped to the
  // room.
  void put(Tokens amount);

  // Keeps room free for tokens that may still arrive (a borrow in flight, a refundable
  // reservation). Minting stops where level + held reaches size. Returns what could be held, at
  // most `want`.
  Tokens hold(Tokens want);
  // Gives held room back; tokens do not move. Requires: amount <= held().
  void release(Tokens amount);

  // Replaces the rights; what no longer fits is cut from the level and returned (semantics 4).
  // Requires: held() <= size.
  Tokens resize(Rate rate, Tokens size, TimePoint now);

  [[nodiscard]] Tokens level() const { return level_; }
  [[nodiscard]] Tokens size() const { return size_; }
  [[nodiscard]] Tokens held() const { return held_; }
  [[nodiscard]] Rate rate() const { return rate_; }
  [[nodiscard]] TimePoint minted_until() const { return minted_until_; }
  [[nodiscard]] Tokens room() const { return size_ - level_ - held_; }
  // True time until `cost` can be taken above `floor` by minting alone; Duration::max() if never.
  [[nodiscard]] Duration wait_for(Tokens cost, Tokens floor) const;

  void check_invariants() const;

 private:
  void credit(std::int64_t micro, std::int64_t fraction);

  Rate rate_;
  Tokens size_;
  Tokens level_;
  Tokens held_;
  TimePoint minted_until_;
  // What was minted below a micro-token, in units of 1e-12 of one; in [0, 1e12).
  std::int64_t fraction_ = 0;
};

}  // namespace brigade::bucket
