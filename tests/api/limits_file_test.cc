#include "api/limits_file.h"

#include <string>

#include <doctest/doctest.h>

#include "api/json_limits.h"

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
        "limits.yaml:3: a: rate: expected a rate such as 1000/s, 600/m or 90/30s, got 'fast'");
  CHECK(error_of("limits:\n  - name: a\n    rate: 1/s\n    burst: 1\n    brust: 2\n")
            .starts_with("limits.yaml:5: a: unknown key 'brust'; expected one of "));
  CHECK(error_of("limits:\n  - name: a\n    rate: 1/s\n    brust: 2\n")
            .ends_with("; did you mean `burst`?"));
  CHECK(error_of("limits:\n  - name: a\n    rate: 1/s\n    burst: 1\n    burst: 2\n") ==
        "limits.yaml:5: a: 'burst' is given twice");
  CHECK(
      error_of("limits:\n  - {name: a, rate: 1/s, burst: 1}\n  - {name: a, rate: 1/s, burst: 1}") ==
      "limits.yaml:3: a: another limit has the same name");
  CHECK(error_of("limits:\n  - name: a\n    rate: 1/s\n") ==
        "limits.yaml:2: a: a limit needs name, rate and burst: expected burst");
  CHECK(error_of("- 1") == "limits.yaml:1: expected fields such as `limits: [...]`, got a list");
  CHECK(error_of("") == "limits.yaml:1: expected fields such as `limits: [...]`, got nothing");
  CHECK(error_of("limits: api") == "limits.yaml:1: limits: expected a list, got 'api'");
  CHECK(error_of("limits:\n  - api\n") ==
        "limits.yaml:2: limit: expected fields such as `name: api`, got 'api'");
  CHECK(
      error_of("limits:\n  - {name: 'a b', rate: 1/s, burst: 1}\n").starts_with("limits.yaml:2:"));
}

TEST_CASE("a value that is wrong names its limit and field, the name may come last") {
  const auto with = [](const std::string& fields) {
    return error_of("limits:\n  - {rate: 1/s, burst: 1, " + fields + ", name: a}\n");
  };
  CHECK(with("mode: strickt") ==
        "limits.yaml:2: a: mode: expected shared or strict, got 'strickt'");
  CHECK(with("shadow: 1") == "limits.yaml:2: a: shadow: expected true or false, got '1'");
  CHECK(with("queue: {max_wait: 5}") ==
        "limits.yaml:2: a: queue.max_wait: expected a duration such as 200ms or 5s, got '5'");
  CHECK(with("priorities: {bulk: lots}") ==
        "limits.yaml:2: a: priorities.bulk: expected a number such as 0.85, got 'lots'");
  CHECK(with("lend: [1]") ==
        "limits.yaml:2: a: lend: expected fields such as `enabled: false`, got a list");
}

TEST_CASE("what is no YAML is told in words, with the line that it stands in") {
  CHECK(error_of("limits: [") ==
        "limits.yaml:1: expected `,` or `]`: a list in [ ] is not closed; the line is: limits: [");
  CHECK(error_of("limits:\n  - {name: a, rate: 1/s\n\n\n") ==
        "limits.yaml:2: expected `,` or `}`: fields in { } are not closed; the line is: - {name: "
        "a, rate: 1/s");
  CHECK(
      error_of("limits:\n  - name: a\n   rate: 1/s\n")
          .starts_with("limits.yaml:3: expected `- ` below the list's other entries, or a field"));
  CHECK(error_of("limits:\n\t- name: a\n") ==
        "limits.yaml:2: expected spaces in the indentation, not a tab; the line is: - name: a");
  CHECK(error_of("limits:\n  - name: a: b\n")
            .starts_with("limits.yaml:2: expected one `field: value`;"));
  CHECK(error_of("limits: }").starts_with("limits.yaml:1: this `]` or `}` closes nothing"));
  CHECK(error_of("limits: @x").starts_with("limits.yaml:1: expected quotes around a text"));
  CHECK(error_of("limits: *x").find("`*`") != std::string::npos);
  CHECK(error_of("limits: !<x").find("expected YAML or JSON") != std::string::npos);
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

TEST_CASE("a field that means nothing for this kind of limit is refused") {
  const auto with = [](const std::string& fields) {
    return error_of("limits:\n  - {name: a, rate: 1/s, burst: 10, " + fields + "}\n");
  };
  CHECK(with("bucket: {min: 20}") ==
        "limits.yaml:2: a: bucket.min: expected at most the burst: no node can hold more of it");
  CHECK(with("bucket: {min: 10}").empty());
  CHECK(with("max_keys: 5") ==
        "limits.yaml:2: a: max_keys: expected only with `per: key`: this limit has one bucket for "
        "all");
  CHECK(with("max_keys: 5, per: key").empty());
  for (const char* field : {"bucket: {min: 1}", "lend: {enabled: false}", "lend: {reserve: 3}",
                            "fairness: maxmin", "on_isolated: keep"}) {
    CAPTURE(field);
    CHECK(with(field).empty());
    CHECK(
        with(std::string("mode: strict, ") + field).find("expected only without `mode: strict`") !=
        std::string::npos);
  }
}

TEST_CASE("what is written out in full, defaults included, is read back") {
  for (const char* kind : {"mode: shared", "mode: strict", "per: key", "per: key, mode: strict"}) {
    CAPTURE(kind);
    const auto limits = read_limits(
        "limits: [{name: a, rate: 1/s, burst: 10, " + std::string(kind) + "}]", "limits.yaml");
    REQUIRE(limits.has_value());
    const auto again = read_limits(limits_json(*limits), "body");
    REQUIRE(again.has_value());
    CHECK(*again == *limits);
  }
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
