// Which node gets which request of a trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "base/result.h"

namespace brigade::replay {

struct AssignmentSpec {
  enum class Kind : std::uint8_t {
    kRoundRobin,  // each node in turn
    kSkew,        // Zipf: node i, counted from 1, gets a share of i^-zipf
    kHash,        // by key
    kOne,         // everything to one node
  };
  Kind kind = Kind::kRoundRobin;
  double zipf = 0;   // kSkew only; 0..10
  std::string node;  // kOne only; empty: the first
};

// "round-robin", "skew:1.2", "hash", "one", "one:NODE".
base::Result<AssignmentSpec> parse_assignment(std::string_view text);

// Deals requests to nodes 0..n-1. The same seed and calls give the same nodes.
class Assignment {
 public:
  // Errors: kOne names a node that is not in `names`. Requires: names is not empty.
  static base::Result<Assignment> make(const AssignmentSpec& spec,
                                       const std::vector<std::string>& names, std::uint64_t seed);

  std::size_t next(std::string_view key);

 private:
  Assignment(AssignmentSpec::Kind kind, std::uint64_t seed)
      : kind_(kind), seed_(seed), dice_(seed) {}

  AssignmentSpec::Kind kind_;
  std::uint64_t seed_;
  base::Prng dice_;
  std::size_t nodes_ = 1;
  std::size_t turn_ = 0;                   // kRoundRobin: the next node; kOne: the node
  std::vector<std::uint64_t> cumulative_;  // kSkew: weights up to and with each node
};

}  // namespace brigade::replay
