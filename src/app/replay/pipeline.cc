#include "app/replay/pipeline.h"

#include <system_error>
#include <utility>

#include <asio/buffer.hpp>

namespace brigade::replay {

Pipeline::Pipeline(asio::ip::tcp::socket socket, const Stopwatch& watch, Owner& owner)
    : socket_(std::move(socket)), watch_(watch), owner_(owner), in_(kReadBytes, '\0') {
  std::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

void Pipeline::start() {
  read();
}

void Pipeline::add(std::uint32_t id, const Ask& ask) {
  under_way_.push_back({.id = id, .begins = written_ + out_.size()});
  append_acquire(out_, ask);
}

void Pipeline::flush() {
  if (!open_ || waits_to_write_ || out_.empty()) {
    return;
  }
  std::error_code error;
  write_some(error);
  if (error && error != asio::error::would_block) {
    fail();
    return;
  }
  if (!out_.empty()) {
    waits_to_write_ = true;
    socket_.async_wait(asio::ip::tcp::socket::wait_write,
                       [self = shared_from_this()](std::error_code failed) {
                         self->waits_to_write_ = false;
                         if (!failed) {
                           self->flush();
                         }
                       });
  }
}

void Pipeline::write_some(std::error_code& error) {
  const Duration now = watch_.now();
  for (std::size_t i = begun_; i < under_way_.size(); ++i) {
    under_way_[i].sent = now;
  }
  const std::size_t size = socket_.write_some(asio::buffer(out_), error);
  out_.erase(0, size);
  written_ += size;
  while (begun_ < under_way_.size() && has_begun(under_way_[begun_])) {
    ++begun_;
  }
}

void Pipeline::read() {
  socket_.async_read_some(asio::buffer(in_),
                          [self = shared_from_this()](std::error_code error, std::size_t size) {
                            const Duration received = self->watch_.now();
                            if (!self->open_) {
                              return;
                            }
                            if (error) {
                              self->fail();
                              return;
                            }
                            self->take({self->in_.data(), size}, received);
                            if (self->open_) {
                              self->read();
                            }
                          });
}

void Pipeline::take(std::string_view bytes, Duration received) {
  reader_.feed(bytes);
  Reply reply;
  for (;;) {
    const ReplyReader::Next next = reader_.next(reply);
    if (next == ReplyReader::Next::kMore) {
      return;
    }
    if (next == ReplyReader::Next::kBroken || begun_ == 0) {
      fail();
      return;
    }
    const UnderWay request = under_way_.front();
    under_way_.pop_front();
    --begun_;
    owner_.answered(request.id, request.sent, received, reply);
    if (!open_) {
      return;
    }
  }
}

void Pipeline::fail() {
  if (open_) {
    close();
    owner_.ended(*this);
  }
}

void Pipeline::close() {
  open_ = false;
  std::error_code ignored;
  socket_.close(ignored);
  const std::deque<UnderWay> lost = std::exchange(under_way_, {});
  for (const UnderWay& request : lost) {
    owner_.lost(request.id, has_begun(request) ? std::optional(request.sent) : std::nullopt);
  }
}

std::optional<Duration> Pipeline::oldest_sent() const {
  return begun_ == 0 ? std::nullopt : std::optional(under_way_.front().sent);
}

}  // namespace brigade::replay
