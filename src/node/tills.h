// A node's tills: tokens of keys that another node leads, got in advance from the keys' leader
// (semantics 5 mode B), so that lasting demand for a key is decided here.
//
// A till belongs to one hold at a time. What it may spend is granted - spent, until `valid_until`
// on the fast line, dated from the first send of the ask that was answered. Only the answer to the
// open ask is adopted, and none after the hold's end: then the till gets a new name, under which
// nothing was ever spent. It asks again in the background before it is empty or over, one ask at a
// time; without demand for kIdle it gives back what is left.
//
// Threads: single-threaded (owner: node). Limits: kMax tills; beyond, keys are asked for one by
// one. Time: whoever takes reads the clock again before the admission leaves (semantics 3.5).
// Source: algorithms 2.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "bucket/demand.h"
#include "bucket/limit_spec.h"
#include "node/key_heat.h"
#include "node/key_loans.h"
#include "node/messages.h"
#include "node/plant.h"

namespace brigade::node {

using base::Instant;

// A key that a request was sent to its leader for. The view and the pointers live for the call.
struct KeyWish {
  const bucket::LimitSpec& spec;
  KeyHash key;
  ShardId shard;
  Tokens cost;
  bool implicit = false;  // CL.THROTTLE's
};

class Tills {
 public:
  static constexpr std::size_t kMax = 1024;
  // A till should have what is asked for in this time; without demand for so long it is closed.
  static constexpr Duration kAhead = base::milliseconds(100);
  static constexpr Duration kIdle = base::milliseconds(100);
  // An ask that is not answered for so long is given up.
  static constexpr Duration kPatience = base::milliseconds(100);
  // How long nothing is asked for after an answer that brought too little.
  static constexpr Duration kPauseMin = base::milliseconds(2);
  static constexpr Duration kPauseMax = base::milliseconds(64);
  // A bucket that fills up more slowly than this is too precious to be spread.
  static constexpr Duration kSlowest = base::seconds(10);

  // `first_name`: tills' names count from here; no two processes of a node may meet.
  Tills(Ticket first_name, Plant plant) : last_name_(first_name), plant_(plant) {}

  struct Taken {
    Tokens remaining;
    TimePoint valid_until = TimePoint::min();  // fast line
  };
  // Takes from the key's till, if there is one and it has enough. Requires: cost > 0.
  std::optional<Taken> take(const KeyHash& key, Tokens cost, Instant now);
  // A request for this key goes to its leader: after enough of them the key gets a till.
  void forwarded(const KeyWish& wish, Instant now);
  void on(const Quantum& quantum, Instant now);
  // What leaves in this turn, each to the leader of its shard.
  void turn(Instant now, std::vector<QuantumAsk>& out);
  [[nodiscard]] TimePoint next_deadline() const { return look_at_; }

  [[nodiscard]] std::size_t count() const { return tills_.size(); }
  // For checkers: what can be spent of this key here, and until when.
  [[nodiscard]] Taken holding(const KeyHash& key) const;
  // Which key the open ask of this name is for.
  [[nodiscard]] const KeyHash* asked(Ticket ticket) const {
    const auto open = asks_.find(ticket);
    return open == asks_.end() ? nullptr : &open->second;
  }
  // What would come on top if this answer arrived now.
  [[nodiscard]] Tokens would_add(const Quantum& quantum, Instant now) const;
  void check_invariants() const;

 private:
  struct Till {
    LedgerId ledger;
    ShardId shard;
    std::shared_ptr<const bucket::LimitSpec> implicit;
    Ticket name = 0;
    HoldId hold;
    Tokens granted;
    Tokens spent;
    TimePoint valid_until = TimePoint::min();  // fast line
    Ticket open = 0;                           // the ask under way
    Instant asked;                             // when that left first
    TimePoint ask_at;                          // slow line: not before
    TimePoint renew_at;                        // slow line: not later, while it has enough
    Tokens low;                                // has too little at this level
    Duration pause = kPauseMin;
    bool recalled = false;
    // demand
    bucket::DemandMeter demand;
    Tokens offered;  // since the last ask
    Tokens unit;     // the last request's cost
    TimePoint used;  // slow line

    [[nodiscard]] bool holds() const { return !(hold == HoldId{}); }
    [[nodiscard]] Tokens level() const { return granted - spent; }
  };
  using Map = std::unordered_map<KeyHash, Till, base::KeyHashed>;

  // False when the till is closed.
  bool step(Till& till, Instant now, std::vector<QuantumAsk>& out);
  [[nodiscard]] static bool over(const Till& till, Instant now) {
    return till.holds() && now.fast >= till.valid_until;
  }
  void adopt(Till& till, const Quantum& quantum, Instant now);
  static void pause(Till& till, TimePoint now);
  [[nodiscard]] static Tokens wanted(const Till& till, TimePoint now);
  void begin_anew(Till& till);
  void close_ask(Till& till);
  static QuantumAsk ask_of(const Till& till);
  void look_again(TimePoint when) { look_at_ = std::min(look_at_, when); }

  Ticket last_name_;
  Plant plant_;
  KeyHeat heat_;
  Map tills_;
  std::unordered_map<Ticket, KeyHash> asks_;  // open ones
  TimePoint look_at_ = base::kNever;          // slow line
};

}  // namespace brigade::node
