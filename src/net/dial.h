// One attempt to reach an address: resolves the name anew, then tries what it stands for in turn.
// Single-threaded. `done` is called at most once, never from within begin(), never after cancel().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "base/result.h"
#include "base/time.h"

namespace brigade::net {

class Dial : public std::enable_shared_from_this<Dial> {
 public:
  using Done = std::function<void(base::Result<asio::ip::tcp::socket>)>;

  explicit Dial(asio::io_context& io);

  // `address`: "host:port". Gives up after `patience`.
  void begin(const std::string& address, base::Duration patience, Done done);
  void cancel();

 private:
  void resolved(const std::vector<asio::ip::tcp::endpoint>& endpoints);
  void end(base::Result<asio::ip::tcp::socket> result);
  void fail(const std::string& reason);

  asio::ip::tcp::resolver resolver_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  std::string address_;
  Done done_;
};

}  // namespace brigade::net
