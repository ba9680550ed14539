#include "app/forecast/backtest.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace brigade::forecast {
namespace {

TEST_CASE("a series that repeats itself costs the seasonal models nothing") {
  Series series{.step_s = 1, .values = {}};
  for (int i = 0; i < 1000; ++i) {
    series.values.push_back(i % 10 < 5 ? 10 : 50);
  }
  const auto result = backtest(series, {.horizon = 3, .season = 10});
  REQUIRE(result);
  CHECK(result->judged == 1000 - 213);
  CHECK(result->bare_seasonal_naive.pinball == 0);
  CHECK(result->seasonal_naive.pinball < 1e-3);
  CHECK(result->choice.name.starts_with("seasonal"));
  CHECK(result->choice.pinball < 1e-3);
  CHECK(result->bare_persistence.pinball > 5);
}

TEST_CASE("a horizon beyond one season repeats the last season that was seen") {
  Series series{.step_s = 1, .values = {}};
  for (int i = 0; i < 400; ++i) {
    series.values.push_back(i % 10 + i / 100);
  }
  const auto result = backtest(series, {.horizon = 12, .season = 10});
  REQUIRE(result);
  CHECK(result->bare_seasonal_naive.rmse == doctest::Approx(result->seasonal_naive.rmse));
}

TEST_CASE("a series that is too short to judge anything is refused") {
  const Series series{.step_s = 1, .values = std::vector<double>(300, 1.0)};
  const auto result = backtest(series, {.horizon = 1, .season = 99});
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("needs more than 300") != std::string::npos);
}

TEST_CASE("the JSON report has every predictor") {
  const Series series{.step_s = 1, .values = std::vector<double>(400, 7.0)};
  const Setting setting{.file = "f", .plan = {.horizon = 2, .season = 4}, .step_s = 1};
  const auto json = nlohmann::json::parse(backtest_json(*backtest(series, setting.plan), setting));
  CHECK(json["predictors"].size() == 9);
  CHECK(json["choice"]["pinball"] == 0);
  CHECK(json["judged"] == 400 - 206);
}

// Real traffic: the choice is never worse than 1.02 times the better of the naive ones.
TEST_CASE("on recorded series the online choice keeps up with the better naive model") {
  const char* const traces = std::getenv("BRIGADE_TRACES");
  if (traces == nullptr) {
    MESSAGE("BRIGADE_TRACES is not set: no recorded series was judged");
    return;
  }
  struct Recorded {
    const char* name;
    std::size_t season;
  };
  for (const Recorded& one :
       {Recorded{"ms-ingress-01", 1440}, Recorded{"ms-mongo-02", 1440},
        Recorded{"ms-machine-01", 1440}, Recorded{"wikipedia-requests-per-hour", 168}}) {
    const auto series =
        read_series_file(std::string(traces) + "/series/" + std::string(one.name) + ".csv");
    REQUIRE_MESSAGE(series, series.error().message);
    for (const int horizon : {1, 4}) {
      const auto result = backtest(*series, {.horizon = horizon, .season = one.season});
      REQUIRE(result);
      CAPTURE(one.name);
      CAPTURE(horizon);
      CHECK(result->choice.pinball <=
            1.02 * std::min(result->persistence.pinball, result->seasonal_naive.pinball));
    }
  }
}

}  // namespace
}  // namespace brigade::forecast
