// Fairness policies in the whole cluster: nodes whose clients ask for more than there is.
#include "bucket/fairness.h"

#include <array>
#include <vector>

#include <doctest/doctest.h>

#include "sim/cluster/world.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

constexpr std::int64_t kRate = 1000;

Totals run_overload(bucket::Fairness fairness) {
  const wire::StoreCodec codec;
  World world({.machines = 3, .shards = 1, .seed = 5}, codec);
  bucket::LimitSpec limit;
  limit.name = "api";
  limit.rate = base::Rate::per_second(kRate);
  limit.burst = Tokens::whole(kRate / 4);
  limit.fairness = fairness;
  world.declare(limit);
  const TimePoint begin = world.now() + base::seconds(4);
  const TimePoint end = begin + base::seconds(40);
  const std::array<double, 3> loads{200, 800, 1600};
  for (std::size_t m = 0; m < loads.size(); ++m) {
    world.load({.machine = m,
                .limit = limit.name,
                .per_second = loads.at(m),
                .from = begin,
                .until = end});
  }
  CHECK_MESSAGE(world.run(end), world.broken());
  const Totals& totals = world.totals();
  CHECK(totals.admitted >= totals.central.scaled(94, 100));
  return totals;
}

double served(const Totals::Place& place) {
  return place.admitted.as_double() / place.offered.as_double();
}

bucket::Permille jain_of(const Totals& totals) {
  std::vector<std::int64_t> parts;
  for (const Totals::Place& place : totals.places) {
    parts.push_back(static_cast<std::int64_t>(served(place) * 1e6));
  }
  return bucket::jain(parts);
}

TEST_CASE("proportional refuses everywhere with the same probability, max-min spares the small") {
  const Totals proportional = run_overload(bucket::Fairness::kProportional);
  const Totals max_min = run_overload(bucket::Fairness::kMaxMin);
  CHECK(jain_of(proportional) >= 980);
  CHECK(jain_of(proportional) > jain_of(max_min));
  CHECK(served(max_min.places[0]) >= 0.9);
  CHECK(served(max_min.places[0]) > served(proportional.places[0]) + 0.2);
}

TEST_CASE("karma wastes nothing and starves nobody") {
  const Totals karma = run_overload(bucket::Fairness::kKarma);
  for (const Totals::Place& place : karma.places) {
    CHECK(served(place) > 0.15);
  }
}

}  // namespace
}  // namespace brigade::sim
