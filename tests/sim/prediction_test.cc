#include <array>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "sim/cluster/world.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

constexpr std::int64_t kRate = 2000;

// Demand that wanders from one machine to another and back, 85 % of the limit together.
Totals run_ramps(std::uint64_t seed, bool predicts, std::string& broken) {
  const wire::StoreCodec codec;
  World world({.machines = 3, .shards = 1, .seed = seed, .predicts = predicts}, codec);
  bucket::LimitSpec limit;
  limit.name = "api";
  limit.rate = base::Rate::per_second(kRate);
  limit.burst = Tokens::whole(kRate / 4);
  world.declare(limit);
  const TimePoint begin = world.now() + base::seconds(4);
  constexpr int kPieces = 240;
  constexpr Duration kPiece = base::milliseconds(250);
  for (int i = 0; i < kPieces; ++i) {
    // A triangle of 20 s.
    const double phase = std::abs(static_cast<double>(i % 80) - 40) / 40;
    const std::array<double, 3> part{0.05 + 0.7 * phase, 0.05 + 0.7 * (1 - phase), 0.05};
    for (std::size_t m = 0; m < 3; ++m) {
      world.load({.machine = m,
                  .limit = limit.name,
                  .per_second = kRate * part.at(m),
                  .from = begin + i * kPiece,
                  .until = begin + (i + 1) * kPiece});
    }
  }
  world.run(begin + kPieces * kPiece + base::seconds(1));
  broken = world.broken();
  return world.totals();
}

TEST_CASE("on ramps prediction lends less and admits as much") {
  Tokens lent_with;
  Tokens lent_without;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    std::string broken;
    const Totals with = run_ramps(seed, true, broken);
    CHECK_MESSAGE(broken.empty(), broken);
    const Totals without = run_ramps(seed, false, broken);
    CHECK_MESSAGE(broken.empty(), broken);
    CHECK(with.admitted >= with.central.scaled(995, 1000));
    CHECK(without.admitted >= without.central.scaled(995, 1000));
    lent_with += with.lent;
    lent_without += without.lent;
  }
  CHECK(lent_with.as_double() < lent_without.as_double() * 0.75);
}

}  // namespace
}  // namespace brigade::sim
