#include "forecast/models.h"

#include <doctest/doctest.h>

namespace brigade::forecast {
namespace {

void feed(Predictor& model, int samples, double (*series)(int)) {
  for (int i = 0; i < samples; ++i) {
    model.observe(series(i));
  }
}

TEST_CASE("before the first sample every model expects nothing") {
  CHECK(Persistence().forecast(1) == 0);
  CHECK(Ewma(0.5).forecast(3) == 0);
  CHECK(DampedHolt({}).forecast(3) == 0);
  CHECK(SeasonalNaive(4).forecast(1) == 0);
  CHECK(SeasonalShift(4, 0.5).forecast(1) == 0);
}

TEST_CASE("persistence expects what it saw last") {
  Persistence model;
  feed(model, 8, [](int i) { return i * 10.0; });
  CHECK(model.forecast(1) == 70);
  CHECK(model.forecast(9) == 70);
}

TEST_CASE("an average follows a step by its gain") {
  Ewma model(0.5);
  model.observe(0);
  model.observe(100);
  CHECK(model.forecast(1) == doctest::Approx(50));
  model.observe(100);
  CHECK(model.forecast(7) == doctest::Approx(75));
}

TEST_CASE("a damped trend runs ahead of a ramp where persistence lags") {
  DampedHolt holt({.level = 0.8, .trend = 0.2, .damping = 0.98});
  Persistence naive;
  feed(holt, 200, [](int i) { return 5.0 * i; });
  feed(naive, 200, [](int i) { return 5.0 * i; });
  const double truth = 5.0 * 203;
  CHECK(naive.forecast(4) == doctest::Approx(truth - 20));
  CHECK(holt.forecast(4) > truth - 3);
  CHECK(holt.forecast(4) < truth + 1);
}

TEST_CASE("a damped trend fades: far ahead it stands still") {
  DampedHolt holt({.level = 0.8, .trend = 0.2, .damping = 0.5});
  feed(holt, 50, [](int i) { return 10.0 * i; });
  const double far = holt.forecast(100);
  CHECK(holt.forecast(101) == doctest::Approx(far));
  CHECK(holt.forecast(1) < far);
}

TEST_CASE("a season ago is repeated, whichever number of steps ahead") {
  SeasonalNaive model(4);
  feed(model, 11, [](int i) { return static_cast<double>(i % 4); });
  CHECK(model.forecast(1) == 3);
  CHECK(model.forecast(2) == 0);
  CHECK(model.forecast(4) == 2);
  CHECK(model.forecast(5) == 3);
}

TEST_CASE("until a season has passed the seasonal models are persistence") {
  SeasonalNaive naive(100);
  SeasonalShift shift(100, 0.5);
  feed(naive, 60, [](int i) { return static_cast<double>(i); });
  feed(shift, 60, [](int i) { return static_cast<double>(i); });
  CHECK(naive.forecast(3) == 59);
  CHECK(shift.forecast(3) == 59);
}

TEST_CASE("a season that lies higher than the last is moved to where it is now") {
  SeasonalShift model(4, 0.5);
  feed(model, 40, [](int i) { return (i % 4) * 10.0 + (i < 20 ? 0 : 100); });
  CHECK(model.forecast(1) == doctest::Approx(100).epsilon(0.01));
  CHECK(model.forecast(3) == doctest::Approx(120).epsilon(0.01));
}

}  // namespace
}  // namespace brigade::forecast
