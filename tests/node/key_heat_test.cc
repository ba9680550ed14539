#include "node/key_heat.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

using base::KeyHash;
using base::TimePoint;

constexpr TimePoint kStart{base::seconds(100)};

TEST_CASE("a key is hot once it was asked for often within a second") {
  KeyHeat heat;
  const KeyHash key{1, 7};
  for (std::uint32_t i = 1; i < KeyHeat::kHot; ++i) {
    CHECK_FALSE(heat.asked(key, kStart + base::milliseconds(i)));
  }
  CHECK(heat.asked(key, kStart + base::milliseconds(900)));
}

TEST_CASE("a key that is asked for now and then is never hot") {
  KeyHeat heat;
  const KeyHash key{1, 7};
  for (int i = 0; i < 500; ++i) {
    CHECK_FALSE(heat.asked(key, kStart + base::milliseconds(60 * i)));
  }
}

TEST_CASE("a key that shares its slot with rare ones is found, they are not") {
  KeyHeat heat;
  const KeyHash key{1, 7};
  bool hot = false;
  for (std::uint64_t i = 0; i < 90; ++i) {
    const TimePoint now = kStart + base::milliseconds(static_cast<std::int64_t>(i) * 10);
    hot = heat.asked(key, now) || hot;
    if (i % 3 == 0) {
      CHECK_FALSE(heat.asked(KeyHash{i + 2, 7 + KeyHeat::kSlots}, now));
    }
  }
  CHECK(hot);
}

}  // namespace
}  // namespace brigade::node
