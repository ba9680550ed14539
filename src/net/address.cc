#include "net/address.h"

#include <algorithm>
#include <charconv>

#include <asio/ip/address.hpp>

namespace brigade::net {

namespace {

constexpr std::size_t kMaxHostBytes = 253;  // RFC 1035

base::Error malformed(std::string_view text) {
  return {"'" + std::string(text) + "' is not an address: expected HOST:PORT, for example " +
          "10.0.0.5:7420 or [::1]:7420"};
}

bool plausible_host(std::string_view host) {
  return host.size() <= kMaxHostBytes && std::all_of(host.begin(), host.end(), [](char c) {
           return c > ' ' && c < 0x7f && c != '[' && c != ']' && c != ',';
         });
}

}  // namespace

std::string HostPort::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

base::Result<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return malformed(text);
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) {
      return malformed(text);
    }
  } else if (host.find(':') != std::string_view::npos) {
    return malformed(text);  // an IPv6 address without brackets hides where its port begins
  }
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || !plausible_host(host)) {
    return malformed(text);
  }
  return HostPort{host.empty() ? "0.0.0.0" : std::string(host), port};
}

bool is_wildcard(std::string_view host) {
  return host == "0.0.0.0" || host == "::" || host.empty();
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool is_numeric(const std::string& host) {
  asio::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

base::Result<HostPort> advertised_address(const HostPort& bound, std::string_view advertise) {
  if (advertise.empty()) {
    if (is_wildcard(bound.host)) {
      return base::Error{"bound to every interface (" + bound.text() +
                         "): say with --advertise HOST:PORT which address the others shall use"};
    }
    return bound;
  }
  const bool has_port = advertise.find(':') != std::string_view::npos;
  auto parsed = parse_host_port(has_port ? std::string(advertise) : std::string(advertise) + ":0");
  if (!parsed) {
    return parsed.error();
  }
  if (is_wildcard(parsed->host)) {
    return base::Error{"--advertise " + std::string(advertise) +
                       " is no address that others could use"};
  }
  if (parsed->port == 0) {
    parsed->port = bound.port;
  }
  return parsed;
}

}  // namespace brigade::net
