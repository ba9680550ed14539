// Circuit breaker of one peer: stops asking a peer that does not answer (semantics 5).
//
// Closed: requests pass. Opens on 5 failures in a row, or when more than half of at least 20
// requests of the last 10 s failed, or when more than 1 % of at least 100 of them took longer than
// the timeout. Open: nothing passes until the back-off is over (0.1 s, doubled at each opening up
// to 10 s). Half-open: one probe passes; its success closes, its failure opens again.
// "No surplus" is an answer, not a failure: the caller reports success.
//
// Threads: single-threaded (owner: node). Time: never goes backwards. Source: Nygard, Release It!,
// "Circuit Breaker".
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace brigade::bucket {

class Breaker {
 public:
  static constexpr std::uint32_t kFailuresInARow = 5;
  static constexpr std::uint32_t kRequestsMin = 20;
  static constexpr std::uint32_t kRequestsMinForP99 = 100;
  static constexpr std::size_t kWindows = 10;
  static constexpr base::Duration kWindow = base::seconds(1);
  static constexpr base::Duration kBackoffMin = base::milliseconds(100);
  static constexpr base::Duration kBackoffMax = base::seconds(10);

  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };

  explicit Breaker(base::Duration timeout) : timeout_(timeout) {}

  // True if a request may be sent now. In half-open this hands out the probe, so call it only to
  // send, and report what became of it. A probe never reported is replaced after one back-off.
  [[nodiscard]] bool allow(base::TimePoint now);
  // A request was answered after `latency`.
  void succeeded(base::Duration latency, base::TimePoint now);
  // A request failed or was not answered in time.
  void failed(base::TimePoint now);

  // Hands out nothing: what allow() would meet.
  [[nodiscard]] State state(base::TimePoint now) const;
  [[nodiscard]] bool closed() const { return state_ == State::kClosed; }
  // When an open breaker lets a probe pass; kNever while it is closed.
  [[nodiscard]] base::TimePoint next_probe() const;

 private:
  struct Window {
    std::int64_t number = -1;  // of the second it counts
    std::uint32_t requests = 0;
    std::uint32_t failures = 0;
    std::uint32_t slow = 0;
  };

  Window& window(base::TimePoint now);
  [[nodiscard]] bool too_bad(base::TimePoint now) const;
  void open(base::TimePoint now);
  void close(base::TimePoint now);

  base::Duration timeout_;
  State state_ = State::kClosed;
  std::uint32_t in_a_row_ = 0;
  std::array<Window, kWindows> windows_;
  base::Duration backoff_{0};
  base::TimePoint retry_at_;  // open: end of the back-off; half-open: when the probe counts as lost
  base::TimePoint closed_at_;
};

}  // namespace brigade::bucket
