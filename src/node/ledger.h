// The replicated record of all rights of one limit or key: the pool (R0, B0, level) and one share
// (R, B) per account.
//
// Invariants (semantics 3.1): the pool's and the shares' rates sum to the configured rate, their
// sizes to the configured burst; only the pool may be negative, while the limit is being lowered;
// the pool's level stays within [0, max(B0, 0)]. Time: shard time; refill happens only inside
// applied commands, so every replica agrees.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "node/commands.h"
#include "node/rights.h"

namespace brigade::node {

struct Shrinking {
  Rate rate;
  Tokens size;
  bool keep = false;
  friend bool operator==(const Shrinking&, const Shrinking&) = default;
};

struct Share {
  Rate rate;  // in force: what the holder may still use
  Tokens size;
  Tokens granted;     // C
  Epoch epoch;        // G of the latest change
  bool keep = false;  // not reclaimed while its holder's process may live (semantics 6)
  std::optional<Shrinking> shrinking;
  friend bool operator==(const Share&, const Share&) = default;

  // What its holder is told: the target while it shrinks.
  [[nodiscard]] Rights rights(const LedgerId& ledger) const;
};

struct Pool {
  Rate rate;    // R0
  Tokens size;  // B0
  Tokens level;
  Stamp refilled{0};
  friend bool operator==(const Pool&, const Pool&) = default;
};

class Ledger {
 public:
  using Shares = std::map<Account, Share>;

  Ledger() = default;
  // A new ledger: everything in the pool, filled to `level`.
  Ledger(Rate rate, Tokens burst, Tokens level, Stamp now);
  // From a record; the caller has checked it with consistent().
  Ledger(Rate rate, Tokens burst, Pool pool, Shares shares);

  // Commands. Each returns false, and changes nothing, when it would break an invariant.
  bool shrink(const ShrinkShare& change, Epoch epoch);
  bool acknowledge(const AckShrink& change, Stamp now);
  // What tokens go with the room: as many as the change says, or, where a part of every room is
  // kept from a class, as many as lie in it when all lie evenly in the pool.
  enum class Filling : std::uint8_t { kAsSaid, kEvenly };
  bool grow(const GrowShare& change, Epoch epoch, Stamp now, Filling filling = Filling::kAsSaid);
  // Gives an account's rights back, with `tokens` of what it held (zero for a reclaim).
  bool release(Account account, Tokens tokens, Stamp now);
  // The process that held it is certainly dead: it lapses like any other.
  bool unkeep(Account account);
  // Changes the limit: raising adds room, never tokens; lowering leaves the pool negative until
  // shares have shrunk.
  void configure(Rate rate, Tokens burst, Stamp now);

  [[nodiscard]] const Pool& pool() const { return pool_; }
  [[nodiscard]] const Shares& shares() const { return shares_; }
  [[nodiscard]] Rate rate() const { return rate_; }
  [[nodiscard]] Tokens burst() const { return burst_; }
  // What is in force while a lowering is under way: all shares plus a pool that is not negative.
  [[nodiscard]] Rate effective_rate() const;
  [[nodiscard]] Tokens effective_burst() const;
  // The pool's level if it were refilled up to `now`.
  [[nodiscard]] Tokens level_at(Stamp now) const;
  [[nodiscard]] bool consistent() const;
  friend bool operator==(const Ledger&, const Ledger&) = default;

 private:
  void refill(Stamp now);
  void credit(Tokens tokens);

  Rate rate_;
  Tokens burst_;
  Pool pool_;
  Shares shares_;
};

}  // namespace brigade::node
