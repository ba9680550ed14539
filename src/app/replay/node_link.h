// A replay's connections to one node: spreads requests over them, connects again when they end.
//
// Threads: single-threaded (owner: the replay's loop).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "app/replay/pipeline.h"
#include "net/dial.h"

namespace brigade::replay {

struct NodeTarget {
  std::string name;
  std::string address;  // HOST:PORT of its Redis protocol
};

class NodeLink final : public Pipeline::Owner {
 public:
  // Hears what became of the attempts that were given to submit().
  class Listener {
   public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;
    virtual void answered(std::uint32_t id, Duration sent, Duration received,
                          const Reply& reply) = 0;
    // kUnanswered (`sent` is valid), kNodeDown or kOverflow.
    virtual void failed(std::uint32_t id, Fate fate, Duration sent) = 0;
    // The first attempt to connect of one connection is over; `error` is empty when it stands.
    virtual void first_dialled(const std::string& error) = 0;
  };

  // Requests that wait for answers of one node, at most: a node that hangs keeps no more back.
  static constexpr std::size_t kOutstandingMax = 50'000;

  NodeLink(asio::io_context& io, const Stopwatch& watch, NodeTarget target, Listener& listener);

  // Opens that many connections; first_dialled() is called for each.
  void open(std::size_t connections);
  // Sends with the next flush(), or fails at once. Of the open connections the one with the fewest
  // requests under way is taken, so that few wait behind a request that the node parked.
  void submit(std::uint32_t id, const Ask& ask);
  void flush();
  // Ends connections whose next answer is for a request sent before `sent_before`.
  void expire(Duration sent_before);
  void close();

  void answered(std::uint32_t id, Duration sent, Duration received, const Reply& reply) override;
  void lost(std::uint32_t id, std::optional<Duration> sent) override;
  void ended(const Pipeline& pipeline) override;

 private:
  static constexpr base::Duration kBackoffMin = base::milliseconds(50);
  static constexpr base::Duration kBackoffMax = base::seconds(1);
  static constexpr base::Duration kDialPatience = base::seconds(3);

  struct Slot {
    explicit Slot(asio::io_context& io) : retry(io) {}
    std::shared_ptr<net::Dial> dial;     // while it connects
    std::shared_ptr<Pipeline> pipeline;  // while it stands
    asio::steady_timer retry;
    base::Duration backoff = kBackoffMin;
    bool first = true;  // it never stood
  };

  void dial(Slot& slot);
  void dialled(Slot& slot, base::Result<asio::ip::tcp::socket> result);
  void dial_later(Slot& slot);

  asio::io_context& io_;
  const Stopwatch& watch_;
  NodeTarget target_;
  Listener& listener_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::size_t outstanding_ = 0;
};

}  // namespace brigade::replay
