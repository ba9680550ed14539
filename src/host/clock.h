// The machine's clocks as the two lines of base::Instant.
//
// Single-threaded (owner: the loop that calls now()).
// Time: CLOCK_BOOTTIME counts suspension but may be slewed by up to 11 % (the kernel's bound on
// adjtimex); CLOCK_MONOTONIC_RAW is never slewed but stops while the machine sleeps, so the
// suspended time (BOOTTIME - MONOTONIC) is added to it. A wall clock that jumps moves neither.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace brigade::host {

// What the clocks show at one moment.
struct ClockReading {
  base::Duration boot{0};       // CLOCK_BOOTTIME
  base::Duration raw{0};        // CLOCK_MONOTONIC_RAW
  base::Duration suspended{0};  // CLOCK_BOOTTIME - CLOCK_MONOTONIC
};

// Joins readings into the two lines. Full readings happen at most once per kWindow; between them a
// glance at BOOTTIME alone suffices, because it cannot have strayed from RAW by more than an eighth
// of the window: `slow` is held back and `fast` pushed ahead by that eighth, which errs on the safe
// side by at most kWindow / 8 and is made good at the next full reading.
//
// Invariants: 1. both lines never go back. 2. slow <= fast. 3. between two full readings, slow
// advances by the least and fast by at least the most that either clock shows.
class ClockLines {
 public:
  static constexpr base::Duration kWindow = std::chrono::milliseconds(1);

  explicit ClockLines(const ClockReading& first);

  // True while a reading of BOOTTIME alone is enough.
  [[nodiscard]] bool glance_suffices(base::Duration boot) const {
    return boot >= anchor_.boot && boot - anchor_.boot < kWindow;
  }
  // Requires: glance_suffices(boot).
  base::Instant glance(base::Duration boot) {
    const base::Duration elapsed = boot - anchor_.boot;
    const base::Duration doubt = elapsed / 8;
    return forward({lines_.slow + (elapsed - doubt), lines_.fast + (elapsed + doubt)});
  }
  base::Instant advance(const ClockReading& reading);

 private:
  base::Instant forward(base::Instant candidate) {
    last_.slow = std::max(last_.slow, candidate.slow);
    last_.fast = std::max(last_.fast, candidate.fast);
    return last_;
  }

  ClockReading anchor_;  // the last full reading
  base::Instant lines_;  // both lines at that reading
  base::Instant last_;   // what was handed out last
};

class Clock {
 public:
  Clock();

  // About 25 ns: one vDSO call, and a few more once per millisecond.
  base::Instant now();

  // Milliseconds since 1970 by the wall clock: for people and logs, never for a decision.
  static std::int64_t wall_ms();

 private:
  ClockLines lines_;
};

}  // namespace brigade::host
