// Keys that are logged ahead, in whole clusters: what a leader's death costs them, and that their
// limit may change meanwhile.
#include <cstdint>

#include <doctest/doctest.h>

#include "sim/cluster/campaign.h"
#include "sim/cluster/world.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

bool caught(node::Plant plant, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (!try_cluster({.seed = seed, .faults = true, .slow = true, .plant = plant}).held) {
      return true;
    }
  }
  return false;
}

bucket::LimitSpec hourly() {
  bucket::LimitSpec spec;
  spec.name = "hourly";
  spec.per_key = true;
  spec.rate = base::Rate::of(Tokens::whole(1000), base::seconds(3600));
  spec.burst = Tokens::whole(1000);
  return spec;
}

// What a machine says that is left of the key.
std::optional<Tokens> remaining(World& world, std::size_t machine) {
  world.look({.limit = "hourly", .key = "alice"}, machine);
  CHECK_MESSAGE(world.run(world.now() + base::seconds(2)), world.broken());
  return world.looked();
}

TEST_CASE("when a slow key's leader dies, the next one goes on from what was logged") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    const wire::StoreCodec codec;
    World world({.machines = 3, .founders = 3, .shards = 1, .seed = seed}, codec);
    world.declare(hourly());
    const TimePoint begin = world.now() + base::seconds(4);
    world.load({.machine = 1,
                .limit = "hourly",
                .key = "alice",
                .per_second = 60,
                .from = begin,
                .until = begin + base::seconds(5)});
    REQUIRE(world.run(begin + base::seconds(6)));
    const Tokens spent = world.totals().admitted;
    CHECK(spent > Tokens::whole(200));
    const auto before = remaining(world, 0);
    REQUIRE(before);
    CHECK(*before >= Tokens::whole(1000) - spent);
    const auto leader = world.leader(node::ShardId(0));
    REQUIRE(leader);
    world.crash(*leader);
    CHECK_MESSAGE(world.run(world.now() + base::seconds(6)), world.broken());
    const auto after = remaining(world, (*leader + 1) % 3);
    REQUIRE(after);
    // A chunk is 50; a few seconds mint 0.3 a second.
    CHECK(*after >= *before - Tokens::whole(50));
    CHECK(*after <= *before + Tokens::whole(4));
  }
}

TEST_CASE(
    "slow keys stay within their burst through faults, rotations and changes of their limit") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto verdict = try_cluster({.seed = seed, .faults = true, .slow = true});
    CAPTURE(seed);
    CHECK_MESSAGE(verdict.held, verdict.broken);
    CHECK_MESSAGE(verdict.stalled.empty(), verdict.stalled);
  }
}

TEST_CASE("planned changes of leaders take nothing of slow keys with them") {
  const auto verdict = try_cluster(
      {.seed = 5, .slow = true, .lasts = base::seconds(20), .bms_term = base::seconds(2)});
  CHECK_MESSAGE(verdict.held, verdict.broken);
  CHECK(verdict.totals.offices >= 16);
  CHECK(verdict.totals.worst_loss < Tokens::micro(10));
}

TEST_CASE("planted bugs of slow keys are caught") {
  CHECK(caught(node::Plant::kSpendBeforeLogged, 5));
  CHECK(caught(node::Plant::kCreditUncut, 5));
  CHECK(caught(node::Plant::kSlowFromFull, 5));
  CHECK(caught(node::Plant::kSlowForgotten, 5));
}

}  // namespace
}  // namespace brigade::sim
