// The sockets other nodes reach this one by: a TCP listener and a UDP socket on the same port.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>

#include "base/result.h"
#include "net/address.h"

namespace brigade::net {

struct PeerSockets {
  asio::ip::tcp::acceptor tcp;
  asio::ip::udp::socket udp;
  HostPort bound;  // with the port that was really taken
};

// Binds both; port 0 picks one that is free for both. Errors are sentences for the person who
// started the node: what is in the way and which option changes it.
base::Result<PeerSockets> bind_peer_sockets(asio::io_context& io, const HostPort& wanted);

// One listener for a front door; `option` is named in the error.
base::Result<asio::ip::tcp::acceptor> bind_tcp(asio::io_context& io, const HostPort& wanted,
                                               const char* option);

}  // namespace brigade::net
