#include "net/deadline_timer.h"

#include <utility>

namespace brigade::net {

DeadlineTimer::DeadlineTimer(asio::io_context& io, std::function<void()> due)
    : timer_(io), due_(std::make_shared<std::function<void()>>(std::move(due))) {}

void DeadlineTimer::arm(base::TimePoint deadline, base::TimePoint now) {
  if (deadline == armed_) {
    return;
  }
  armed_ = deadline;
  if (deadline == base::kNever) {
    timer_.cancel();
    return;
  }
  // Compared before it is subtracted: "long ago" may be as far back as times go.
  timer_.expires_after(deadline <= now ? base::Duration::zero() : deadline - now);
  timer_.async_wait([this, weak = std::weak_ptr(due_)](const asio::error_code& error) {
    const auto due = weak.lock();
    if (!error && due) {
      armed_ = base::kNever;
      (*due)();
    }
  });
}

void DeadlineTimer::hasten(base::TimePoint deadline, base::TimePoint now) {
  if (deadline < armed_) {
    arm(deadline, now);
  }
}

}  // namespace brigade::net
