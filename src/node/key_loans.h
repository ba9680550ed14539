// Quanta: tokens of home keys that the leader lent to other nodes in advance (semantics 5, mode B).
//
// A loan is what one till of one node got of one key: `granted` and `spent` only ever grow, so that
// messages may be lost, doubled, late or out of order. What is out, granted - spent, keeps its part
// of the key's size: the key's bucket never holds more than size - out, so level + out <= size
// whatever is minted meanwhile. The bucket is cut to that at every touch and before `out` changes;
// cutting late only loses tokens.
//
// A loan is nested in the leader's authority: the node may spend until `lasts` after it sent its
// ask, and that ends within the authority under which it was answered. So a leader of a later term,
// whose authority cannot begin before this one's has ended, meets no quantum of another, and the
// loans die with the desk. Here a loan lapses later, when the node's clock has passed `lasts` for
// certain; its tokens are gone.
//
// Threads: single-threaded (owner: home desk). Limits: kKeysMax keys, kPerKeyMax loans of each,
// kStoppedMax keys kept from lending; beyond, nothing is lent.
// Invariants: 0 <= spent <= granted. Source: algorithms 2.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "bucket/key_table.h"
#include "node/messages.h"
#include "node/plant.h"

namespace brigade::node {

using base::Drift;
using base::Duration;
using base::TimePoint;

class KeyLoans {
 public:
  static constexpr std::size_t kKeysMax = 4096;
  static constexpr std::size_t kPerKeyMax = 64;
  static constexpr std::size_t kStoppedMax = 65'536;
  // A hold that got so much begins anew: sums must not overflow.
  static constexpr Tokens kGrantedMax = Tokens::micro(Tokens::kMaxMicro / 4);
  // All loans of a key together may take this fraction of its size.
  static constexpr bucket::Permille kMostOut = 500;

  // What a key's limit allows to lend now.
  struct Offer {
    bucket::Permille max_share = 0;  // of the level, per quantum
    Tokens reserve;                  // stays in the bucket
    Duration lasts{0};               // within the authority, on any clock
  };

  // `term`: never the same for two terms of one shard.
  KeyLoans(std::uint64_t term, Drift drift, Plant plant)
      : term_(term), drift_(drift), plant_(plant) {}

  // Goes before whatever is done with a key's bucket.
  void touch(bucket::KeyTable& keys, const KeyHash& key, TimePoint now) {
    if (!keys_.empty()) {
      settle(keys, key, now);
    }
  }
  // Hears what was spent, takes back what is closed, grants what the offer allows.
  Quantum answer(NodeId from, const QuantumAsk& ask, const Offer& offer, bucket::KeyTable& keys,
                 TimePoint now);

  // What is out of this key, loans that have lapsed but were not settled included.
  [[nodiscard]] Tokens out(const KeyHash& key) const;
  // The most that the key's bucket may have beside that. May be below zero.
  [[nodiscard]] Tokens ceiling(const KeyHash& key, Tokens size) const {
    return plant_ == Plant::kQuantumUncut ? size : size - out(key);
  }
  // Limits and keys of which a loan has lapsed: to be touched.
  [[nodiscard]] std::vector<LedgerId> lapsed(TimePoint now) const;
  // The limit of this key is gone: what lapsed needs no bucket.
  void forget_lapsed(const KeyHash& key, TimePoint now);

  // No quantum of this key until then (slow line), and what is out is called in.
  void stop(const KeyHash& key, TimePoint until);
  // No quantum of any key until then, and what is out is called in.
  void stop_all(TimePoint until) { all_stopped_until_ = until; }
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  [[nodiscard]] std::size_t count() const;
  void sweep(TimePoint now);

  void check_invariants() const;

 private:
  struct Loan {
    NodeId node;
    Ticket till = 0;
    HoldId id;
    Tokens granted;
    Tokens spent;
    TimePoint lapses;  // slow line
    [[nodiscard]] Tokens out() const { return granted - spent; }
  };
  struct Lent {
    std::string limit;
    std::vector<Loan> loans;
  };

  void settle(bucket::KeyTable& keys, const KeyHash& key, TimePoint now);
  [[nodiscard]] bool stopped(const KeyHash& key, TimePoint now) const;
  // The loan that an ask is about; nullptr: it wants the first. False: there is nothing for it.
  bool find(NodeId from, const QuantumAsk& ask, Loan*& loan);
  // nullptr where there is no room.
  Loan* open(NodeId from, const QuantumAsk& ask, TimePoint now);
  // False where there is no room for the key itself.
  bool deduct(bucket::KeyTable& keys, const KeyHash& key, Tokens amount, TimePoint now) const;
  void close(const KeyHash& key, const Loan& loan, bucket::KeyTable& keys, TimePoint now);
  [[nodiscard]] Tokens grantable(const QuantumAsk& ask, const Loan* loan, const Offer& offer,
                                 const bucket::KeyTable& keys, TimePoint now) const;

  std::uint64_t term_;
  Drift drift_;
  Plant plant_;
  std::uint64_t last_number_ = 0;
  TimePoint all_stopped_until_ = TimePoint::min();
  std::unordered_map<KeyHash, Lent, base::KeyHashed> keys_;
  std::unordered_map<KeyHash, TimePoint, base::KeyHashed> stopped_;
};

}  // namespace brigade::node
