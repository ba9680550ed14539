#include "net/frame_stream.h"

#include <span>
#include <utility>

#include <asio/post.hpp>
#include <asio/write.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace brigade::net {

namespace {

constexpr std::size_t kOwnChunk = std::size_t{16} << 10;     // payloads from here on are not copied
constexpr std::size_t kSharedChunk = std::size_t{64} << 10;  // a shared chunk's size limit
constexpr auto kLinger = std::chrono::seconds(1);

// A peer whose machine vanished is noticed in seconds even when nothing else is sent to it.
void tune(asio::ip::tcp::socket& socket) {
  asio::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const int fd = socket.native_handle();
  constexpr int kIdleSeconds = 10;
  constexpr int kProbeSeconds = 3;
  constexpr int kProbes = 3;
  constexpr unsigned kUnacknowledgedMs = 15'000;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kIdleSeconds, sizeof(kIdleSeconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kProbeSeconds, sizeof(kProbeSeconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof(kProbes));
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMs, sizeof(kUnacknowledgedMs));
}

}  // namespace

void FrameStream::Outbox::append(FrameKind kind, std::string payload) {
  bytes += kFrameHeaderBytes + payload.size();
  ++frames;
  const bool fits =
      last_is_shared && chunks.back().size() + kFrameHeaderBytes + payload.size() <= kSharedChunk;
  if (!fits) {
    chunks.emplace_back();
    last_is_shared = true;
  }
  if (payload.size() < kOwnChunk) {
    append_frame(chunks.back(), kind, payload);
    return;
  }
  const auto header = frame_header(kind, payload);
  chunks.back().append(header.data(), header.size());
  chunks.push_back(std::move(payload));
  last_is_shared = false;
}

// Keeps the first chunk's memory: in the steady state a turn's frames cost no allocation.
void FrameStream::Outbox::clear() {
  if (!chunks.empty()) {
    std::string first = std::move(chunks.front());
    chunks.clear();
    last_is_shared = first.capacity() <= 2 * kSharedChunk;
    if (last_is_shared) {
      first.clear();
      chunks.push_back(std::move(first));
    }
  }
  bytes = 0;
  frames = 0;
}

FrameStream::FrameStream(asio::ip::tcp::socket socket, std::size_t max_payload, Listener& listener)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      listener_(&listener),
      cutter_(max_payload) {
  tune(socket_);
}

void FrameStream::start() {
  read();
}

void FrameStream::read() {
  const std::span<char> room = cutter_.room();
  socket_.async_read_some(
      asio::buffer(room.data(), room.size()),
      [self = shared_from_this()](const asio::error_code& error, std::size_t n) {
        if (error) {
          self->fail(error == asio::error::eof ? "closed by the other side" : error.message());
        } else {
          self->on_read(n);
        }
      });
}

void FrameStream::on_read(std::size_t n) {
  cutter_.filled(n);
  while (listener_ != nullptr) {
    const auto frame = cutter_.next();
    if (!frame) {
      break;
    }
    listener_->on_frame(*frame);
  }
  if (finishing_) {
    while (cutter_.next()) {  // whatever still arrives is not wanted
    }
  }
  if (cutter_.broken() != nullptr) {
    fail(cutter_.broken());
  } else if (listener_ != nullptr || finishing_) {
    read();
  }
}

void FrameStream::send(FrameKind kind, std::string payload) {
  if (listener_ == nullptr) {
    return;
  }
  waiting_.append(kind, std::move(payload));
  post_flush();
}

void FrameStream::post_flush() {
  if (writing_ || flush_posted_) {
    return;
  }
  flush_posted_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

void FrameStream::flush() {
  if (writing_ || !socket_.is_open()) {
    return;
  }
  if (waiting_.frames == 0) {
    if (finishing_) {  // the end of the stream follows the last frame
      asio::error_code ignored;
      socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    }
    return;
  }
  writing_ = true;
  std::swap(waiting_, leaving_);
  gathered_.clear();
  for (const std::string& chunk : leaving_.chunks) {
    gathered_.push_back(asio::buffer(chunk));
  }
  asio::async_write(socket_, std::span<const asio::const_buffer>(gathered_),
                    [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                      self->writing_ = false;
                      self->leaving_.clear();
                      if (error) {
                        self->fail(error.message());
                      } else {
                        self->flush();
                      }
                    });
}

void FrameStream::finish() {
  if (listener_ == nullptr) {
    return;
  }
  // Closing now would reset the connection if unread bytes are here, and the reset would overtake
  // what was sent: read on until the other side has seen the end.
  listener_ = nullptr;
  finishing_ = true;
  expect_within(kLinger, "");
  post_flush();
}

void FrameStream::close() {
  listener_ = nullptr;
  shut();
}

void FrameStream::expect_within(base::Duration patience, const char* reason) {
  ++patience_number_;
  if (patience == base::Duration::zero()) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(patience);
  timer_.async_wait(
      [weak = weak_from_this(), number = patience_number_, reason](const asio::error_code& error) {
        const auto self = weak.lock();
        if (!error && self && self->patience_number_ == number) {
          self->fail(reason);
        }
      });
}

void FrameStream::fail(const std::string& reason) {
  Listener* const listener = std::exchange(listener_, nullptr);
  shut();
  if (listener != nullptr) {
    listener->on_closed(reason);
  }
}

void FrameStream::shut() {
  finishing_ = false;
  ++patience_number_;
  timer_.cancel();
  asio::error_code ignored;
  socket_.close(ignored);
  waiting_.clear();
}

}  // namespace brigade::net
