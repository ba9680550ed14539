#include "base/prng.h"

#include "base/check.h"
#include "base/wide.h"

namespace brigade::base {
namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

constexpr std::uint64_t rotate_left(std::uint64_t x, unsigned bits) {
  return (x << bits) | (x >> (64U - bits));
}

}  // namespace

Prng::Prng(std::uint64_t seed) : state_{} {
  for (auto& word : state_) {
    word = split_mix(seed);
  }
}

std::uint64_t Prng::next() {
  const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate_left(state_[3], 45);
  return result;
}

std::uint64_t Prng::below(std::uint64_t bound) {
  BRIGADE_CHECK(bound > 0);
  // The bias of the multiply-shift map is below 2^-40 for every bound that we use.
  return static_cast<std::uint64_t>((static_cast<UnsignedWide>(next()) * bound) >> 64U);
}

std::int64_t Prng::between(std::int64_t low, std::int64_t high) {
  BRIGADE_CHECK(low <= high);
  const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  if (span == UINT64_MAX) {
    return static_cast<std::int64_t>(next());
  }
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + below(span + 1));
}

Duration Prng::between(Duration low, Duration high) {
  return Duration(between(low.count(), high.count()));
}

bool Prng::chance(std::uint64_t parts, std::uint64_t whole) {
  return below(whole) < parts;
}

Prng Prng::split() {
  return Prng(next());
}

}  // namespace brigade::base
