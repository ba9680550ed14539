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
    spdlog::warn("the {} door at {} has no authentication and is open beyond this machine", door,
                 address);
  }
}

base::Result<asio::ip::tcp::endpoint> resolve(asio::io_context& io, const net::HostPort& wanted,
                                              const char* option) {
  std::error_code error;
  asio::ip::tcp::resolver resolver(io);
  const auto found = resolver.resolve(wanted.host.empty() ? "0.0.0.0" : wanted.host,
                                      std::to_string(wanted.port), error);
  if (error || found.empty()) {
    return base::Error{std::string(option) + " " + wanted.text() + ": " + error.message()};
  }
  return found.begin()->endpoint();
}

}  // namespace

base::Status Doors::open_redis(asio::io_context& io, const std::string& address, api::Desk& desk) {
  const auto wanted = net::parse_host_port(address);
  if (!wanted) {
    return wanted.error();
  }
  auto acceptor = net::bind_tcp(io, *wanted, "--redis");
  if (!acceptor) {
    return acceptor.error();
  }
  std::error_code ignored;
  const auto bound = acceptor->local_endpoint(ignored);
  redis_address_ = net::HostPort{.host = wanted->host, .port = bound.port()}.text();
  warn_if_open("Redis", wanted->host, redis_address_);
  redis_.emplace(io, std::move(acceptor).value(), desk);
  return base::ok();
}

base::Status Doors::open_http(asio::io_context& io, const std::string& address, api::Desk& desk) {
  const auto wanted = net::parse_host_port(address);
  if (!wanted) {
    return wanted.error();
  }
  const auto endpoint = resolve(io, *wanted, "--http");
  if (!endpoint) {
    return endpoint.error();
  }
  http_.emplace(io, *endpoint, desk, [] { return host::Clock::wall_ms(); });
  if (auto status = http_->open(); !status) {
    return base::Error{"--" + status.error().message +
                       ": is another node using it? Choose another with --http HOST:PORT"};
  }
  http_address_ = net::HostPort{.host = wanted->host, .port = http_->endpoint().port()}.text();
  warn_if_open("HTTP", wanted->host, http_address_);
  return base::ok();
}

base::Status Doors::open(asio::io_context& io, const NodeOptions& options, api::Desk& desk) {
  if (options.redis != "off") {
    if (auto status = open_redis(io, options.redis, desk); !status) {
      return status;
    }
  }
  return options.http == "off" ? base::ok() : open_http(io, options.http, desk);
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
