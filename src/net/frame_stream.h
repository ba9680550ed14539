// One TCP connection that carries frames both ways.
//
// Ownership: shared by its own pending operations; whoever handles its frames is its Listener and
// outlives it or calls close(). Threads: single-threaded (the io_context's).
// Limits: what is queued is bounded by the caller, who sees queued_bytes().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "base/time.h"
#include "net/frame.h"

namespace brigade::net {

class FrameStream : public std::enable_shared_from_this<FrameStream> {
 public:
  class Listener {
   public:
    virtual void on_frame(const Frame& frame) = 0;
    // The connection is gone, not by close() or finish(). Called once, last.
    virtual void on_closed(const std::string& reason) = 0;

   protected:
    ~Listener() = default;
  };

  FrameStream(asio::ip::tcp::socket socket, std::size_t max_payload, Listener& listener);

  // Begins to read.
  void start();
  // Queues a frame. Everything queued in one turn of the loop leaves in one write.
  void send(FrameKind kind, std::string payload);
  // Sends what is queued, then ends the connection such that the other side can read it all.
  void finish();
  // Ends the connection at once; the listener is not called any more.
  void close();

  void allow(std::size_t max_payload) { cutter_.allow(max_payload); }
  // Closes the connection with `reason` unless called again in time; zero: never.
  void expect_within(base::Duration patience, const char* reason);

  [[nodiscard]] bool is_open() const { return listener_ != nullptr; }
  [[nodiscard]] std::size_t queued_bytes() const { return waiting_.bytes + leaving_.bytes; }
  [[nodiscard]] std::size_t queued_frames() const { return waiting_.frames + leaving_.frames; }

 private:
  // Frames back to back. Small ones share a chunk; large ones are moved in as their own.
  struct Outbox {
    std::vector<std::string> chunks;
    bool last_is_shared = false;
    std::size_t bytes = 0;
    std::size_t frames = 0;

    void append(FrameKind kind, std::string payload);
    void clear();
  };

  void read();
  void on_read(std::size_t n);
  void post_flush();
  void flush();
  // Ends the connection and tells the listener, if it still listens.
  void fail(const std::string& reason);
  void shut();

  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  Listener* listener_;  // nullptr once closed
  FrameCutter cutter_;
  Outbox waiting_;
  Outbox leaving_;  // being written
  std::vector<asio::const_buffer> gathered_;
  bool flush_posted_ = false;
  bool writing_ = false;
  bool finishing_ = false;
  std::uint64_t patience_number_ = 0;  // which expectation the timer stands for
};

}  // namespace brigade::net
