#include "bucket/key_slots.h"

#include <cstdint>
#include <map>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

using brigade::base::Prng;
using brigade::bucket::KeyHash;

namespace {

using KeySlots = brigade::bucket::KeySlots<std::int64_t>;

std::map<KeyHash, std::int64_t> content(const KeySlots& slots) {
  std::map<KeyHash, std::int64_t> all;
  for (std::size_t i = 0; i < slots.slot_count(); ++i) {
    if (slots.at(i).in_use()) {
      all.emplace(slots.at(i).key, slots.at(i).value);
    }
  }
  return all;
}

// Runs random inserts and erases against std::map; keys are drawn by `draw`.
template <class Draw>
void compare_with_a_map(std::uint64_t seed, Draw draw) {
  Prng prng(seed);
  KeySlots slots;
  std::map<KeyHash, std::int64_t> model;
  for (int i = 0; i < 4'000; ++i) {
    const KeyHash key = draw(prng);
    const bool present = model.contains(key);
    REQUIRE((slots.find(key) != nullptr) == present);
    if (!present) {
      slots.insert(key, i);
      model[key] = i;
    } else if (prng.chance(1, 2)) {
      REQUIRE(*slots.find(key) == model[key]);
      slots.erase_at(slots.seek(key));
      model.erase(key);
    }
    if (i % 500 == 499) {
      slots.shrink();
    }
    if (i % 50 == 0) {
      slots.check_invariants();
      REQUIRE(content(slots) == model);
    }
  }
}

}  // namespace

TEST_SUITE("bucket/key_slots") {
  TEST_CASE("random use agrees with a map") {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      compare_with_a_map(seed, [](Prng& prng) {
        const std::uint64_t n = prng.below(1000) + 1;
        return KeyHash{n * 0x9e3779b97f4a7c15U, n};
      });
    }
  }

  TEST_CASE("hashes that crowd at either end are kept apart") {
    compare_with_a_map(1, [](Prng& prng) { return KeyHash{0, prng.below(60) + 1}; });
    compare_with_a_map(2, [](Prng& prng) { return KeyHash{UINT64_MAX, prng.below(60)}; });
  }

  TEST_CASE("the order of slots does not depend on the order of insertion") {
    std::vector<KeyHash> keys;
    Prng prng(3);
    for (int i = 0; i < 500; ++i) {
      keys.push_back(KeyHash{prng.next(), prng.next()});
    }
    KeySlots one;
    for (const KeyHash& key : keys) {
      one.insert(key, 0);
    }
    prng.shuffle(keys);
    KeySlots other;
    for (const KeyHash& key : keys) {
      other.insert(key, 0);
    }
    REQUIRE(one.slot_count() == other.slot_count());
    for (std::size_t i = 0; i < one.slot_count(); ++i) {
      REQUIRE(one.at(i).key == other.at(i).key);
    }
  }

  TEST_CASE("an emptied map gives its memory back") {
    KeySlots slots;
    Prng prng(4);
    for (int i = 0; i < 10'000; ++i) {
      slots.insert(KeyHash{prng.next(), prng.next()}, i);
    }
    CHECK(slots.slot_count() < 10'000U * 8 / 5);
    while (slots.count() > 100) {
      std::size_t i = slots.seek(KeyHash{prng.next(), 0});
      while (i < slots.slot_count() && !slots.at(i).in_use()) {
        ++i;
      }
      if (i < slots.slot_count()) {
        slots.erase_at(i);
      }
    }
    slots.shrink();
    slots.check_invariants();
    CHECK(slots.slot_count() < 200);
  }
}
