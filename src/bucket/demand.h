// How much of a limit its clients ask for at this node: admitted, refused and parked alike.
//
// Offers are summed over fixed windows of 250 ms; a moving average (gain 1/2) and the mean
// deviation from it (gain 1/4) follow the complete windows. An offer costs a compare and an add.
//
// Threads: single-threaded (owner: node). Time: never goes backwards. Source: Jacobson, Karels
// 1988 (mean deviation in integers); algorithms 2.9.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"
#include "base/tokens.h"

namespace brigade::bucket {

class DemandMeter {
 public:
  static constexpr base::Duration kWindow = base::milliseconds(250);

  explicit DemandMeter(base::TimePoint now) : ends_(now + kWindow) {}

  // Counts a request, whatever became of it. Requires: cost >= 0.
  void offer(base::Tokens cost, base::TimePoint now) {
    if (now >= ends_) {
      roll(now);
    }
    offered_ = std::min(offered_ + cost.micro(), kMost);
  }
  // Closes the windows that are over; offer() does it too. Call it before reading last().
  void roll(base::TimePoint now);

  // The average of the complete windows; zero until there is one.
  [[nodiscard]] base::Rate rate(base::TimePoint now) const;
  // The mean deviation of a window from that average.
  [[nodiscard]] base::Rate sigma(base::TimePoint now) const;
  // rate(), or what the window under way has seen already if that is more: rises within a window.
  [[nodiscard]] base::Rate surge(base::TimePoint now) const;

  // Windows closed so far, and what the last of them saw: the samples for a predictor.
  [[nodiscard]] std::int64_t windows() const { return windows_; }
  [[nodiscard]] base::Tokens last() const { return base::Tokens::micro(last_); }

 private:
  // Sums beyond this count as this: 2.9e11 tokens a window.
  static constexpr std::int64_t kMost = std::int64_t{1} << 58;
  // Averages are kept in sixteenths of a micro-token, so that small ones do not get stuck.
  static constexpr std::int64_t kScale = 16;

  void close(std::int64_t sample);

  base::TimePoint ends_;
  std::int64_t offered_ = 0;  // in the window under way, micro-tokens
  std::int64_t last_ = 0;
  std::int64_t mean_ = 0;       // per window
  std::int64_t deviation_ = 0;  // per window
  std::int64_t windows_ = 0;
};

// The largest amount seen in the last one to two windows of 30 s.
class LargestCost {
 public:
  static constexpr base::Duration kWindow = base::seconds(30);

  void seen(base::Tokens cost, base::TimePoint now) {
    if (now >= ends_) {
      roll(now);
    }
    current_ = std::max(current_, cost);
  }
  [[nodiscard]] base::Tokens recent(base::TimePoint now) {
    if (now >= ends_) {
      roll(now);
    }
    return std::max(current_, before_);
  }

 private:
  void roll(base::TimePoint now) {
    before_ = now < ends_ + kWindow ? current_ : base::Tokens{};
    current_ = base::Tokens{};
    ends_ = now + kWindow;
  }

  base::TimePoint ends_{};
  base::Tokens current_;
  base::Tokens before_;
};

}  // namespace brigade::bucket
