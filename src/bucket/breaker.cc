#include "bucket/breaker.h"

#include <algorithm>

namespace brigade::bucket {
namespace {

using base::Duration;
using base::TimePoint;

std::int64_t number_of(TimePoint now) {
  return now.time_since_epoch() / Breaker::kWindow;
}

}  // namespace

bool Breaker::allow(TimePoint now) {
  if (state_ == State::kClosed) {
    return true;
  }
  if (now < retry_at_) {
    return false;
  }
  state_ = State::kHalfOpen;
  retry_at_ = now + std::max(backoff_, timeout_);
  return true;
}

Breaker::State Breaker::state(TimePoint now) const {
  return state_ == State::kOpen && now >= retry_at_ ? State::kHalfOpen : state_;
}

TimePoint Breaker::next_probe() const {
  return state_ == State::kClosed ? base::kNever : retry_at_;
}

Breaker::Window& Breaker::window(TimePoint now) {
  const std::int64_t number = number_of(now);
  Window& window = windows_[static_cast<std::size_t>(number) % kWindows];
  if (window.number != number) {
    window = Window{};
    window.number = number;
  }
  return window;
}

bool Breaker::too_bad(TimePoint now) const {
  if (in_a_row_ >= kFailuresInARow) {
    return true;
  }
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;
  for (const Window& window : windows_) {
    if (window.number > number_of(now) - static_cast<std::int64_t>(kWindows)) {
      requests += window.requests;
      failures += window.failures;
      slow += window.slow;
    }
  }
  return (requests >= kRequestsMin && 2 * failures > requests) ||
         (requests >= kRequestsMinForP99 && 100 * slow > requests);
}

void Breaker::succeeded(Duration latency, TimePoint now) {
  if (state_ == State::kHalfOpen) {
    // A slow answer proves no more than none.
    if (latency > timeout_) {
      open(now);
    } else {
      close(now);
    }
    return;
  }
  if (state_ == State::kOpen) {
    return;  // an answer to what was sent before it opened
  }
  in_a_row_ = 0;
  Window& counts = window(now);
  ++counts.requests;
  counts.slow += latency > timeout_ ? 1 : 0;
  if (latency > timeout_ && too_bad(now)) {
    open(now);
  }
}

void Breaker::failed(TimePoint now) {
  if (state_ == State::kHalfOpen) {
    open(now);
    return;
  }
  if (state_ == State::kOpen) {
    return;
  }
  ++in_a_row_;
  Window& counts = window(now);
  ++counts.requests;
  ++counts.failures;
  if (too_bad(now)) {
    open(now);
  }
}

void Breaker::open(TimePoint now) {
  // A peer that stayed well for a while starts over; one that only passed a probe does not.
  const bool was_well =
      state_ == State::kClosed && now - closed_at_ >= static_cast<int>(kWindows) * kWindow;
  backoff_ = was_well ? kBackoffMin : std::clamp(2 * backoff_, kBackoffMin, kBackoffMax);
  state_ = State::kOpen;
  retry_at_ = now + backoff_;
}

void Breaker::close(TimePoint now) {
  state_ = State::kClosed;
  closed_at_ = now;
  in_a_row_ = 0;
  windows_.fill(Window{});
}

}  // namespace brigade::bucket
