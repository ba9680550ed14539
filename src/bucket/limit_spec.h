// A limit as its owner declares it (semantics 6): the policy, nothing that moves at run time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/tokens.h"

namespace brigade::bucket {

// A fraction in thousandths: 850 is 0.85. Integers, so that every node decides alike.
using Permille = std::int32_t;

enum class Mode : std::uint8_t { kShared, kStrict };
enum class Fairness : std::uint8_t { kProportional, kMaxMin, kKarma };
enum class OnIsolated : std::uint8_t { kDeny, kKeep };

// How the sizing service moves a node's share (semantics 7).
struct SizingSpec {
  base::Tokens min;  // a node's smallest and largest size; max 0 means "the whole burst"
  base::Tokens max;
  Permille threshold_high = 850;
  Permille threshold_low = 500;
  Permille growth = 1500;
  Permille shrink = 700;
  friend bool operator==(const SizingSpec&, const SizingSpec&) = default;
};

struct LendSpec {
  bool enabled = true;
  Permille max_share = 500;  // of what is in the lender's bucket, per request
  base::Tokens reserve;      // never lent below this level
  friend bool operator==(const LendSpec&, const LendSpec&) = default;
};

// A class may spend only while the level stays above `reserved` of the bucket's size.
struct PrioritySpec {
  std::string name;
  Permille reserved = 0;
  friend bool operator==(const PrioritySpec&, const PrioritySpec&) = default;
};

struct QueueSpec {
  base::Duration max_wait{0};  // the longest wait a request may ask for; 0: no waiting
  std::uint32_t max_waiting = 1000;
  friend bool operator==(const QueueSpec&, const QueueSpec&) = default;
};

struct LimitSpec {
  std::string name;  // 1..128 bytes of [A-Za-z0-9._:/-]
  base::Rate rate;   // tokens per second, > 0
  base::Tokens burst;
  bool per_key = false;
  Mode mode = Mode::kShared;
  SizingSpec sizing;
  LendSpec lend;
  Fairness fairness = Fairness::kProportional;
  std::vector<PrioritySpec> priorities;
  QueueSpec queue;
  OnIsolated on_isolated = OnIsolated::kDeny;
  bool shadow = false;
  std::int64_t max_keys = 1'000'000;
  friend bool operator==(const LimitSpec&, const LimitSpec&) = default;

  // The reserved fraction of a class; the empty or an unknown class reserves nothing.
  [[nodiscard]] Permille reserved(std::string_view priority) const;
  [[nodiscard]] bool has_priority(std::string_view priority) const;
  // The largest cost that a class can ever be admitted with: burst x (1 - its reserve).
  [[nodiscard]] base::Tokens largest_cost(std::string_view priority) const;

  // Below this, parts of two nodes would be less than eight tokens each: what an idle node may mint
  // is lost once its part is full, and a request finds its tokens in pieces (algorithms 2.8).
  static constexpr base::Tokens kFewTokens = base::Tokens::whole(16);
  // Nodes hold parts of it, each a rate and a size. Not of keys, of what is strict, or of few
  // tokens, unless its owner says something of parts (bucket, lend, on_isolated).
  [[nodiscard]] bool divided() const;
  // In home mode (semantics 6): a bucket for each key, or the only one of a limit of few tokens, in
  // the memory of its shard's leader.
  [[nodiscard]] bool kept_at_home() const { return mode == Mode::kShared && !divided(); }
};

// Whether a part of it is kept from some class.
[[nodiscard]] bool reserves(const LimitSpec& spec);

// Says what is senseless about a limit: empty or odd name, rate or burst out of range, thresholds
// that would flap (semantics 7), fractions outside 0..1. ok() when nothing is.
base::Status validate(const LimitSpec& spec);

// Says which field means nothing for a limit of this kind, of one that is valid: what its owner
// believes to have declared would silently not be so. A field at its default declares nothing.
base::Status meaningful(const LimitSpec& spec);

}  // namespace brigade::bucket
