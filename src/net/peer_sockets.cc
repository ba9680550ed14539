#include "net/peer_sockets.h"

#include <string>
#include <utility>

#include <asio/error.hpp>
#include <asio/ip/address.hpp>

namespace brigade::net {

namespace {

using asio::ip::tcp;
using asio::ip::udp;

base::Error bind_error(const HostPort& wanted, const asio::error_code& error, const char* option) {
  const std::string choose = std::string("choose another with ") + option;
  const std::string where = wanted.text();
  if (error == asio::error::address_in_use) {
    return {"address in use: " + where + " belongs to another process; " + choose};
  }
  if (error == asio::error::access_denied) {
    return {"not allowed to listen on " + where + "; " + choose};
  }
  if (error.value() == EADDRNOTAVAIL) {
    return {where + " is no address of this machine; " + choose};
  }
  return {"cannot listen on " + where + ": " + error.message() + "; " + choose};
}

// Names are resolved here, while starting, by the blocking call.
asio::ip::address resolve(asio::io_context& io, const std::string& host, asio::error_code& error) {
  const auto numeric = asio::ip::make_address(host, error);
  if (!error) {
    return numeric;
  }
  tcp::resolver resolver(io);
  const auto results = resolver.resolve(host, "", error);
  return error || results.empty() ? asio::ip::address() : results.begin()->endpoint().address();
}

void listen(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, asio::error_code& error) {
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    // A restarted node takes its port over from connections that linger in TIME_WAIT.
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
}

}  // namespace

base::Result<tcp::acceptor> bind_tcp(asio::io_context& io, const HostPort& wanted,
                                     const char* option) {
  asio::error_code error;
  const auto address = resolve(io, wanted.host, error);
  tcp::acceptor acceptor(io);
  if (!error) {
    listen(acceptor, {address, wanted.port}, error);
  }
  if (error) {
    return bind_error(wanted, error, option);
  }
  return acceptor;
}

base::Result<PeerSockets> bind_peer_sockets(asio::io_context& io, const HostPort& wanted) {
  constexpr const char* kOption = "--peer";
  constexpr int kTries = 16;  // a port free for TCP may be taken for UDP
  for (int i = 0;; ++i) {
    auto acceptor = bind_tcp(io, wanted, kOption);
    if (!acceptor) {
      return acceptor.error();
    }
    asio::error_code error;
    const tcp::endpoint local = acceptor->local_endpoint(error);
    udp::socket udp(io);
    const udp::endpoint endpoint(local.address(), local.port());
    if (!error) {
      udp.open(endpoint.protocol(), error);
    }
    if (!error) {
      udp.bind(endpoint, error);
    }
    if (!error) {
      return PeerSockets{std::move(acceptor).value(), std::move(udp),
                         HostPort{wanted.host, local.port()}};
    }
    if (wanted.port != 0 || error != asio::error::address_in_use || i + 1 >= kTries) {
      return bind_error({wanted.host, local.port()}, error, kOption);
    }
  }
}

}  // namespace brigade::net
