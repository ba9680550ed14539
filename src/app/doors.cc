#include "app/doors.h"

#include <utility>

#include <asio/ip/tcp.hpp>
#include <spdlog/spdlog.h>

#include "host/clock.h"
#include "net/address.h"
#include "net/peer_sockets.h"

namespace brigade::app {
namespace {

void warn_if_open(const char* door, const std::string& host, const std::string& address) {
  if (!net::is_loopback(host)) {
    spdlog::warn("{} {} has no authentication and is open beyond this machine", door, address);
  }
}

// What a door needs to open: where it listens, and the address as others are told.
struct Listening {
  asio::ip::tcp::acceptor acceptor;
  std::string address;
};

base::Result<Listening> listen(asio::io_context& io, const std::string& address, const char* option,
                               const std::string& host) {
  const auto wanted = net::parse_host_port(address);
  if (!wanted) {
    return base::Error{std::string(option) + ": " + wanted.error().message};
  }
  auto acceptor = net::bind_tcp(io, *wanted, option);
  if (!acceptor) {
    return acceptor.error();
  }
  std::error_code ignored;
  const auto port = acceptor->local_endpoint(ignored).port();
  const bool everywhere = net::is_wildcard(wanted->host);
  std::string text = net::HostPort{.host = everywhere ? host : wanted->host, .port = port}.text();
  warn_if_open(option, wanted->host, text);
  return Listening{.acceptor = std::move(acceptor).value(), .address = std::move(text)};
}

}  // namespace

base::Status Doors::open(asio::io_context& io, const NodeOptions& options, const Place& place,
                         api::Desk& desk) {
  if (options.redis != "off") {
    auto listening = listen(io, options.redis, "--redis", place.host);
    if (!listening) {
      return listening.error();
    }
    redis_address_ = listening->address;
    redis_.emplace(io, std::move(listening->acceptor), desk,
                   api::RedisLimits{.connections = place.connections_max});
  }
  if (options.http != "off") {
    auto listening = listen(io, options.http, "--http", place.host);
    if (!listening) {
      return listening.error();
    }
    http_address_ = listening->address;
    http_.emplace(
        std::move(listening->acceptor), desk, [] { return host::Clock::wall_ms(); },
        api::HttpLimits{.connections = place.connections_max});
  }
  return base::ok();
}

void Doors::flush() {
  if (redis_) {
    redis_->flush();
  }
}

void Doors::stop_accepting() {
  if (redis_) {
    redis_->stop_accepting();
  }
  if (http_) {
    http_->stop_accepting();
  }
}

void Doors::close() {
  redis_.reset();
  http_.reset();
}

}  // namespace brigade::app
