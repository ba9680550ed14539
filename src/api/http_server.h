// The HTTP front door: RESTinio on the loop's io_context, one HttpSession per connection.
//
// Threads: single-threaded (the io_context's). Bytes that are no HTTP, and messages above the
// limits of HttpLimits, close their connection and no other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include "api/desk.h"
#include "api/http_session.h"
#include "base/result.h"
#include "base/time.h"

namespace brigade::api {

struct HttpLimits {
  std::size_t pipelined = 16;                    // requests of one connection at a time
  std::size_t body = std::size_t{1} << 20U;      // answered 413 above, closed above twice of it
  std::size_t url = std::size_t{8} << 10U;       // closed above, as below
  std::size_t header = std::size_t{8} << 10U;    // a field's value
  std::size_t headers = 64;                      // fields
  base::Duration reading = base::seconds(60);    // one whole message, and idle between two
  base::Duration writing = base::seconds(10);    // one answer
  base::Duration waiting = base::seconds(3660);  // for a decision; more than the longest wait_ms
};

class HttpServer {
 public:
  // Requires: `io` and `desk` outlive the server.
  HttpServer(asio::io_context& io, asio::ip::tcp::endpoint endpoint, Desk& desk,
             HttpSession::WallClock wall_clock, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds and listens. The error says which address could not be bound and why.
  base::Status open();
  // Where it listens; the port is the kernel's choice when 0 was asked for. Requires: open.
  [[nodiscard]] asio::ip::tcp::endpoint endpoint() const;
  // Connections that have sent a request and are still there.
  [[nodiscard]] std::size_t connections() const;
  // No further connections; those that exist go on until their clients leave.
  void stop_accepting();

 private:
  class Listener;
  class Sessions;

  std::shared_ptr<Sessions> sessions_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace brigade::api
