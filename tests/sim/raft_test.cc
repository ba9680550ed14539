#include <cstdint>

#include <doctest/doctest.h>

#include "sim/raft/campaign.h"

namespace brigade::sim {
namespace {

constexpr Duration kShort = base::seconds(10);

// True when one of these seeds shows the planted bug.
bool caught(raft::Plant plant, std::uint64_t first, std::uint64_t seeds) {
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    if (try_raft({.seed = seed, .plant = plant, .lasts = kShort}).fate == RaftFate::kBroken) {
      return true;
    }
  }
  return false;
}

TEST_CASE("planted bugs of the consensus core are caught") {
  CHECK(caught(raft::Plant::kAckBeforeDurable, 1, 3));
  CHECK(caught(raft::Plant::kForgetVote, 1, 3));
  CHECK(caught(raft::Plant::kReadBeforeOwnCommit, 1, 60));
  CHECK(caught(raft::Plant::kReadWithoutRound, 1, 60));
  CHECK(caught(raft::Plant::kJointByHalf, 1, 60));
  CHECK(caught(raft::Plant::kPreVoteCountsAsVote, 1, 80));
  CHECK(caught(raft::Plant::kCampaignWithPendingConf, 1, 200));
  CHECK(caught(raft::Plant::kTruncateOnAnyAppend, 1, 10));
}

TEST_CASE("a calm group acknowledges everything under its first leader") {
  const auto verdict = try_raft({.seed = 1, .lasts = kShort, .calm = true});
  CHECK_MESSAGE(verdict.fate == RaftFate::kHeld, verdict.why);
  CHECK(verdict.totals.elections == 1);
  // What was asked in the last moment may still be on its way.
  CHECK(verdict.totals.acknowledged + 5 >= verdict.totals.proposed);
  CHECK(verdict.totals.reads > 0);
}

TEST_CASE("the same seed gives the same run of a group, another seed another") {
  const auto hash = [](std::uint64_t seed) {
    return try_raft({.seed = seed, .lasts = kShort}).totals.hash;
  };
  CHECK(hash(3) == hash(3));
  CHECK(hash(3) != hash(4));
}

TEST_CASE("every property of a group holds under faults, and it agrees when they end") {
  RaftTotals sum;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto verdict = try_raft({.seed = seed, .lasts = kShort});
    CAPTURE(seed);
    CHECK_MESSAGE(verdict.fate == RaftFate::kHeld, verdict.why);
    sum.elections += verdict.totals.elections;
    sum.conf_changes += verdict.totals.conf_changes;
    sum.snapshots += verdict.totals.snapshots;
    sum.reads += verdict.totals.reads;
  }
  // The worlds are not empty of what they are there for.
  CHECK(sum.elections > 120);
  CHECK(sum.conf_changes > 300);
  CHECK(sum.snapshots > 100);
  CHECK(sum.reads > 5000);
}

}  // namespace
}  // namespace brigade::sim
