#include "app/replay/assignment.h"

#include <doctest/doctest.h>

namespace brigade::replay {
namespace {

const std::vector<std::string> kNames{"n1", "n2", "n3"};

Assignment make(const char* text, std::uint64_t seed = 1) {
  auto spec = parse_assignment(text);
  REQUIRE(spec.has_value());
  auto assignment = Assignment::make(*spec, kNames, seed);
  REQUIRE(assignment.has_value());
  return *assignment;
}

std::vector<int> shares(Assignment assignment, int requests) {
  std::vector<int> counts(kNames.size());
  for (int i = 0; i < requests; ++i) {
    ++counts.at(assignment.next("key" + std::to_string(i % 100)));
  }
  return counts;
}

TEST_SUITE("app/replay/assignment") {
  TEST_CASE("round-robin gives each node its turn") {
    CHECK(shares(make("round-robin"), 10) == std::vector<int>{4, 3, 3});
  }

  TEST_CASE("skew follows Zipf over the nodes in the order given") {
    const auto counts = shares(make("skew:1"), 110'000);
    CHECK(std::abs(counts[0] - 60'000) < 1000);
    CHECK(std::abs(counts[1] - 30'000) < 1000);
    CHECK(std::abs(counts[2] - 20'000) < 1000);
    const auto even = shares(make("skew:0"), 30'000);
    CHECK(std::abs(even[2] - 10'000) < 500);
  }

  TEST_CASE("the same seed deals alike, another one does not") {
    const auto deal = [](std::uint64_t seed) {
      Assignment assignment = make("skew:1", seed);
      std::string nodes;
      for (int i = 0; i < 100; ++i) {
        nodes += std::to_string(assignment.next(""));
      }
      return nodes;
    };
    CHECK(deal(7) == deal(7));
    CHECK(deal(7) != deal(8));
  }

  TEST_CASE("hash sends each key to one node, and keys to all nodes") {
    Assignment assignment = make("hash");
    CHECK(assignment.next("alice") == assignment.next("alice"));
    for (const int count : shares(assignment, 3000)) {
      CHECK(count > 300);
    }
  }

  TEST_CASE("one sends everything to the first node or the one that is named") {
    CHECK(shares(make("one"), 5) == std::vector<int>{5, 0, 0});
    CHECK(shares(make("one:n3"), 5) == std::vector<int>{0, 0, 5});
    const auto unknown = Assignment::make(*parse_assignment("one:n9"), kNames, 1);
    REQUIRE(!unknown.has_value());
    CHECK(unknown.error().message.find("n9") != std::string::npos);
  }

  TEST_CASE("unknown assignments are refused with what is known") {
    for (const char* text :
         {"", "skew", "skew:", "skew:x", "skew:-1", "skew:11", "one:", "hash:2", "random"}) {
      CAPTURE(text);
      const auto spec = parse_assignment(text);
      REQUIRE(!spec.has_value());
      CHECK(spec.error().message.find("round-robin") != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace brigade::replay
