#include "app/replay/report.h"

#include <doctest/doctest.h>

#include "app/cli/json_read.h"

namespace brigade::replay {
namespace {

using cli::json;

Findings findings_of(Fate last) {
  const auto attempt = [](std::int64_t at_ms, Fate fate, std::uint16_t node) {
    return Attempt{.due = base::milliseconds(at_ms),
                   .sent = base::milliseconds(at_ms),
                   .received = base::milliseconds(at_ms) + Duration(1500),
                   .cost = Tokens::micro(2'500'000),
                   .node = node,
                   .fate = fate,
                   .source = Source::kBorrowed};
  };
  return analyse({attempt(0, Fate::kAdmitted, 0), attempt(0, Fate::kAdmitted, 1),
                  attempt(1, Fate::kNodeDown, 1), attempt(1000, last, 0)},
                 2, {.rate = Rate::per_second(1), .burst = Tokens::whole(5)});
}

Story story() {
  return {.trace = "t.csv",
          .limit = "api",
          .terms = {.rate = Rate::per_second(1), .burst = Tokens::whole(5)},
          .nodes = {{"n1", "127.0.0.1:1"}, {"n2", "127.0.0.2:1"}},
          .assignment = "round-robin",
          .worst_key = "",
          .error_texts = {{"ERR x", 3}}};
}

TEST_SUITE("app/replay/report") {
  TEST_CASE("the JSON report has the names that scripts rely on, amounts in tokens") {
    const json report = json::parse(report_json(findings_of(Fate::kRefused), story()));
    CHECK(report["offered"] == 10);
    CHECK(report["admitted"] == 5);
    CHECK(report["refused"] == 2.5);
    CHECK(report["errors"] == 1);
    CHECK(report["requests"]["node_down"] == 1);
    CHECK(report["requests"]["offered"] == 4);
    CHECK(report["by_source"] ==
          json({{"local", 0}, {"borrowed", 5}, {"home", 0}, {"strict", 0}, {"shadow", 0}}));
    CHECK(report["central_admitted"] == 5);
    CHECK(report["central_admitted_of_all"] == 5);
    CHECK(report["static_admitted"] == 5);
    CHECK(report["utilisation"] == 1.0);
    CHECK(report["worst_over"].get<double>() == doctest::Approx(-0.000001));
    CHECK(report["p50_us"] == 1.5);
    CHECK(report["p99_us"] == 1.5);
    CHECK(report["p999_us"] == 1.5);
    CHECK(report["nodes"].size() == 2);
    CHECK(report["nodes"][1]["name"] == "n2");
    CHECK(report["nodes"][1]["admitted"] == 2.5);
    CHECK(report["nodes"][1]["errors"] == 1);
    CHECK(report["error_texts"]["ERR x"] == 3);
    CHECK(report["limit"]["burst"] == 5);
  }

  TEST_CASE("the text says whether the guarantee held") {
    const std::string held = report_text(findings_of(Fate::kRefused), story());
    CHECK(held.find("(held: not above 0)") != std::string::npos);
    CHECK(held.find("node down") != std::string::npos);
    CHECK(held.find("3 x ERR x") != std::string::npos);
    const std::string broken = report_text(findings_of(Fate::kAdmitted), story());
    CHECK(broken.find("1.5 tokens ABOVE what the limit allows") != std::string::npos);
  }

  TEST_CASE("a report of nothing does not divide by it") {
    const Findings nothing = analyse({}, 2, story().terms);
    CHECK(json::parse(report_json(nothing, story()))["utilisation"].is_null());
    CHECK(!report_text(nothing, story()).empty());
  }
}

}  // namespace
}  // namespace brigade::replay
