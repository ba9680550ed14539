#include "forecast/rehearsal.h"

#include <doctest/doctest.h>

#include "base/prng.h"
#include "forecast/models.h"

namespace brigade::forecast {
namespace {

double noise(base::Prng& dice, double most) {
  return most * static_cast<double>(dice.below(1'000'001)) / 1e6;
}

TEST_CASE("too little costs nine times what too much costs") {
  CHECK(pinball(110, 100) == doctest::Approx(9));
  CHECK(pinball(90, 100) == doctest::Approx(1));
  CHECK(pinball(100, 100) == 0);
}

TEST_CASE("one sample in ten exceeds mean and margin, in calm hours and in restless ones") {
  for (const int horizon : {1, 4}) {
    base::Prng dice(7);
    Rehearsal trial(std::make_unique<Persistence>(), horizon);
    int exceeded = 0;
    int judged = 0;
    Outstanding said(horizon);
    for (int i = 0; i < 20'000; ++i) {
      const double sample = 500 + noise(dice, i / 2000 % 2 == 0 ? 20 : 400);
      if (const Forecast* due = said.due()) {
        ++judged;
        exceeded += sample > due->high() ? 1 : 0;
      }
      trial.observe(sample);
      said.expect(trial.forecast());
    }
    CAPTURE(horizon);
    CHECK(exceeded > judged * 8 / 100);
    CHECK(exceeded < judged * 12 / 100);
  }
}

TEST_CASE("a forecast is judged by the sample it was made for") {
  Rehearsal trial(std::make_unique<Persistence>(), 3);
  for (const double sample : {10.0, 20.0, 30.0}) {
    trial.observe(sample);
  }
  CHECK(trial.score().judged == 0);
  trial.observe(40);  // was expected to be 10
  CHECK(trial.score().judged == 1);
  CHECK(trial.score().rmse() == doctest::Approx(30));
  CHECK(trial.score().mean_pinball() == doctest::Approx(27));
}

TEST_CASE("a series that stands still needs no margin and costs nothing") {
  Rehearsal trial(std::make_unique<Persistence>(), 2);
  for (int i = 0; i < 50; ++i) {
    trial.observe(42);
  }
  CHECK(trial.forecast().mean == 42);
  CHECK(trial.forecast().spread == 0);
  CHECK(trial.loss() == 0);
}

TEST_CASE("a trend that would fall below zero expects nothing") {
  Rehearsal trial(std::make_unique<DampedHolt>(DampedHolt::Gains{0.9, 0.9, 1.0}), 50);
  for (int i = 0; i < 20; ++i) {
    trial.observe(100 - 5.0 * i);
  }
  CHECK(trial.forecast().mean == 0);
}

TEST_CASE("a score since an earlier one describes the time between") {
  const Score early{.judged = 10, .pinball = 5, .squared = 100};
  const Score late{.judged = 14, .pinball = 13, .squared = 136};
  CHECK(late.since(early).mean_pinball() == doctest::Approx(2));
  CHECK(late.since(early).rmse() == doctest::Approx(3));
  CHECK(early.since(early).mean_pinball() == 0);
}

}  // namespace
}  // namespace brigade::forecast
