#include "api/metrics.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

namespace brigade::api {
namespace {

using base::Duration;
using node::Source;
using node::Verdict;

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

Metrics busy() {
  Metrics metrics;
  for (int i = 0; i < 3; ++i) {
    metrics.decided(Door::kHttp, "api", {.verdict = Verdict::kAdmitted}, Duration(1500));
  }
  metrics.decided(Door::kRedis, "api", {.verdict = Verdict::kRefused, .source = Source::kStrict},
                  base::milliseconds(2));
  return metrics;
}

std::vector<SampledFamily> tokens_of(std::size_t limits) {
  SampledFamily family{.name = "brigade_tokens", .help = "Tokens by kind."};
  for (std::size_t i = 0; i < limits; ++i) {
    family.samples.push_back(
        {.labels = {{"limit", "l" + std::to_string(i)}, {"kind", "level"}}, .value = 0.5});
  }
  return {family};
}

TEST_CASE("decisions are counted by limit, result and source") {
  const std::string text = busy().text({});
  CHECK(
      has_line(text, R"(brigade_decisions_total{limit="api",result="admitted",source="local"} 3)"));
  CHECK(
      has_line(text, R"(brigade_decisions_total{limit="api",result="refused",source="strict"} 1)"));
}

TEST_CASE("latency is a cumulative histogram per door") {
  const std::string text = busy().text({});
  CHECK(has_line(text, R"(brigade_decision_seconds_bucket{door="http",le="1.024e-06"} 0)"));
  CHECK(has_line(text, R"(brigade_decision_seconds_bucket{door="http",le="2.048e-06"} 3)"));
  CHECK(has_line(text, R"(brigade_decision_seconds_bucket{door="http",le="+Inf"} 3)"));
  CHECK(has_line(text, R"(brigade_decision_seconds_count{door="redis"} 1)"));
  CHECK(has_line(text, R"(brigade_decision_seconds_sum{door="redis"} 0.002)"));
}

TEST_CASE("limits beyond the cap are counted together and none is lost") {
  Metrics metrics(10);
  for (int i = 0; i < 50; ++i) {
    metrics.decided(Door::kHttp, "limit-" + std::to_string(i), {.verdict = Verdict::kAdmitted},
                    Duration(1));
  }
  const std::string text = metrics.text({});
  CHECK(count_of(text, "brigade_decisions_total{") == 11);
  CHECK(has_line(text,
                 R"(brigade_decisions_total{limit="other",result="admitted",source="local"} 40)"));
}

TEST_CASE("names that clients make up do not become labels") {
  Metrics metrics;
  for (int i = 0; i < 50; ++i) {
    metrics.decided(Door::kHttp, "guess-" + std::to_string(i), {.verdict = Verdict::kUnknownLimit},
                    Duration(1));
  }
  const std::string text = metrics.text({});
  CHECK(count_of(text, "brigade_decisions_total{") == 1);
  CHECK(has_line(text,
                 R"(brigade_decisions_total{limit="",result="unknown_limit",source="local"} 50)"));
}

TEST_CASE("sampled families are written whole, but never more than the cap") {
  const std::string text = Metrics().text(tokens_of(Metrics::kSamplesMax + 5));
  CHECK(has_line(text, "# TYPE brigade_tokens gauge"));
  CHECK(has_line(text, R"(brigade_tokens{limit="l0",kind="level"} 0.5)"));
  CHECK(count_of(text, "brigade_tokens{") == Metrics::kSamplesMax);
  CHECK(has_line(text, "brigade_metrics_dropped_samples 5"));
}

TEST_CASE("odd label values are escaped") {
  MetricsText text;
  text.family("f", "gauge", "Help.");
  text.sample({{"l", "a\"b\\c\nd\xFF"}}, 1);
  CHECK(text.text() == "# HELP f Help.\n# TYPE f gauge\nf{l=\"a\\\"b\\\\c\\nd?\"} 1\n");
}

TEST_CASE("promtool finds nothing wrong with the exposition") {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    MESSAGE("promtool is not installed: not checked");
    return;
  }
  FILE* tool = popen("promtool check metrics", "w");
  REQUIRE(tool != nullptr);
  const std::string text = busy().text(tokens_of(2));
  CHECK(std::fwrite(text.data(), 1, text.size(), tool) == text.size());
  CHECK(pclose(tool) == 0);
}

TEST_CASE("quantiles are never too small and at most a sixteenth too large") {
  base::Prng dice(3);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 5000; ++i) {
    const auto value = static_cast<std::int64_t>(dice.below(1ULL << (4 + dice.below(36))));
    values.push_back(value);
    histogram.record(Duration(value));
  }
  std::sort(values.begin(), values.end());
  for (const unsigned permille : {1U, 500U, 900U, 990U, 999U, 1000U}) {
    const auto rank = std::max<std::size_t>(1, (values.size() * permille + 999) / 1000);
    const std::int64_t exact = values[rank - 1];
    const std::int64_t shown = histogram.quantile(permille).count();
    CHECK(shown >= exact);
    CHECK(shown <= exact + exact / 16 + 1);
  }
  for (unsigned exponent = 0; exponent <= Histogram::kExponents; ++exponent) {
    const auto bound = static_cast<std::int64_t>(1ULL << exponent);
    const auto exact = std::upper_bound(values.begin(), values.end(), bound) - values.begin();
    CHECK(histogram.up_to(exponent) == static_cast<std::uint64_t>(exact));
  }
}

TEST_CASE("an empty histogram has no quantile, a value out of range counts at its end") {
  Histogram histogram;
  CHECK(histogram.quantile(990) == Duration::zero());
  histogram.record(Duration::max());
  histogram.record(Duration(-5));
  CHECK(histogram.count() == 2);
  CHECK(histogram.up_to(0) == 1);
  CHECK(histogram.quantile(1000) == Duration(std::int64_t{1} << Histogram::kExponents));
}

TEST_CASE("the recent p99 starts anew each time it is taken") {
  Metrics metrics = busy();
  const Metrics::RequestTime time = metrics.take_p99();
  CHECK(time.all >= base::milliseconds(2));
  CHECK(std::max(time.redis, time.http) >= base::milliseconds(2));
  CHECK(metrics.take_p99().all == Duration::zero());
}

TEST_CASE("a limit that is gone frees its place for another one") {
  Metrics metrics(2);
  for (const char* limit : {"old", "kept"}) {
    metrics.decided(Door::kHttp, limit, {.verdict = Verdict::kAdmitted}, Duration(1500));
  }
  metrics.decided(Door::kHttp, "late", {.verdict = Verdict::kAdmitted}, Duration(1500));
  metrics.forget([](std::string_view limit) { return limit != "kept"; });
  metrics.decided(Door::kHttp, "new", {.verdict = Verdict::kAdmitted}, Duration(1500));
  metrics.decided(Door::kHttp, "kept", {.verdict = Verdict::kAdmitted}, Duration(1500));
  const std::string text = metrics.text({});
  CHECK(count_of(text, R"(limit="old")") == 0);
  const auto counted = [&](const std::string& limit, int times) {
    return has_line(text, R"(brigade_decisions_total{limit=")" + limit +
                              R"(",result="admitted",source="local"} )" + std::to_string(times));
  };
  CHECK(counted("new", 1));
  CHECK(counted("kept", 2));
  CHECK(counted("other", 1));
}

}  // namespace
}  // namespace brigade::api
