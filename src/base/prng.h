// The dice. Every core owns one, seeded by its owner: the same seed gives the same run on every
// compiler. Integers only. Source: xoshiro256** and splitmix64 (Blackman, Vigna 2018).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/time.h"

namespace brigade::base {

class Prng {
 public:
  explicit Prng(std::uint64_t seed);

  // 64 uniform bits.
  std::uint64_t next();
  // Uniform in [0, bound). Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high]. Requires: low <= high.
  std::int64_t between(std::int64_t low, std::int64_t high);
  Duration between(Duration low, Duration high);
  // True with probability parts / whole. Requires: whole > 0.
  bool chance(std::uint64_t parts, std::uint64_t whole);
  // A generator whose stream is independent of this one's further use.
  [[nodiscard]] Prng split();

  // Fisher-Yates; std::shuffle is implementation-defined.
  template <class Container>
  void shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(i))]);
    }
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace brigade::base
