#include "api/limits_file.h"

#include <string>

#include <doctest/doctest.h>

namespace brigade::api {
namespace {

std::string error_of(const std::string& text) {
  const auto limits = read_limits(text, "limits.yaml");
  return limits ? "" : limits.error().message;
}

TEST_CASE("a limits file says rate and burst, everything else has a default") {
  const auto limits = read_limits(R"(
limits:
  - name: api
    rate: 600/m
    burst: 2000
  - {name: per-user, per: key, rate: 90/30s, burst: 20, queue: {max_wait: 1.5s},
     priorities: {bulk: 0.25}, bucket: {threshold_high: 0.9}, shadow: true}
)",
                                  "limits.yaml");
  REQUIRE(limits.has_value());
  REQUIRE(limits->size() == 2);
  const bucket::LimitSpec& api = (*limits)[0];
  CHECK(api.rate == base::Rate::per_second(10));
  CHECK(api.burst == base::Tokens::whole(2000));
  CHECK(!api.per_key);
  CHECK(api.sizing.growth == 1500);
  const bucket::LimitSpec& user = (*limits)[1];
  CHECK(user.rate == base::Rate::per_second(3));
  CHECK(user.per_key);
  CHECK(user.shadow);
  CHECK(user.queue.max_wait == base::milliseconds(1500));
  CHECK(user.reserved("bulk") == 250);
  CHECK(user.sizing.threshold_high == 900);
}

TEST_CASE("JSON is a limits file too") {
  const auto limits = read_limits(R"({"limits":[{"name":"a","rate":"5/s","burst":7}]})", "body");
  REQUIRE(limits.has_value());
  CHECK(limits->front().burst == base::Tokens::whole(7));
}

TEST_CASE("what is wrong is named with its line and what was expected") {
  CHECK(error_of("limits:\n  - name: a\n    rate: fast\n    burst: 1\n") ==
        "limits.yaml:3: expected a rate such as 1000/s, 600/m or 90/30s");
  CHECK(error_of("limits:\n  - name: a\n    rate: 1/s\n    burst: 1\n    brust: 2\n")
            .starts_with("limits.yaml:5: limit: unknown key 'brust'; expected one of "));
  CHECK(error_of("limits:\n  - name: a\n    rate: 1/s\n    burst: 1\n    burst: 2\n") ==
        "limits.yaml:5: limit: 'burst' is given twice");
  CHECK(
      error_of("limits:\n  - {name: a, rate: 1/s, burst: 1}\n  - {name: a, rate: 1/s, burst: 1}") ==
      "limits.yaml:3: two limits are named a");
  CHECK(error_of("limits:\n  - name: a\n    rate: 1/s\n") ==
        "limits.yaml:2: a limit needs name, rate and burst");
  CHECK(!error_of("limits: [").empty());
  CHECK(!error_of("- 1").empty());
  CHECK(!error_of("").empty());
  CHECK(
      error_of("limits:\n  - {name: 'a b', rate: 1/s, burst: 1}\n").starts_with("limits.yaml:2:"));
}

TEST_CASE("settings under which sizes would flap are refused, with the numbers") {
  const auto with = [](const std::string& bucket) {
    return error_of("limits:\n  - {name: a, rate: 1/s, burst: 1, bucket: {" + bucket + "}}\n");
  };
  CHECK(with("growth: 2") ==
        "limits.yaml:2: a: bucket: sizes would flap: expected threshold_high >= growth * "
        "threshold_low, got 0.85 < 2 * 0.5");
  CHECK(with("shrink: 0.55") ==
        "limits.yaml:2: a: bucket: sizes would flap: expected threshold_low <= shrink * "
        "threshold_high, got 0.5 > 0.55 * 0.85");
  CHECK(with("threshold_low: 0.9").find("threshold_low < threshold_high") != std::string::npos);
  CHECK(with("growth: 1.7").empty());
}

TEST_CASE("rates and durations outside their ranges are refused") {
  for (const char* text : {"", "1", "/s", "-1/s", "0/s", "1/0s", "1/y", "nan/s", "1e30/s"}) {
    CAPTURE(text);
    CHECK(!read_rate(text).has_value());
  }
  CHECK(read_rate("10/1.5s").has_value());
  CHECK(*read_rate("100000/d") ==
        base::Rate::of(base::Tokens::whole(100'000), base::seconds(86'400)));
}

}  // namespace
}  // namespace brigade::api
