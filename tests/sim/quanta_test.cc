// Tokens of keys in advance: a net so slow and lossy that renewals of quanta come too late, and a
// key that is never short, so that whoever has tokens of it too long is seen.
#include <cstdint>

#include <doctest/doctest.h>

#include "sim/cluster/campaign.h"
#include "sim/cluster/world.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

struct Run {
  bool held = false;
  std::string broken;
  Totals totals;
};

// Demand comes in bursts, between which tills stay open with what the last one left in them.
Run run(std::uint64_t seed, node::Plant plant, const Faults& faults) {
  const wire::StoreCodec codec;
  World world(
      {.machines = 3, .founders = 3, .shards = 1, .seed = seed, .faults = faults, .plant = plant},
      codec);
  bucket::LimitSpec spec;
  spec.name = "busy";
  spec.per_key = true;
  spec.rate = base::Rate::per_second(4000);  // so much that it gets no ledger of its own
  spec.burst = Tokens::whole(1000);
  world.declare(spec);
  const TimePoint begin = world.now() + base::seconds(4);
  const TimePoint end = begin + base::seconds(16);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto load = [&](double per_second, TimePoint from, TimePoint until) {
      world.load({.machine = i,
                  .limit = spec.name,
                  .key = "warm",
                  .per_second = per_second,
                  .from = from,
                  .until = until});
    };
    load(40, begin, end);
    for (TimePoint from = begin; from < end; from += base::milliseconds(700)) {
      load(400, from, from + base::milliseconds(200));
    }
  }
  Run result;
  result.held = world.run(end);
  result.broken = world.broken();
  result.totals = world.totals();
  return result;
}

Faults slow_and_lossy() {
  return {.loss_permille = 250,
          .double_permille = 100,
          .delay_min = base::milliseconds(5),
          .delay_max = base::milliseconds(60)};
}

bool caught(node::Plant plant, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (!run(seed, plant, slow_and_lossy()).held) {
      return true;
    }
  }
  return false;
}

TEST_CASE("lasting demand for a key is decided where it arises, as one bucket would") {
  const Run calm = run(1, node::Plant::kNone, {});
  CHECK_MESSAGE(calm.held, calm.broken);
  CHECK(calm.totals.admitted >= calm.totals.central.scaled(995, 1000));
  // Two of three nodes do not lead the key.
  CHECK(calm.totals.in_advance >= calm.totals.admitted.scaled(50, 100));
}

TEST_CASE("quanta that are lost, doubled and late never add a token") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    const Run rough = run(seed, node::Plant::kNone, slow_and_lossy());
    CHECK_MESSAGE(rough.held, rough.broken);
    CHECK(rough.totals.in_advance > Tokens{});
  }
}

TEST_CASE("planted bugs of quanta are caught") {
  CHECK(caught(node::Plant::kQuantumNotDeducted, 3));
  CHECK(caught(node::Plant::kQuantumFromReceipt, 5));
  CHECK(caught(node::Plant::kQuantumUncut, 3));
  CHECK(caught(node::Plant::kTillNameKept, 3));
}

TEST_CASE("a handover around quanta is caught in the campaign's cluster") {
  bool held = true;
  for (std::uint64_t seed = 1; held && seed <= 5; ++seed) {
    held = try_cluster({.seed = seed, .plant = node::Plant::kHandoverAroundQuanta}).held;
  }
  CHECK_FALSE(held);
}

}  // namespace
}  // namespace brigade::sim
