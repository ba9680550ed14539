#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/http_message.h"
#include "api/json_limits.h"
#include "api/json_text.h"
#include "api/limits_file.h"
#include "base/prng.h"

namespace brigade::api {
namespace {

using base::Rate;
using base::Tokens;

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string amount(std::int64_t micro) {
  std::string out;
  append_json_tokens(out, Tokens::micro(micro));
  return out;
}

TEST_CASE("every byte string becomes valid JSON that reads back the same if it was UTF-8") {
  base::Prng dice(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t i = dice.below(12); i > 0; --i) {
      text += static_cast<char>(dice.below(256));
    }
    const auto parsed = nlohmann::json::parse(json_of(text), nullptr, false);
    REQUIRE(parsed.is_string());
    // The other library decides what was UTF-8.
    const auto replace = nlohmann::json::error_handler_t::replace;
    const auto other = nlohmann::json::parse(nlohmann::json(text).dump(-1, ' ', false, replace));
    if (other == text) {
      CHECK(parsed == text);
    }
  }
  CHECK(nlohmann::json::parse(json_of("a\"\\\n\t\x01 \xC3\xA9 \xF0\x9F\x98\x80")) ==
        "a\"\\\n\t\x01 \xC3\xA9 \xF0\x9F\x98\x80");
  CHECK(json_of("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(json_of("\xC0\xAF") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST_CASE("amounts are written exactly") {
  CHECK(amount(0) == "0");
  CHECK(amount(12'000'000) == "12");
  CHECK(amount(250'000) == "0.25");
  CHECK(amount(-3'000'001) == "-3.000001");
  CHECK(amount(Tokens::kMaxMicro) == "1152921504606.846976");
}

TEST_CASE("rates are written so that they are read as the same rate") {
  for (const char* text : {"1000/s", "5000/h", "100000/d", "1/d", "7/m", "1/h"}) {
    CAPTURE(text);
    const auto rate = read_rate(text);
    REQUIRE(rate.has_value());
    CHECK(rate_text(*rate) == text);
  }
  CHECK(rate_text(*read_rate("600/m")) == "10/s");
  CHECK(rate_text(*read_rate("90/30s")) == "3/s");
  CHECK(rate_text(Rate::nano_per_second(1'234'567'891)) == "1234.567891/1000s");
  base::Prng dice(11);
  for (int round = 0; round < 1000; ++round) {
    const Rate rate = Rate::nano_per_second(1 + static_cast<std::int64_t>(dice.below(1ULL << 50U)));
    const auto again = read_rate(rate_text(rate));
    REQUIRE(again.has_value());
    CHECK(*again == rate);
  }
}

TEST_CASE("durations are written with their largest whole unit") {
  CHECK(duration_text(base::Duration::zero()) == "0s");
  CHECK(duration_text(base::milliseconds(1500)) == "1500ms");
  CHECK(duration_text(base::seconds(90)) == "90s");
  CHECK(duration_text(base::seconds(7200)) == "2h");
}

TEST_CASE("limits survive being written and read, as JSON and as YAML") {
  bucket::LimitSpec plain{
      .name = "plain", .rate = Rate::per_second(1000), .burst = Tokens::whole(2000)};
  bucket::LimitSpec odd{.name = "a/b:c",
                        .rate = *read_rate("5000/h"),
                        .burst = Tokens::micro(1'500'000),
                        .per_key = true};
  odd.sizing = {.min = Tokens::whole(1),
                .max = Tokens::micro(1'250'000),
                .threshold_high = 900,
                .threshold_low = 501,
                .growth = 1600,
                .shrink = 650};
  odd.lend = {.enabled = false, .max_share = 250, .reserve = Tokens::whole(1)};
  odd.fairness = bucket::Fairness::kKarma;
  odd.priorities = {{.name = "bulk", .reserved = 333},
                    {.name = "no: \"odd\"", .reserved = 1},
                    {.name = "null", .reserved = 2}};
  odd.queue = {.max_wait = base::milliseconds(1500), .max_waiting = 7};
  odd.on_isolated = bucket::OnIsolated::kKeep;
  odd.shadow = true;
  odd.max_keys = 5;
  REQUIRE(bucket::validate(odd).has_value());
  const std::vector<bucket::LimitSpec> specs{plain, odd};
  const auto from_json = read_limits(limits_json(specs), "json");
  const auto from_yaml = read_limits(limits_yaml(specs), "yaml");
  REQUIRE_MESSAGE(from_json.has_value(), limits_json(specs));
  REQUIRE_MESSAGE(from_yaml.has_value(), limits_yaml(specs));
  CHECK(*from_json == specs);
  CHECK(*from_yaml == specs);
  CHECK(limits_yaml({specs.data(), 1}) ==
        "limits:\n  - name: plain\n    rate: 1000/s\n    burst: 2000\n");
  CHECK(read_limits(limits_yaml({}), "yaml").has_value());
}

TEST_CASE("paths and queries are decoded") {
  CHECK(percent_decoded("a%2Fb%20c") == "a/b c");
  CHECK(!percent_decoded("a%2").has_value());
  CHECK(!percent_decoded("a%zz").has_value());
  CHECK(!percent_decoded("%+1").has_value());
  CHECK(query_value("a=1&prune=true", "prune") == "true");
  CHECK(query_value("prune", "prune") == "");
  CHECK(!query_value("xprune=1", "prune").has_value());
}

}  // namespace
}  // namespace brigade::api
