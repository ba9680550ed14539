// The time since a replay began, on the machine's monotonic clock.
#pragma once

#include <chrono>

#include "base/time.h"

namespace brigade::replay {

class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;

  void start() { zero_ = Clock::now(); }
  [[nodiscard]] base::Duration now() const { return Clock::now() - zero_; }
  // The clock's reading at that time.
  [[nodiscard]] Clock::time_point at(base::Duration time) const { return zero_ + time; }

 private:
  Clock::time_point zero_ = Clock::now();
};

}  // namespace brigade::replay
