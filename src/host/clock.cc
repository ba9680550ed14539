#include "host/clock.h"

#include <ctime>

#include <time.h>

namespace brigade::host {

namespace {

using base::Duration;

Duration read(clockid_t id) {
  timespec value{};
  clock_gettime(id, &value);
  return std::chrono::seconds(value.tv_sec) + Duration(value.tv_nsec);
}

// Reads all clocks close together: a preemption between two reads would look like one clock
// outrunning the other and be charged to both lines for good.
ClockReading read_all() {
  constexpr Duration kClose = std::chrono::microseconds(2);
  constexpr int kTries = 4;
  ClockReading reading;
  for (int i = 0; i < kTries; ++i) {
    const Duration before = read(CLOCK_BOOTTIME);
    const Duration monotonic = read(CLOCK_MONOTONIC);
    const Duration raw = read(CLOCK_MONOTONIC_RAW);
    const Duration after = read(CLOCK_BOOTTIME);
    reading = {.boot = before, .raw = raw, .suspended = before - monotonic};
    if (after - before < kClose) {
      break;
    }
  }
  return reading;
}

}  // namespace

ClockLines::ClockLines(const ClockReading& first)
    : anchor_(first),
      lines_{base::TimePoint(first.boot), base::TimePoint(first.boot)},
      last_(lines_) {}

base::Instant ClockLines::advance(const ClockReading& reading) {
  // Machines sleep for seconds; a smaller difference is only the distance between two reads.
  constexpr Duration kShortestSleep = std::chrono::milliseconds(5);
  ClockReading next = reading;
  const Duration slept = reading.suspended - anchor_.suspended;
  if (slept < kShortestSleep) {
    next.suspended = anchor_.suspended;
  }
  const Duration by_boot = std::max(Duration::zero(), next.boot - anchor_.boot);
  const Duration by_raw =
      std::max(Duration::zero(), next.raw + next.suspended - (anchor_.raw + anchor_.suspended));
  lines_.slow += std::min(by_boot, by_raw);
  lines_.fast += std::max(by_boot, by_raw);
  anchor_ = next;
  return forward(lines_);
}

Clock::Clock() : lines_(read_all()) {}

base::Instant Clock::now() {
  const Duration boot = read(CLOCK_BOOTTIME);
  if (lines_.glance_suffices(boot)) [[likely]] {
    return lines_.glance(boot);
  }
  return lines_.advance(read_all());
}

std::int64_t Clock::wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(read(CLOCK_REALTIME)).count();
}

}  // namespace brigade::host
