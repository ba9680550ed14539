#include "app/replay/driver.h"

#include <csignal>
#include <system_error>
#include <utility>

#include <asio/post.hpp>

namespace brigade::replay {
namespace {

constexpr base::Duration kPatrol = base::milliseconds(100);
constexpr base::Duration kReportEvery = base::seconds(1);

}  // namespace

Driver::Driver(DriverPlan plan, const std::vector<std::string>& keys,
               std::function<void(const Progress&)> report)
    : plan_(std::move(plan)),
      keys_(keys),
      report_(std::move(report)),
      due_(io_),
      patrol_(io_),
      signals_(io_) {}

base::Status Driver::run(std::vector<Attempt>& attempts) {
  attempts_ = &attempts;
  last_ = attempts.size();
  dialling_ = plan_.nodes.size() * plan_.connections;
  for (const NodeTarget& node : plan_.nodes) {
    NodeLink::Listener& listener = *this;
    links_.push_back(std::make_unique<NodeLink>(io_, watch_, node, listener));
    links_.back()->open(plan_.connections);
  }
  io_.run();
  if (!begun_) {
    return base::Error{unreachable_};
  }
  return base::ok();
}

void Driver::first_dialled(const std::string& error) {
  if (unreachable_.empty()) {
    unreachable_ = error;
  }
  if (--dialling_ > 0) {
    return;
  }
  if (unreachable_.empty()) {
    begin();
  } else {
    end();
  }
}

void Driver::begin() {
  begun_ = true;
  watch_signals();
  watch_.start();
  watch_over();
  send_due();
}

void Driver::send_due() {
  const Duration now = watch_.now();
  for (std::size_t i = 0; i < kBatch && next_ < last_; ++i) {
    const Attempt& attempt = (*attempts_)[next_];
    if (attempt.due > now) {
      break;
    }
    const auto id = static_cast<std::uint32_t>(next_++);
    links_[attempt.node]->submit(
        id, {.limit = plan_.limit,
             .key = plan_.with_keys ? std::string_view(keys_[attempt.key]) : std::string_view(),
             .cost = attempt.cost});
  }
  for (const auto& link : links_) {
    link->flush();
  }
  wait_for_due();
  end_if_done();
}

void Driver::wait_for_due() {
  if (next_ >= last_) {
    return;
  }
  const Duration due = (*attempts_)[next_].due;
  if (due <= watch_.now()) {
    asio::post(io_, [this] { send_due(); });
    return;
  }
  due_.expires_at(watch_.at(due));
  due_.async_wait([this](std::error_code error) {
    if (!error) {
      send_due();
    }
  });
}

// Ends connections that answer too late, and reports.
void Driver::watch_over() {
  patrol_.expires_after(kPatrol);
  patrol_.async_wait([this](std::error_code error) {
    if (error) {
      return;
    }
    const Duration now = watch_.now();
    for (const auto& link : links_) {
      link->expire(now - plan_.answer_patience);
    }
    if (report_ && now - reported_ >= kReportEvery) {
      reported_ = now;
      progress_.now = now;
      progress_.offered = next_;
      report_(progress_);
    }
    watch_over();
    end_if_done();
  });
}

void Driver::watch_signals() {
  std::error_code ignored;
  signals_.add(SIGINT, ignored);
  signals_.add(SIGTERM, ignored);
  signals_.async_wait([this](std::error_code error, int) {
    if (error) {
      return;
    }
    interrupted_ = true;
    last_ = next_;
    signals_.async_wait([this](std::error_code again, int) {
      if (!again) {
        end();
      }
    });
    end_if_done();
  });
}

void Driver::end_if_done() {
  if (next_ >= last_ && settled_ == next_) {
    end();
  }
}

void Driver::end() {
  for (const auto& link : links_) {
    link->close();
  }
  io_.stop();
}

void Driver::answered(std::uint32_t id, Duration sent, Duration received, const Reply& reply) {
  Attempt& attempt = (*attempts_)[id];
  attempt.sent = sent;
  attempt.received = received;
  attempt.source = reply.source;
  if (!reply.error.empty()) {
    attempt.fate = Fate::kErrorReply;
    const bool room = error_texts_.size() < kErrorTexts || error_texts_.contains(reply.error);
    ++error_texts_[room ? reply.error : "other errors"];
    ++progress_.failed;
  } else if (reply.admitted) {
    attempt.fate = Fate::kAdmitted;
    ++progress_.admitted;
  } else {
    attempt.fate = Fate::kRefused;
    ++progress_.refused;
  }
  if (++settled_ == next_) {
    end_if_done();
  }
}

void Driver::failed(std::uint32_t id, Fate fate, Duration sent) {
  Attempt& attempt = (*attempts_)[id];
  attempt.sent = sent;
  attempt.fate = fate;
  ++settled_;
  ++progress_.failed;
}

}  // namespace brigade::replay
