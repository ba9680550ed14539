// Limits that are deleted, and made anew, while they are asked for.
#include <cstdint>

#include <doctest/doctest.h>

#include "sim/cluster/world.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

constexpr std::size_t kMachines = 3;

// Three machines ask for 1.5 times what the limit allows; messages are lost, doubled, and some are
// late by seconds, so that rights and loans of one life of the limit arrive in the next one.
struct Town {
  wire::StoreCodec codec;
  World world;
  bucket::LimitSpec limit;
  TimePoint begin;

  explicit Town(std::uint64_t seed, bool faulty)
      : world({.machines = kMachines,
               .founders = kMachines,
               .shards = 1,
               .seed = seed,
               .faults = faulty ? Faults{.loss_permille = 5,
                                         .double_permille = 20,
                                         .slow_permille = 20,
                                         .slow_raft = false}
                                : Faults{}},
              codec),
        begin(world.now() + base::seconds(4)) {
    limit.name = "api";
    limit.rate = base::Rate::per_second(200);
    limit.burst = Tokens::whole(200);
    world.declare(limit);
    for (std::size_t i = 0; i < kMachines; ++i) {
      world.load({.machine = i,
                  .limit = "api",
                  .per_second = i == 0 ? 240.0 : 30.0,
                  .from = begin,
                  .until = begin + base::seconds(40)});
    }
  }
  bool run(Duration until) { return world.run(begin + until); }
};

TEST_CASE("a limit that is deleted and made anew under load stays within its burst") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    Town town(seed, true);
    REQUIRE_MESSAGE(town.run(base::seconds(3)), town.world.broken());
    for (int life = 1; life <= 3; ++life) {
      const Duration since = base::seconds(10) * (life - 1) + base::seconds(3);
      town.world.forget("api");  // again and again, for four seconds
      CHECK_MESSAGE(town.run(since + base::milliseconds(2500)), town.world.broken());
      town.world.change(town.limit);
      CHECK_MESSAGE(town.run(since + base::seconds(10)), town.world.broken());
      CHECK(town.world.holders("api") == kMachines);
    }
    CHECK(town.world.totals().admitted > Tokens::whole(2000));
  }
}

// Who is cut off spends what it holds until its session ends, three times as long as the limit
// takes to fill up.
TEST_CASE("a limit made anew just after its last holder's session ended stays within its burst") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    Town town(seed, false);
    REQUIRE_MESSAGE(town.run(base::seconds(3)), town.world.broken());
    town.world.isolate(0, true);
    town.world.forget("api");
    CHECK_MESSAGE(town.run(base::milliseconds(6100)), town.world.broken());
    town.world.change(town.limit);
    CHECK_MESSAGE(town.run(base::seconds(9)), town.world.broken());
    town.world.isolate(0, false);
    town.world.change(town.limit);
    CHECK_MESSAGE(town.run(base::seconds(14)), town.world.broken());
    CHECK(town.world.holders("api") == kMachines);
  }
}

TEST_CASE("nothing is left of a deleted limit, however much it was asked for") {
  Town town(1, false);
  REQUIRE_MESSAGE(town.run(base::seconds(3)), town.world.broken());
  CHECK(town.world.holders("api") == kMachines);
  town.world.forget("api");
  CHECK_MESSAGE(town.run(base::seconds(6)), town.world.broken());
  CHECK(town.world.holders("api") == 0);
}

}  // namespace
}  // namespace brigade::sim
