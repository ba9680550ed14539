// Time as cores see it: handed in, never asked for.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>

#include "base/wide.h"

namespace brigade::base {

using Duration = std::chrono::nanoseconds;

// A clock type without now(): a core cannot ask, it is told.
struct Clock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<Clock, Duration>;
  static constexpr bool is_steady = true;
};
using TimePoint = Clock::time_point;

// One reading of a machine whose clocks may disagree (CLOCK_BOOTTIME may be slewed,
// CLOCK_MONOTONIC_RAW not). Both lines start together; `slow` then advances by the smallest elapsed
// time that any clock shows, `fast` by the largest. Minting, reclaiming and starting authority use
// `slow`; the end of one's own rights uses `fast`: each errs towards admitting less.
struct Instant {
  TimePoint slow;
  TimePoint fast;
  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;

  [[nodiscard]] constexpr Instant operator+(Duration d) const { return {slow + d, fast + d}; }
};

constexpr TimePoint kNever = TimePoint::max();

// The last multiple of `step` at or before `at`. Whoever repeats something on this grid does it
// together with all others who do. Requires: step > 0, at not before the start of time.
constexpr TimePoint grid_before(TimePoint at, Duration step) {
  return at - at.time_since_epoch() % step;
}

// Drift bound rho in parts per million: no two honest clocks gain more than this on true time.
struct Drift {
  std::int64_t ppm = 1000;

  // d * (1 + rho) / (1 - rho), rounded up: what one clock must count to be sure that another
  // counted d.
  [[nodiscard]] constexpr Duration outlast(Duration d) const {
    const auto n = static_cast<Wide>(d.count()) * (1'000'000 + ppm);
    const auto divisor = 1'000'000 - ppm;
    return Duration(static_cast<std::int64_t>((n + divisor - 1) / divisor));
  }
  // d / (1 + rho), rounded down: true time that passed for certain while a clock counted d.
  [[nodiscard]] constexpr Duration derate(Duration d) const {
    return Duration(
        static_cast<std::int64_t>(static_cast<Wide>(d.count()) * 1'000'000 / (1'000'000 + ppm)));
  }
};

constexpr Duration milliseconds(std::int64_t n) {
  return std::chrono::milliseconds(n);
}
constexpr Duration seconds(std::int64_t n) {
  return std::chrono::seconds(n);
}

}  // namespace brigade::base
