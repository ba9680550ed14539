// Reservations on the buckets that a shard's leader keeps: keys in home mode, strict limits. How
// much each may still give back, and what was answered when it was settled.
//
// Rule (semantics 6): level + refundable <= size of the bucket at all times, so what is minted eats
// into what is refundable, the oldest reservation first. Between two touches of a bucket its level
// only rises: who owns the bucket calls cut() before each touch, and that is exact.
//
// Threads: single-threaded (owner: home desk or token store). Limits: `most` reservations, settled
// ones included, and kWindow; the oldest is forgotten, which means spent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "node/plant.h"
#include "node/rights.h"

namespace brigade::node {

struct Reservation {
  KeyHash id;
  LedgerId bucket;
  Stamp since{0};            // the owner's clock when it was made
  Tokens reserved;           // zero: it was called off before it was made, and never will be
  Tokens remaining;          // what its acquire was told
  Tokens refundable;         // of what was reserved, still; zero once settled
  std::uint64_t holder = 0;  // the ask that was charged
  bool repeated = false;     // others were told of it under the same id
  bool settled = false;
  Tokens actual;    // settled: what was used
  Tokens refunded;  // settled: what went back into the bucket
  friend bool operator==(const Reservation&, const Reservation&) = default;
};
// What is read from elsewhere may be senseless.
[[nodiscard]] bool consistent(const Reservation& reservation);

// What a settlement is told; the same whenever it is repeated.
struct Settled {
  bool conflict = false;  // it was settled before, and differently
  Tokens refunded;
  friend bool operator==(const Settled&, const Settled&) = default;
};

class Reservations {
 public:
  // How long after it was made a reservation can be settled.
  static constexpr base::Duration kWindow = std::chrono::minutes(10);

  // `recorded`: every change is kept for take_changes().
  Reservations(std::size_t most, bool recorded, Plant plant);

  [[nodiscard]] bool empty() const { return by_id_.empty(); }
  [[nodiscard]] std::size_t count() const { return by_id_.size(); }
  // Grows with every change.
  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  [[nodiscard]] const Reservation* find(const KeyHash& id) const;
  // What all reservations on this bucket may still give back.
  [[nodiscard]] Tokens refundable(std::string_view limit, const KeyHash& key) const;
  // The keys of this limit with something refundable.
  [[nodiscard]] std::vector<KeyHash> keys_of(std::string_view limit) const;
  [[nodiscard]] const std::map<KeyHash, Reservation>& all() const { return by_id_; }
  // At most `most` of those that may still give something back, the newest.
  [[nodiscard]] std::vector<Reservation> newest_open(std::size_t most) const;

  // False when the id is known already; nothing changes then. Requires: consistent.
  bool add(Reservation reservation);
  // Nobody made this reservation, and nobody will: an ask that is still under way finds it settled.
  void call_off(const KeyHash& id, LedgerId bucket, Tokens actual, Stamp now);
  // An ask with the same id is told the same. True when it is the holder's own.
  bool repeat(const KeyHash& id, std::uint64_t holder);
  // The bucket has room for this much beside its level: more is not refundable any more.
  void cut(std::string_view limit, const KeyHash& key, Tokens room);
  struct Settlement {
    Settled told;
    Tokens back;  // goes back into the bucket, now
  };
  // Requires: the id is known, and its bucket was cut just now.
  Settlement settle(const KeyHash& id, Tokens actual);
  void forget(const KeyHash& id);
  void forget_limit(std::string_view limit);
  // Forgets what is older than the window.
  void expire(Stamp now);

  struct Change {
    Reservation reservation;
    bool dropped = false;
  };
  // What changed since the last call, in order.
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
  void check_invariants() const;

 private:
  using Age = std::pair<Stamp, KeyHash>;
  using View = std::pair<std::string_view, KeyHash>;
  struct ByName {
    using is_transparent = void;
    static View view(const LedgerId& id) { return {id.limit, id.key}; }
    static View view(const View& id) { return id; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return view(a) < view(b);
    }
  };
  // What may still be refunded of one bucket; no entry when nothing may.
  struct Open {
    std::set<Age> oldest_first;
    Tokens refundable;
  };

  void close(Reservation& reservation);
  void note(const Reservation& reservation, bool dropped = false);

  std::size_t most_;
  bool recorded_;
  Plant plant_;
  std::map<KeyHash, Reservation> by_id_;
  std::set<Age> ages_;
  std::map<LedgerId, Open, ByName> open_;
  std::vector<Change> changes_;
  std::uint64_t revision_ = 0;
};

}  // namespace brigade::node
