#include "forecast/contest.h"

#include <doctest/doctest.h>

#include "base/prng.h"

namespace brigade::forecast {
namespace {

double noise(base::Prng& dice, double most) {
  return most * static_cast<double>(dice.below(1'000'001)) / 1e6;
}

TEST_CASE("nobody but persistence is believed before the trial is over") {
  Contest contest(quick_field(), {.horizon = 4, .trial_min = 50});
  for (int i = 0; i < 53; ++i) {
    contest.observe(10.0 * i);
    CHECK(contest.naive());
  }
  contest.observe(530);
  CHECK_FALSE(contest.naive());
}

TEST_CASE("on a ramp a damped trend is believed and loses far less than persistence") {
  Contest contest(quick_field(), {.horizon = 4});
  base::Prng dice(3);
  for (int i = 0; i < 400; ++i) {
    contest.observe(2.0 * i + noise(dice, 4));
  }
  CHECK(contest.believed().model().name().starts_with("holt"));
  CHECK(contest.believed().score().mean_pinball() <
        contest.trials().front().score().mean_pinball() * 0.7);
  // What lies 4 steps ahead is nearer than what was seen last.
  CHECK(contest.forecast().mean > 2.0 * 400);
}

TEST_CASE("over noise an average is believed") {
  Contest contest(quick_field(), {.horizon = 2});
  base::Prng dice(5);
  for (int i = 0; i < 600; ++i) {
    contest.observe(300 + noise(dice, 200));
  }
  CHECK(contest.believed().model().name().starts_with("ewma"));
  CHECK(contest.forecast().mean > 350);
  CHECK(contest.forecast().mean < 450);
}

TEST_CASE("where nothing beats persistence, persistence is believed") {
  Contest contest(quick_field(), {.horizon = 1});
  base::Prng dice(11);
  double walk = 1e6;
  int naive = 0;
  for (int i = 0; i < 5000; ++i) {
    walk += noise(dice, 200) - 100;
    contest.observe(walk);
    naive += contest.naive() ? 1 : 0;
  }
  CHECK(naive > 4000);
  CHECK(contest.score().mean_pinball() < contest.trials().front().score().mean_pinball() * 1.02);
}

TEST_CASE("a model that stops being better is dropped") {
  Contest contest(quick_field(), {.horizon = 4});
  for (int i = 0; i < 300; ++i) {
    contest.observe(5.0 * i);
  }
  REQUIRE_FALSE(contest.naive());
  double level = 5.0 * 300;
  for (int i = 0; i < 1200; ++i) {
    // Steps that stand for a while: every trend and every average is late.
    level = i % 40 == 0 ? (level > 2000 ? 1000 : 3000) : level;
    contest.observe(level);
  }
  CHECK(contest.naive());
}

TEST_CASE("a season that was seen is foreseen") {
  Contest contest(seasonal_field(48), {.horizon = 6});
  for (int i = 0; i < 48 * 12; ++i) {
    contest.observe(i % 48 < 24 ? 100 : 900);
  }
  CHECK(contest.believed().model().name().starts_with("seasonal"));
  CHECK(contest.forecast().mean == doctest::Approx(100).epsilon(0.05));
}

TEST_CASE("the same samples give the same choice") {
  Contest one(quick_field(), {.horizon = 3});
  Contest other(quick_field(), {.horizon = 3});
  base::Prng dice(9);
  for (int i = 0; i < 500; ++i) {
    const double sample = noise(dice, 1000);
    one.observe(sample);
    other.observe(sample);
    REQUIRE(one.forecast().high() == other.forecast().high());
  }
}

}  // namespace
}  // namespace brigade::forecast
