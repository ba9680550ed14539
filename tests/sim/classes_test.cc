// Priority classes of a limit that several machines share: what is kept from a class is not given
// to it, and is there for the others.
#include <cstddef>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "sim/cluster/campaign.h"
#include "sim/cluster/world.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

constexpr Tokens kBurst = Tokens::whole(1000);

// A limit that hardly fills up again: what is admitted, was there. Half is kept from `low`.
struct Ranked {
  wire::StoreCodec codec;
  World world;
  TimePoint now = world.now();

  explicit Ranked(std::uint64_t seed, node::Plant plant = node::Plant::kNone)
      : world({.machines = 5, .seed = seed, .plant = plant}, codec) {
    bucket::LimitSpec spec;
    spec.name = "ranked";
    spec.rate = base::Rate::per_second(1);
    spec.burst = kBurst;
    spec.priorities = {{.name = "low", .reserved = 500}};
    world.declare(spec);
  }

  // Returns what was admitted.
  Tokens flood(std::size_t machine, const std::string& priority, Duration lasts) {
    const Tokens before = world.totals().admitted;
    world.load({.machine = machine,
                .limit = "ranked",
                .priority = priority,
                .per_second = 500,
                .from = now,
                .until = now + lasts});
    now += lasts;
    CHECK_MESSAGE(world.run(now), world.broken());
    return world.totals().admitted - before;
  }
};

TEST_CASE("a flood of a class gets its part of the burst, and the rest is there for the others") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Ranked ranked(seed);
    REQUIRE(ranked.world.run(ranked.now += base::seconds(4)));
    const Tokens low = ranked.flood(2, "low", base::seconds(6));
    CHECK(low <= kBurst.scaled(1, 2) + Tokens::whole(11));
    CHECK(low >= kBurst.scaled(48, 100));
    CHECK(ranked.flood(3, "", base::seconds(6)) >= kBurst.scaled(48, 100));
  }
}

TEST_CASE("classes keep within their parts through crashes, partitions and lost messages") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    const auto verdict =
        try_cluster({.seed = seed, .faults = true, .classes = true, .lasts = base::seconds(20)});
    CHECK_MESSAGE(verdict.held, verdict.broken);
    CHECK(verdict.totals.reserved_from > Tokens{});
  }
}

// When a class has had its part everywhere, requests of another one come many at a time.
bool holds_when_many_wait_for_what_is_kept(node::Plant plant) {
  Ranked ranked(1, plant);
  REQUIRE(ranked.world.run(ranked.now += base::seconds(4)));
  const auto load = [&](std::size_t machine, const char* priority, Tokens cost, double per_second,
                        Duration lasts) {
    ranked.world.load({.machine = machine,
                       .limit = "ranked",
                       .cost = cost,
                       .priority = priority,
                       .per_second = per_second,
                       .from = ranked.now,
                       .until = ranked.now + lasts});
  };
  for (std::size_t machine = 0; machine < 5; ++machine) {
    load(machine, "low", Tokens::whole(1), 300, base::seconds(3));
  }
  REQUIRE(ranked.world.run(ranked.now += base::seconds(3)));
  load(3, "", Tokens::whole(10), 5000, base::milliseconds(200));
  return ranked.world.run(ranked.now += base::seconds(1));
}

TEST_CASE("a class borrows no more of what is kept from another than is kept where it is") {
  CHECK(holds_when_many_wait_for_what_is_kept(node::Plant::kNone));
  CHECK_FALSE(holds_when_many_wait_for_what_is_kept(node::Plant::kBorrowAboveKept));
}

// When a class has had its part everywhere, its requests come at two machines only, and shares move
// there.
bool holds_when_shares_move(node::Plant plant, std::uint64_t seed) {
  Ranked ranked(seed, plant);
  REQUIRE(ranked.world.run(ranked.now += base::seconds(4)));
  const auto load = [&](std::size_t machine, Duration lasts) {
    ranked.world.load({.machine = machine,
                       .limit = "ranked",
                       .priority = "low",
                       .per_second = 300,
                       .from = ranked.now,
                       .until = ranked.now + lasts});
  };
  for (std::size_t machine = 0; machine < 5; ++machine) {
    load(machine, base::seconds(3));
  }
  if (!ranked.world.run(ranked.now += base::seconds(3))) {
    return false;
  }
  load(0, base::seconds(6));
  load(1, base::seconds(6));
  return ranked.world.run(ranked.now += base::seconds(6));
}

TEST_CASE("tokens that move without the room they lie in are found out") {
  for (const auto plant : {node::Plant::kShrinkKeepsTokens, node::Plant::kGrowFromTheTop}) {
    CAPTURE(static_cast<int>(plant));
    bool caught = false;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(seed);
      CHECK(holds_when_shares_move(node::Plant::kNone, seed));
      caught = caught || !holds_when_shares_move(plant, seed);
    }
    CHECK(caught);
  }
}

}  // namespace
}  // namespace brigade::sim
