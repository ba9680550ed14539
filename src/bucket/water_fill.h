// Weighted max-min fair division of one amount, exact in integers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace brigade::bucket {

// One party's part. Requires: 0 <= floor <= want <= 2^62, 1 <= weight <= 2^31.
struct Part {
  std::int64_t floor = 0;  // given first
  std::int64_t want = 0;   // never given more
  std::int64_t weight = 1;
};

// Divides `capacity` so that part i gets clamp(level x weight_i, floor_i, want_i), rounded down,
// at the same water level for all: nobody who wants more is below anybody (per weight) who is
// above its floor. Floors that exceed the capacity together are cut in proportion. The sum never
// exceeds the capacity and falls short of it by less than one unit per part, unless everybody has
// what it wants. O(n log n). Requires: 0 <= capacity <= 2^62. Source: water-filling (Bertsekas,
// Gallager, Data Networks 6.5.2).
std::vector<std::int64_t> water_fill(std::span<const Part> parts, std::int64_t capacity);

}  // namespace brigade::bucket
