#include "api/listener.h"

#include <chrono>
#include <utility>

namespace brigade::api {
namespace {

using asio::ip::tcp;

constexpr std::chrono::milliseconds kAgain(100);

}  // namespace

Listener::Listener(tcp::acceptor acceptor, Accepted accepted)
    : acceptor_(std::move(acceptor)),
      io_(static_cast<asio::io_context&>(acceptor_.get_executor().context())),
      again_(acceptor_.get_executor()),
      accepted_(std::move(accepted)) {
  accept();
}

void Listener::stop() {
  std::error_code ignored;
  acceptor_.close(ignored);
  again_.cancel();
}

void Listener::accept() {
  acceptor_.async_accept(io_.get_executor(), [this, alive = std::weak_ptr<int>(alive_)](
                                                 std::error_code error, Socket socket) {
    if (alive.expired() || !acceptor_.is_open()) {
      return;
    }
    if (error) {
      accept_soon();
      return;
    }
    std::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    accepted_(std::move(socket));
    accept();
  });
}

void Listener::accept_soon() {
  again_.expires_after(kAgain);
  again_.async_wait([this, alive = std::weak_ptr<int>(alive_)](std::error_code stopped) {
    if (!stopped && !alive.expired()) {
      accept();
    }
  });
}

}  // namespace brigade::api
