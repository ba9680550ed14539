// Wakes the loop at the earliest deadline of its cores. Single-threaded (the io_context's).
#pragma once

#include <functional>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "base/time.h"

namespace brigade::net {

class DeadlineTimer {
 public:
  // `due` is called from the loop at or after the deadline; it may arm the timer again. A deadline
  // that moved while it was due is announced too early at worst: cores ignore that.
  DeadlineTimer(asio::io_context& io, std::function<void()> due);

  // Replaces the deadline; base::kNever: none. Cheap when the deadline is the same as before.
  void arm(base::TimePoint deadline, base::TimePoint now);
  // Brings the deadline forward if it is later.
  void hasten(base::TimePoint deadline, base::TimePoint now);

 private:
  asio::steady_timer timer_;
  // Shared with the pending wait, which may end after this object.
  std::shared_ptr<std::function<void()>> due_;
  base::TimePoint armed_ = base::kNever;
};

}  // namespace brigade::net
