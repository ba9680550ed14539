// Accepts the connections of one door. When the process has no descriptor left for another, it
// tries again a little later: others may close some.
//
// Single-threaded; `accepted` is called from the loop, never after this is gone.
#pragma once

#include <functional>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

namespace brigade::api {

class Listener {
 public:
  // The loop's own executor, known at compile time: nothing is erased on the way of a request.
  using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
  using Accepted = std::function<void(Socket socket)>;

  // Requires: the acceptor belongs to an io_context that outlives this.
  Listener(asio::ip::tcp::acceptor acceptor, Accepted accepted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // No further connections.
  void stop();

 private:
  void accept();
  void accept_soon();

  asio::ip::tcp::acceptor acceptor_;
  asio::io_context& io_;
  asio::steady_timer again_;
  Accepted accepted_;
  // Handlers that run when this is gone find it expired.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace brigade::api
