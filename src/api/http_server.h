// The HTTP front door: a listener and its connections on the loop's thread, one HttpSession each.
//
// Threads: single-threaded (the io_context's). Limits: HttpLimits; connections beyond them are
// closed at once. Bytes that are no HTTP, and messages above the limits, are answered and end their
// connection and no other. One request of a connection is decided at a time; a client that does not
// read its answers is not read from either.
#pragma once

#include <cstddef>
#include <memory>
#include <set>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "api/desk.h"
#include "api/hoard.h"
#include "api/http_request_reader.h"
#include "api/http_session.h"
#include "api/listener.h"
#include "base/time.h"

namespace brigade::api {

struct HttpLimits {
  std::size_t connections = 10'000;
  HttpReadLimits message;
  std::size_t ahead = std::size_t{64} << 10U;    // bytes read beyond the request that is decided
  std::size_t held = std::size_t{64} << 20U;     // by all connections together (hoard.h)
  std::size_t unread = std::size_t{256} << 10U;  // bytes of answers that the client has not read
  base::Duration reading = base::seconds(60);    // one whole request, and idle between two
  base::Duration writing = base::seconds(10);    // one write
};

class HttpServer {
 public:
  // Serves what `acceptor` listens for. Requires: its io_context and `desk` outlive the server.
  HttpServer(asio::ip::tcp::acceptor acceptor, Desk& desk, HttpSession::WallClock wall_clock,
             HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  // No further connections; those that exist go on until their clients leave.
  void stop_accepting() { listener_.stop(); }

 private:
  class Connection;
  void accepted(Listener::Socket socket);

  Desk& desk_;
  HttpSession::WallClock wall_clock_;
  HttpLimits limits_;
  std::shared_ptr<Hoard> hoard_;
  std::set<std::shared_ptr<Connection>> connections_;
  // Handlers that run when the server is gone find this expired.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  Listener listener_;
};

}  // namespace brigade::api
