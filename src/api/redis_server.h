// The Redis protocol's front door: a listener and its connections on the loop's thread.
//
// Limits: RedisLimits; beyond them new connections are told and closed. A client that does not read
// its answers is not read from either.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "api/desk.h"

namespace brigade::api {

struct RedisLimits {
  std::size_t connections = 10'000;
  std::size_t unread_output = std::size_t{1} << 20U;  // reading pauses above
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
  void stop_accepting();

 private:
  class Connection;
  void accept();

  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer accept_again_;
  Desk& desk_;
  RedisLimits limits_;
  std::string info_;
  std::set<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> awaiting_;  // a decision; each once
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace brigade::api
