#include "bucket/key_map.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

using brigade::base::Prng;
using brigade::bucket::KeyHash;

namespace {

using KeyMap = brigade::bucket::KeyMap<int>;
using Content = std::vector<std::pair<KeyHash, int>>;

Content content(const KeyMap& map, const KeyHash& from = {}) {
  Content all;
  map.walk(from, [&](const KeyHash& key, int value) {
    all.emplace_back(key, value);
    return true;
  });
  return all;
}

KeyHash draw(Prng& prng) {
  return KeyHash{prng.next(), prng.below(3)};
}

}  // namespace

TEST_SUITE("bucket/key_map") {
  TEST_CASE("random use agrees with a map, in one part and in many") {
    Prng prng(1);
    KeyMap keys;
    std::map<KeyHash, int> model;
    std::vector<KeyHash> drawn{KeyHash{}};
    for (int i = 0; i < 20'000; ++i) {
      const bool again = prng.chance(1, 3);
      const KeyHash key = again ? drawn[prng.below(drawn.size())] : draw(prng);
      drawn.push_back(key);
      if (prng.chance(1, 4)) {
        REQUIRE(keys.erase(key) == (model.erase(key) == 1));
      } else {
        REQUIRE(keys.insert(key, i) == model.emplace(key, i).second);
      }
      REQUIRE(keys.size() == model.size());
      if (i % 2'000 == 0) {
        keys.check_invariants();
        REQUIRE(content(keys) == Content(model.begin(), model.end()));
      }
    }
    REQUIRE(keys.size() > KeyMap::kUndivided);
    for (const KeyHash& key : drawn) {
      const auto found = model.find(key);
      REQUIRE(keys.contains(key) == (found != model.end()));
      REQUIRE((found == model.end() || *keys.find(key) == found->second));
    }
    const KeyHash middle = drawn[drawn.size() / 2];
    CHECK(content(keys, middle) == Content(model.lower_bound(middle), model.end()));
  }

  TEST_CASE("the order does not depend on how the map came about") {
    Prng prng(2);
    KeyMap grown;
    for (std::size_t i = 0; i < KeyMap::kUndivided + 100; ++i) {
      grown.insert(draw(prng), 0);
    }
    const Content all = content(grown);
    for (std::size_t i = 50; i < all.size(); ++i) {
      grown.erase(all[i].first);
    }
    KeyMap fresh;
    for (std::size_t i = 50; i > 0; --i) {
      fresh.insert(all[i - 1].first, 0);
    }
    CHECK(content(grown) == content(fresh));
    CHECK(grown.memory() < 64 * 1024);  // and what was given up is given back
  }

  TEST_CASE("the hash that marks a free slot is a key like any other") {
    KeyMap keys;
    CHECK(keys.find(KeyHash{}) == nullptr);
    CHECK(keys.insert(KeyHash{}, 1));
    CHECK(keys.insert(KeyHash{0, 1}, 2));
    CHECK_FALSE(keys.insert(KeyHash{}, 3));
    CHECK(content(keys) == Content{{KeyHash{}, 1}, {KeyHash{0, 1}, 2}});
    CHECK(keys.erase(KeyHash{}));
    CHECK_FALSE(keys.erase(KeyHash{}));
    CHECK(content(keys) == Content{{KeyHash{0, 1}, 2}});
    keys.check_invariants();
  }

  TEST_CASE("a walk ends when it is told to") {
    KeyMap keys;
    for (std::uint64_t i = 0; i < 5; ++i) {
      keys.insert(KeyHash{i << 60U, 7}, static_cast<int>(i));
    }
    int seen = 0;
    keys.walk(KeyHash{}, [&](const KeyHash&, int) { return ++seen < 3; });
    CHECK(seen == 3);
  }

  TEST_CASE("a hundred thousand keys take little more than their slots") {
    Prng prng(3);
    KeyMap keys;
    for (int i = 0; i < 100'000; ++i) {
      keys.insert(KeyHash{prng.next(), prng.next()}, i);
    }
    keys.check_invariants();
    CHECK(keys.memory() < std::size_t{100'000} * 24 * 8 / 5);
  }
}
