// "host:port" texts: what options say, what nodes tell each other, what sockets are bound to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace brigade::net {

struct HostPort {
  std::string host;  // a name or a numeric address, without brackets
  std::uint16_t port = 0;

  // "host:port"; an IPv6 address in brackets.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// Accepts "host:port", "[v6]:port" and ":port" (every interface). Errors name the text and what was
// expected. A host is at most 253 bytes long.
base::Result<HostPort> parse_host_port(std::string_view text);

// Every interface: an address to bind to, never one to give to others.
bool is_wildcard(std::string_view host);
bool is_loopback(std::string_view host);
// An IP address, not a name.
bool is_numeric(const std::string& host);

// What other nodes are told. `advertise` may be empty (then it is the bound address, which must not
// be a wildcard), may leave out the port or give it as 0 (then it is the bound one).
base::Result<HostPort> advertised_address(const HostPort& bound, std::string_view advertise);

}  // namespace brigade::net
