#include <algorithm>
#include <cstdint>

#include <doctest/doctest.h>

#include "sim/cluster/campaign.h"
#include "sim/cluster/world.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

using node::ShardId;

constexpr std::size_t kMachines = 7;
constexpr std::uint32_t kShards = 3;
constexpr std::int64_t kRate = 500;

Faults faults() {
  return {.loss_permille = 20,
          .double_permille = 20,
          .slow_permille = 20,
          .crash_every = base::seconds(15),
          .partition_every = base::seconds(15),
          .pause_every = base::seconds(15)};
}

// Five founders and two more; everybody has clients.
struct Members {
  explicit Members(std::uint64_t seed, Duration replace_after = std::chrono::minutes(10))
      : world({.machines = kMachines,
               .founders = 5,
               .shards = kShards,
               .seed = seed,
               .replace_after = replace_after,
               .faults = faults()},
              codec),
        begin(world.now()) {
    bucket::LimitSpec limit;
    limit.name = "api";
    limit.rate = base::Rate::per_second(kRate);
    limit.burst = Tokens::whole(kRate);
    world.declare(limit);
    for (std::size_t i = 0; i < kMachines; ++i) {
      world.load({.machine = i,
                  .limit = limit.name,
                  .per_second = 100,
                  .from = begin + base::seconds(3),
                  .until = begin + base::seconds(600)});
    }
  }
  void run(int seconds) {
    const bool held = world.run(world.now() + base::seconds(seconds));
    REQUIRE_MESSAGE(held, world.broken());
  }
  // Runs until every shard has three voters, none of them an ended machine.
  [[nodiscard]] bool placed(int within) {
    for (int i = 0; i < within; ++i) {
      run(1);
      bool well = true;
      for (std::uint32_t shard = 0; shard < kShards; ++shard) {
        const auto voters = world.voters(ShardId(shard));
        well = well && voters.size() == 3 &&
               std::none_of(voters.begin(), voters.end(),
                            [&](std::size_t one) { return world.ended(one); });
      }
      if (well) {
        return true;
      }
    }
    return false;
  }

  wire::StoreCodec codec;
  World world;
  TimePoint begin;
};

TEST_CASE("a removed machine's voters are replaced through every fault, and W holds") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    CAPTURE(seed);
    Members members(seed);
    members.run(8);
    members.world.destroy(1);
    members.world.remove(1);
    CHECK(members.placed(90));
    const Tokens before = members.world.totals().admitted;
    members.run(10);
    CHECK(members.world.totals().admitted > before);
    CHECK(members.world.replicas_agree());
  }
}

TEST_CASE("a machine missed for longer than the grace period is replaced by itself") {
  Members members(1, base::seconds(15));
  members.run(8);
  members.world.destroy(2);
  members.run(8);
  const auto voters = members.world.voters(ShardId(0));
  CHECK((voters.empty() || std::find(voters.begin(), voters.end(), 2) != voters.end()));
  CHECK(members.placed(120));
  CHECK(members.world.replicas_agree());
}

TEST_CASE("a machine leaves: its voters move first, through every fault, and W holds") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    CAPTURE(seed);
    Members members(seed);
    members.run(8);
    members.world.leave(0);
    int waited = 0;
    while (!members.world.ended(0) && waited < 120) {
      members.run(1);
      ++waited;
    }
    CHECK(members.world.ended(0));
    CHECK(members.placed(60));
    CHECK(members.world.forgotten(0));
    CHECK(members.world.replicas_agree());
  }
}

TEST_CASE("machines are drained and take part again, through every fault, and W holds") {
  for (std::uint64_t seed = 10; seed <= 11; ++seed) {
    CAPTURE(seed);
    Members members(seed);
    members.run(8);
    for (std::size_t i = 0; i < 20; ++i) {
      members.world.drain(i % kMachines, false);
      members.run(i % 3 == 0 ? 2 : 1);
      members.world.drain(i % kMachines, true);
    }
    for (std::size_t i = 0; i < 10 * kMachines; ++i) {
      members.world.drain(i % kMachines, true);  // until those that were paused or down heard it
      if (i % kMachines == 0) {
        members.run(1);
      }
    }
    const Tokens before = members.world.totals().admitted;
    members.run(10);
    CHECK(members.world.totals().admitted > before);
    CHECK(members.world.replicas_agree());
  }
}

TEST_CASE("a shard whose voters are all drained keeps its leader until one takes part again") {
  const wire::StoreCodec codec;
  World world(
      {.machines = 4, .founders = 3, .shards = kShards, .seed = 1, .bms_term = base::seconds(4)},
      codec);
  bucket::LimitSpec limit;
  limit.name = "api";
  limit.rate = base::Rate::per_second(kRate);
  limit.burst = Tokens::whole(kRate);
  world.declare(limit);
  world.load({.machine = 3,
              .limit = limit.name,
              .per_second = 100,
              .from = world.now() + base::seconds(3),
              .until = world.now() + base::seconds(600)});
  const auto run = [&](int seconds) {
    REQUIRE_MESSAGE(world.run(world.now() + base::seconds(seconds)), world.broken());
  };
  run(8);
  for (std::size_t i = 0; i < 3; ++i) {
    world.drain(i, false);
  }
  run(3);
  const Totals before = world.totals();
  run(20);
  const Totals& after = world.totals();
  CHECK(after.offices == before.offices);
  const auto tokens = [](Tokens amount) { return amount.micro() / 1'000'000; };
  CHECK(tokens(after.places[3].admitted - before.places[3].admitted) >=
        tokens(after.places[3].offered - before.places[3].offered) * 99 / 100);
  world.drain(1, true);
  run(3);
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    CHECK(world.leader(ShardId(shard)) == 1);
  }
  run(20);
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    CHECK(world.leader(ShardId(shard)) == 1);  // terms end, but nobody else is fit
  }
}

TEST_CASE("rights that are kept in isolation go on being spent there, and nowhere else") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    const wire::StoreCodec codec;
    Faults some = faults();
    if (seed == 1) {
      some = {};
    }
    World world({.machines = 5, .seed = seed, .faults = some}, codec);
    bucket::LimitSpec limit;
    limit.name = "api";
    limit.rate = base::Rate::per_second(kRate);
    limit.burst = Tokens::whole(kRate);
    limit.on_isolated = bucket::OnIsolated::kKeep;
    world.declare(limit);
    const TimePoint begin = world.now() + base::seconds(3);
    // All demand at the fifth, which votes nowhere in shard 0 and 1 or is a minority of one.
    world.load({.machine = 4,
                .limit = limit.name,
                .per_second = 400,
                .from = begin,
                .until = begin + base::seconds(60)});
    REQUIRE_MESSAGE(world.run(begin + base::seconds(5)), world.broken());
    world.isolate(4, true);
    REQUIRE_MESSAGE(world.run(begin + base::seconds(15)), world.broken());
    const Tokens alone = world.totals().admitted;
    REQUIRE_MESSAGE(world.run(begin + base::seconds(20)), world.broken());
    if (seed == 1) {
      CHECK(world.totals().admitted > alone);  // longer cut off than any session lasts
    }
    world.isolate(4, false);
    REQUIRE_MESSAGE(world.run(begin + base::seconds(40)), world.broken());
    const Tokens back = world.totals().admitted;
    REQUIRE_MESSAGE(world.run(begin + base::seconds(50)), world.broken());
    if (seed == 1) {
      CHECK(world.totals().admitted - back >= Tokens::whole(3000));
    }
    // A dead process keeps nothing once the next one has spoken.
    world.crash(4);
    REQUIRE_MESSAGE(world.run(begin + base::seconds(51)), world.broken());
    world.restart(4);
    REQUIRE_MESSAGE(world.run(begin + base::seconds(62)), world.broken());
  }
}

TEST_CASE("a reclaim of what must be kept is caught") {
  bool held = true;
  for (std::uint64_t seed = 1; held && seed <= 10; ++seed) {
    held = try_cluster(
               {.seed = seed, .faults = true, .keep = true, .plant = node::Plant::kReclaimKept})
               .held;
  }
  CHECK_FALSE(held);
}

TEST_CASE("founders go one after another until the newcomers carry the cluster") {
  Members members(5);
  members.run(8);
  for (const std::size_t gone : {0U, 1U, 2U, 3U}) {
    members.world.destroy(gone);
    members.world.remove(gone);
    CHECK(members.placed(120));
  }
  CHECK(members.world.replicas_agree());
}

}  // namespace
}  // namespace brigade::sim
