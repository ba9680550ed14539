// Limits of fewer tokens than can be divided: how much of them is admitted, and that what divides
// them and what keeps them together never spend at once.
#include "sim/cluster/few_tokens.h"

#include <doctest/doctest.h>

#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

TEST_CASE("a limit of few tokens admits what one bucket would, wherever requests arrive") {
  const std::vector<bucket::LimitSpec> limits{few_tokens(1, 1), few_tokens(2, 2), few_tokens(5, 1),
                                              few_tokens(10, 10)};
  for (const Arrival arrival : kArrivals) {
    for (const Duration wait : {base::seconds(0), base::seconds(1)}) {
      const std::string where = name_of(arrival);
      CAPTURE(where);
      const FewTokensVerdict verdict =
          run_few_tokens({.arrival = arrival, .wait = wait, .lasts = base::seconds(60)}, limits);
      CHECK_MESSAGE(verdict.broken.empty(), verdict.broken);
      for (const auto& [name, counted] : verdict.totals.limits) {
        CAPTURE(name);
        CHECK(counted.central > Tokens{});
        CHECK(counted.admitted >= counted.central.scaled(95, 100));
      }
    }
  }
}

// The same tokens, in parts and together by turns. Every node spends all the time.
bool holds_when_it_changes(std::uint64_t seed, base::Rate rate, node::Plant plant,
                           const Faults& faults, Totals* totals = nullptr) {
  const wire::StoreCodec codec;
  World world({.machines = 5, .founders = 5, .seed = seed, .faults = faults, .plant = plant},
              codec);
  bucket::LimitSpec together = few_tokens(12, 1);
  together.rate = rate;
  bucket::LimitSpec divided = together;
  divided.lend.max_share = 400;
  CHECK(divided.divided());
  CHECK_FALSE(together.divided());
  world.declare(divided);
  const TimePoint begin = world.now() + base::seconds(4);
  const TimePoint end = begin + base::seconds(40);
  for (std::size_t i = 0; i < 5; ++i) {
    world.load({.machine = i,
                .limit = together.name,
                .per_second = rate.as_double(),
                .from = begin,
                .until = end});
  }
  bool held = world.run(begin + base::seconds(5));
  for (TimePoint at = begin + base::seconds(10); held && at < end; at += base::seconds(10)) {
    world.change(together);
    held = world.run(at);
    if (held) {
      world.change(divided);
      held = world.run(at + base::seconds(5));
    }
  }
  if (totals != nullptr) {
    *totals = world.totals();
  }
  CHECK_MESSAGE((held || plant != node::Plant::kNone), world.broken());
  return held;
}

constexpr Faults kFaults{.loss_permille = 20,
                         .double_permille = 20,
                         .slow_permille = 20,
                         .crash_every = base::seconds(8),
                         .partition_every = base::seconds(8),
                         .pause_every = base::seconds(8)};

TEST_CASE("a limit whose tokens are divided or kept together by turns stays within its burst") {
  Totals calm;
  CHECK(holds_when_it_changes(1, base::Rate::per_second(12), node::Plant::kNone, {}, &calm));
  CHECK(calm.admitted >= calm.central.scaled(60, 100));
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    CHECK(holds_when_it_changes(seed, base::Rate::per_second(12), node::Plant::kNone, kFaults));
    CHECK(holds_when_it_changes(seed, base::Rate::per_second(1), node::Plant::kNone, kFaults));
  }
}

// A machine that keeps its part in isolation is cut off when the limit's tokens are put together:
// the others wait for it.
bool holds_while_a_part_is_out(base::Rate rate, node::Plant plant) {
  const wire::StoreCodec codec;
  World world({.machines = 4, .founders = 3, .shards = 1, .plant = plant}, codec);
  bucket::LimitSpec together = few_tokens(12, 1);
  together.rate = rate;
  bucket::LimitSpec divided = together;
  divided.on_isolated = bucket::OnIsolated::kKeep;
  world.declare(divided);
  // A request now and then, at its machine, for so long.
  const auto run = [&](std::size_t machine, Duration lasts) {
    const TimePoint until = world.now() + lasts;
    world.load({.machine = machine,
                .limit = together.name,
                .per_second = 0.2,
                .from = world.now(),
                .until = until});
    return world.run(until);
  };
  REQUIRE(run(3, base::seconds(20)));
  world.isolate(3, true);
  world.change(together);
  bool held = run(0, base::seconds(8));
  const Tokens before = world.totals().admitted;
  held = held && run(0, base::seconds(20));
  CHECK((!held || world.totals().admitted == before));
  world.isolate(3, false);
  held = held && world.run(world.now() + base::seconds(5)) && run(0, base::seconds(20));
  CHECK((!held || world.totals().admitted > before));
  CHECK_MESSAGE((held || plant != node::Plant::kNone), world.broken());
  return held;
}

TEST_CASE("what keeps a limit together waits for the parts that nodes have of it") {
  for (const base::Rate rate : {base::Rate::per_second(12), base::Rate::per_second(1)}) {
    CHECK(holds_while_a_part_is_out(rate, node::Plant::kNone));
    CHECK_FALSE(holds_while_a_part_is_out(rate, node::Plant::kPartsStillOut));
  }
}

}  // namespace
}  // namespace brigade::sim
