#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "sim/cluster/campaign.h"

namespace brigade::sim {
namespace {

// True when one of these seeds shows the planted bug.
bool caught(node::Plant plant, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto verdict = try_cluster({.seed = seed, .faults = true, .plant = plant});
    if (!verdict.held) {
      return true;
    }
  }
  return false;
}

TEST_CASE("a calm cluster under skewed overload admits what one central bucket would") {
  const auto verdict = try_cluster({.seed = 1, .lasts = base::seconds(12)});
  CHECK_MESSAGE(verdict.held, verdict.broken);
  CHECK(verdict.totals.admitted >= verdict.totals.central.scaled(95, 100));
}

TEST_CASE("the same seed gives the same run") {
  const Trial trial{.seed = 7, .faults = true, .lasts = base::seconds(6)};
  CHECK(try_cluster(trial).totals.hash == try_cluster(trial).totals.hash);
}

TEST_CASE("W stays within the burst through crashes, partitions, pauses and lost messages") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto verdict = try_cluster({.seed = seed, .faults = true, .lasts = base::seconds(15)});
    CAPTURE(seed);
    CHECK_MESSAGE(verdict.held, verdict.broken);
  }
}

TEST_CASE("planted bugs are caught") {
  CHECK(caught(node::Plant::kReclaimEarly, 3));
  CHECK(caught(node::Plant::kGrowBeforeAck, 3));
  CHECK(caught(node::Plant::kLendWithoutTaking, 3));
}

}  // namespace
}  // namespace brigade::sim
