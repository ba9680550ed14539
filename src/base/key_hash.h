// 128-bit keyed hashes of names: the identity of a key inside a bucket table and its shard.
// Source: XXH3 (xxHash 0.8), seeded against hash flooding. Two keys of one limit collide with
// probability n^2 / 2^129, which is why tables keep the hash and not the name.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brigade::base {

struct KeyHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr auto operator<=>(const KeyHash&, const KeyHash&) = default;
};

// For hash tables: it is a hash already.
struct KeyHashed {
  std::size_t operator()(const KeyHash& key) const { return static_cast<std::size_t>(key.low); }
};

KeyHash hash_key(std::string_view key, std::uint64_t seed);

}  // namespace brigade::base
