#include "node/load_forecasts.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

const LedgerId kApi{.limit = "api", .key = {}};
const Rate kLimit = Rate::per_second(1024);

Rate ramp(int step) {
  return Rate::per_second(10) + Rate::per_second(step).scaled(2, 1);
}

TEST_CASE("an account without history is planned with what it reports") {
  LoadForecasts forecasts;
  const Rate reported = Rate::nano_per_second(123'456'789);
  CHECK(forecasts.expected(kApi, Account(1), reported, kLimit) == reported);
  forecasts.observe(kApi, Account(1), reported);
  CHECK(forecasts.expected(kApi, Account(1), reported, kLimit) == reported);
}

TEST_CASE("on a ramp more is expected than what was reported last, in whole grains of the limit") {
  LoadForecasts forecasts;
  for (int i = 0; i <= 200; ++i) {
    forecasts.observe(kApi, Account(1), ramp(i));
  }
  const Rate expected = forecasts.expected(kApi, Account(1), ramp(200), kLimit);
  CHECK(expected > ramp(201));
  CHECK(expected <= ramp(204));
  CHECK(expected.nano_per_second() % 1'000'000'000 == 0);
  // One account's history says nothing of another.
  CHECK(forecasts.expected(kApi, Account(2), ramp(200), kLimit) == ramp(200));
}

TEST_CASE("what was never believable stays finite") {
  LoadForecasts forecasts;
  for (int i = 0; i <= 200; ++i) {
    forecasts.observe(kApi, Account(1), Rate::nano_per_second(Rate::kMaxNano).scaled(i, 200));
  }
  const Rate most = Rate::nano_per_second(Rate::kMaxNano);
  CHECK(forecasts.expected(kApi, Account(1), most, Rate::per_second(10)) <= Rate::per_second(40));
  CHECK(forecasts.expected(kApi, Account(1), most, most) <= most);
}

TEST_CASE("memory has a bound, and accounts that are over leave it") {
  LoadForecasts forecasts;
  for (std::uint64_t i = 1; i <= LoadForecasts::kSeriesMax + 10; ++i) {
    forecasts.observe(kApi, Account(i), ramp(1));
  }
  CHECK(forecasts.size() == LoadForecasts::kSeriesMax);
  forecasts.forget([](const LedgerId&, Account account) { return account.value() > 5; });
  CHECK(forecasts.size() == 5);
}

}  // namespace
}  // namespace brigade::node
