// The Redis protocol's front door: a listener and its connections on the loop's thread.
//
// What is read in one pass of the loop is answered at its end: clients wake once, and find all of
// it. Limits: RedisLimits; connections beyond them are told and closed. A client that does not read
// its answers is not read from either.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "api/desk.h"
#include "api/hoard.h"
#include "api/listener.h"

namespace brigade::api {

struct RedisLimits {
  std::size_t connections = 10'000;
  std::size_t unread_output = std::size_t{256} << 10U;  // reading pauses above
  std::size_t held = std::size_t{64} << 20U;            // by all connections together (hoard.h)
  // A client that neither ends its command nor takes its answers for so long is let go.
  std::chrono::steady_clock::duration patience = std::chrono::seconds(30);
};

class RedisServer {
 public:
  RedisServer(asio::io_context& io, asio::ip::tcp::acceptor acceptor, Desk& desk,
              RedisLimits limits = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // Writes out what decisions appended since the last call; once per turn of the loop.
  void flush();
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  // No further connections; those that exist go on until their clients leave.
  void stop_accepting() { listener_.stop(); }

 private:
  class Connection;
  void accepted(Listener::Socket socket);
  void watch();
  void answer_soon(std::shared_ptr<Connection> connection);
  void answer();

  asio::io_context& io_;
  asio::steady_timer watch_;
  Desk& desk_;
  RedisLimits limits_;
  std::shared_ptr<Hoard> hoard_;
  std::string info_;
  std::set<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> awaiting_;  // a decision; each once
  std::vector<std::shared_ptr<Connection>> due_;       // to be answered in this pass of the loop
  std::vector<std::shared_ptr<Connection>> answering_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  Listener listener_;
};

}  // namespace brigade::api
