// One connection to a node, with any number of requests under way.
//
// Threads: single-threaded (owner: the replay's loop).
// Time: a request's send time is read before the system call that writes its first byte, its
// receipt after the one that read the last byte of its answer: the decision lies between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <asio/ip/tcp.hpp>

#include "app/replay/protocol.h"
#include "app/replay/stopwatch.h"

namespace brigade::replay {

class Pipeline : public std::enable_shared_from_this<Pipeline> {
 public:
  // Hears what became of requests, by the ids that it gave them. Must outlive the connection.
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;
    virtual void answered(std::uint32_t id, Duration sent, Duration received,
                          const Reply& reply) = 0;
    // There will be no answer; without `sent` not a byte of it was written.
    virtual void lost(std::uint32_t id, std::optional<Duration> sent) = 0;
    // The connection ended by itself; lost() was called for all that was under way.
    virtual void ended(const Pipeline& pipeline) = 0;
  };

  Pipeline(asio::ip::tcp::socket socket, const Stopwatch& watch, Owner& owner);

  // Begins to read.
  void start();
  // Puts a request in line; flush() sends. Requires: open.
  void add(std::uint32_t id, const Ask& ask);
  void flush();
  // Calls lost() for all that is under way, but not ended().
  void close();

  [[nodiscard]] std::size_t outstanding() const { return under_way_.size(); }
  // When the request was sent whose answer is due next.
  [[nodiscard]] std::optional<Duration> oldest_sent() const;

 private:
  struct UnderWay {
    std::uint32_t id = 0;
    std::uint64_t begins = 0;  // its first byte, counted from the connection's first
    Duration sent{0};
  };
  static constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

  void write_some(std::error_code& error);
  void read();
  void take(std::string_view bytes, Duration received);
  void fail();
  [[nodiscard]] bool has_begun(const UnderWay& request) const { return request.begins < written_; }

  asio::ip::tcp::socket socket_;
  const Stopwatch& watch_;
  Owner& owner_;
  ReplyReader reader_;
  std::deque<UnderWay> under_way_;  // in the order in which answers come
  std::size_t begun_ = 0;           // of those, how many have their first byte written
  std::string out_;                 // what is not written yet
  std::uint64_t written_ = 0;       // bytes since the connection began
  bool waits_to_write_ = false;
  bool open_ = true;
  std::string in_;
};

}  // namespace brigade::replay
