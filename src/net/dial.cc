#include "net/dial.h"

#include <utility>

#include <asio/connect.hpp>
#include <asio/ip/address.hpp>
#include <asio/post.hpp>

#include "net/address.h"

namespace brigade::net {

using asio::ip::tcp;

Dial::Dial(asio::io_context& io) : resolver_(io), socket_(io), timer_(io) {}

void Dial::begin(const std::string& address, base::Duration patience, Done done) {
  address_ = address;
  done_ = std::move(done);
  timer_.expires_after(patience);
  timer_.async_wait([self = shared_from_this()](const asio::error_code& error) {
    if (!error) {
      self->fail("timed out");
    }
  });
  const auto target = parse_host_port(address);
  asio::error_code error;
  const auto numeric = target ? asio::ip::make_address(target->host, error) : asio::ip::address();
  if (target && error) {  // a name: the resolver's own thread may wait for a name server
    resolver_.async_resolve(
        target->host, std::to_string(target->port),
        [self = shared_from_this()](const asio::error_code& failed, const auto& results) {
          if (failed) {
            self->fail(failed.message());
          } else {
            self->resolved({results.begin(), results.end()});
          }
        });
    return;
  }
  asio::post(socket_.get_executor(), [self = shared_from_this(), target, numeric] {
    if (target) {
      self->resolved({tcp::endpoint(numeric, target->port)});
    } else {
      self->fail(target.error().message);
    }
  });
}

void Dial::resolved(const std::vector<tcp::endpoint>& endpoints) {
  if (!done_) {
    return;
  }
  asio::async_connect(
      socket_, endpoints,
      [self = shared_from_this()](const asio::error_code& error, const tcp::endpoint&) {
        if (error) {
          self->fail(error.message());
        } else {
          self->end(std::move(self->socket_));
        }
      });
}

void Dial::fail(const std::string& reason) {
  end(base::Error{"cannot reach " + address_ + ": " + reason});
}

void Dial::end(base::Result<tcp::socket> result) {
  const Done done = std::exchange(done_, nullptr);
  if (done) {
    cancel();
    done(std::move(result));
  }
}

void Dial::cancel() {
  done_ = nullptr;
  timer_.cancel();
  resolver_.cancel();
  asio::error_code ignored;
  socket_.close(ignored);
}

}  // namespace brigade::net
