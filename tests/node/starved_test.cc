#include "node/starved.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr std::size_t kMost = 16;

base::TimePoint at(std::int64_t ms) {
  return base::TimePoint(base::milliseconds(ms));
}
FreeReport report(std::uint64_t limit, std::int64_t free, bool starving = false) {
  return {.limit = limit, .free = Tokens::whole(free), .starving = starving};
}
bool tells(const std::vector<FreeReport>& told, std::uint64_t limit) {
  return std::any_of(told.begin(), told.end(),
                     [&](const FreeReport& one) { return one.limit == limit; });
}
// Forty limits that nobody asks for, each larger than anything else here.
std::vector<FreeReport> idle() {
  std::vector<FreeReport> reports;
  for (std::uint64_t limit = 1000; limit < 1040; ++limit) {
    reports.push_back(report(limit, 1'000'000));
  }
  return reports;
}

TEST_CASE("a limit that a peer starves for is told of before many larger ones that idle") {
  Starved starved;
  auto reports = idle();
  reports.push_back(report(7, 5));
  CHECK_FALSE(tells(starved.worth_telling(reports, kMost, at(0)), 7));
  starved.heard(7, at(0));
  const auto told = starved.worth_telling(reports, kMost, at(1000));
  CHECK(told.size() == kMost);
  CHECK(tells(told, 7));
  CHECK_FALSE(tells(starved.worth_telling(reports, kMost, at(60'000)), 7));  // long ago
}

TEST_CASE("a node tells what it starves for itself, though it has nothing of it") {
  const Starved starved;
  auto reports = idle();
  reports.push_back(report(7, 0, true));
  const auto told = starved.worth_telling(reports, kMost, at(0));
  CHECK(told.size() == kMost);
  CHECK(tells(told, 7));
}

TEST_CASE("what others need and what this node needs share a digest, most tokens first") {
  Starved starved;
  auto reports = idle();
  for (std::uint64_t i = 1; i <= 20; ++i) {
    reports.push_back(report(i, static_cast<std::int64_t>(i)));
    starved.heard(i, at(0));
    reports.push_back(report(100 + i, 0, true));
  }
  const auto told = starved.worth_telling(reports, kMost, at(10));
  REQUIRE(told.size() == kMost);
  CHECK(tells(told, 20));
  CHECK(tells(told, 13));
  CHECK_FALSE(tells(told, 12));
  CHECK(std::count_if(told.begin(), told.end(), [](const auto& one) { return one.starving; }) == 8);
}

TEST_CASE("of what others starve for nothing is told where there is nothing") {
  Starved starved;
  auto reports = idle();
  reports.push_back(report(7, 0));
  starved.heard(7, at(0));
  CHECK_FALSE(tells(starved.worth_telling(reports, kMost, at(0)), 7));
}

TEST_CASE("what is remembered of starving peers is bounded by what was heard of last") {
  Starved starved;
  for (std::uint64_t limit = 0; limit < 2 * Starved::kMaxLimits; ++limit) {
    starved.heard(limit, at(static_cast<std::int64_t>(limit)));
  }
  CHECK_FALSE(starved.lately(0, at(512)));
  CHECK(starved.lately(2 * Starved::kMaxLimits - 1, at(512)));
}

}  // namespace
}  // namespace brigade::node
