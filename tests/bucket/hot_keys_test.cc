#include "bucket/hot_keys.h"

#include <doctest/doctest.h>

namespace brigade::bucket {
namespace {

using base::KeyHash;
using base::TimePoint;
using base::Tokens;

constexpr KeyHash kOne{.high = 1, .low = 1};
constexpr KeyHash kTwo{.high = 2, .low = 2};

TimePoint at(std::int64_t ms) {
  return TimePoint(base::seconds(1000)) + base::milliseconds(ms);
}

// `per_second` tokens a second in steps of 100 ms.
void give(HotKeys& heat, const KeyHash& key, std::int64_t per_second, std::int64_t from_ms,
          std::int64_t until_ms) {
  for (std::int64_t ms = from_ms; ms < until_ms; ms += 100) {
    heat.note(key, Tokens::whole(per_second).scaled(1, 10), Tokens::whole(50), at(ms));
  }
}

}  // namespace

TEST_CASE("a key is hot when demand for it lasts") {
  HotKeys heat;
  give(heat, kOne, 100, 0, 1500);
  CHECK(heat.hot(at(1500)).empty());
  give(heat, kOne, 100, 1500, 2500);
  CHECK(heat.hot(at(2500)) == std::vector{kOne});
  CHECK(heat.hot(at(6000)).empty());
}

TEST_CASE("a key below the threshold is never hot") {
  HotKeys heat;
  for (std::int64_t ms = 0; ms < 10'000; ms += 1000) {
    give(heat, kOne, 100, ms, ms + 1000);
    give(heat, kTwo, 40, ms, ms + 1000);
  }
  CHECK(heat.hot(at(9950)) == std::vector{kOne});
}

TEST_CASE("a second without demand begins the row anew") {
  HotKeys heat;
  give(heat, kOne, 100, 0, 1500);
  give(heat, kOne, 100, 4000, 5500);
  CHECK(heat.hot(at(5500)).empty());
}

TEST_CASE("more keys than it tracks are seen when others have cooled down") {
  HotKeys heat;
  for (std::uint64_t i = 0; i < 2 * HotKeys::kTracked; ++i) {
    heat.note({.high = 7, .low = i}, Tokens::whole(1), Tokens::whole(50), at(0));
  }
  give(heat, kOne, 100, 1100, 4500);
  CHECK(heat.hot(at(4500)) == std::vector{kOne});
}

}  // namespace brigade::bucket
