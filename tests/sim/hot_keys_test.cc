// Hot keys get ledgers of their own, and go back to their home desks.

#include <doctest/doctest.h>

#include "sim/cluster/world.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

constexpr std::size_t kMachines = 5;
constexpr std::int64_t kRate = 200;

// One key of 200/s asked for at every machine; the first has half of the demand.
struct Tenants {
  wire::StoreCodec codec;
  World world;
  TimePoint begin;

  explicit Tenants(WorldConfig config = {.machines = kMachines, .seed = 5})
      : world(std::move(config), codec), begin(world.now() + base::seconds(4)) {
    bucket::LimitSpec limit;
    limit.name = "tenants";
    limit.per_key = true;
    limit.rate = base::Rate::per_second(kRate);
    limit.burst = Tokens::whole(kRate);
    world.declare(limit);
  }
  void load(double overload, Duration from, Duration until) {
    for (std::size_t i = 0; i < kMachines; ++i) {
      world.load({.machine = i,
                  .limit = "tenants",
                  .key = "acme",
                  .per_second = kRate * overload * (i == 0 ? 0.5 : 0.125),
                  .from = begin + from,
                  .until = begin + until});
    }
  }
  // What was admitted of what one bucket would have admitted meanwhile.
  double utilisation_until(Duration when) {
    const Totals before = world.totals();
    CHECK_MESSAGE(world.run(begin + when), world.broken());
    return (world.totals().admitted - before.admitted).as_double() /
           (world.totals().central - before.central).as_double();
  }
};

}  // namespace

TEST_CASE("a hot key gets a ledger of its own, and nobody is refused on the way") {
  Tenants tenants;
  tenants.load(0.7, base::seconds(0), base::seconds(10));
  CHECK(tenants.utilisation_until(base::seconds(1)) >= 1.0);
  CHECK(tenants.world.key_ledgers() == 0);
  CHECK(tenants.utilisation_until(base::seconds(9)) >= 1.0);
  CHECK(tenants.world.key_ledgers() == 1);
}

TEST_CASE("a hot key is spent by all like one bucket under overload") {
  Tenants tenants;
  tenants.load(1.3, base::seconds(0), base::seconds(14));
  CHECK(tenants.utilisation_until(base::seconds(6)) >= 0.95);
  CHECK(tenants.world.key_ledgers() == 1);
  CHECK(tenants.utilisation_until(base::seconds(13)) >= 0.95);
}

TEST_CASE("a key that nobody asks for goes back to its home desk, full") {
  Tenants tenants;
  tenants.load(1.2, base::seconds(0), base::seconds(5));
  tenants.utilisation_until(base::seconds(5));
  CHECK(tenants.world.key_ledgers() == 1);
  CHECK_MESSAGE(tenants.world.run(tenants.begin + base::seconds(25)), tenants.world.broken());
  CHECK(tenants.world.key_ledgers() == 0);
  tenants.load(0.7, base::seconds(25), base::seconds(27));
  CHECK(tenants.utilisation_until(base::seconds(27)) >= 1.0);
}

TEST_CASE("demand that comes back finds a ledger that is being wound down") {
  for (std::int64_t after = 14; after <= 20; ++after) {
    CAPTURE(after);
    Tenants tenants;
    tenants.load(1.2, base::seconds(0), base::seconds(5));
    tenants.load(0.7, base::seconds(after), base::seconds(after + 4));
    tenants.utilisation_until(base::seconds(after));
    CHECK(tenants.utilisation_until(base::seconds(after + 4)) >= 0.99);
  }
}

TEST_CASE("a hot key survives its shard's leader") {
  Tenants tenants;
  tenants.load(1.2, base::seconds(0), base::seconds(20));
  tenants.utilisation_until(base::seconds(6));
  CHECK(tenants.world.key_ledgers() == 1);
  const std::uint64_t offices = tenants.world.totals().offices;
  for (std::size_t victim = 1; victim < kMachines; ++victim) {
    if (tenants.world.totals().offices == offices) {
      tenants.world.crash(victim);
      tenants.utilisation_until(base::seconds(6) +
                                base::milliseconds(1500) * static_cast<std::int64_t>(victim));
      tenants.world.restart(victim);
    }
  }
  // Three of five machines at least went on with what they held.
  CHECK(tenants.utilisation_until(base::seconds(20)) >= 0.9);
}

}  // namespace brigade::sim
