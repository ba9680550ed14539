// The gossip socket: bounded datagrams to and from address texts. Datagrams may be lost; one to a
// name that is still being resolved is. Single-threaded (the io_context's).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>

#include "base/time.h"

namespace brigade::net {

class GossipSocket {
 public:
  // Fits an Ethernet frame with room for tunnels; larger datagrams would travel in fragments.
  static constexpr std::size_t kMaxDatagram = 1400;
  static constexpr std::size_t kMaxNames = 4096;
  // How long a name stands for an address before it is looked up again.
  static constexpr base::Duration kNameLife = base::seconds(10);

  // `from`: "address:port", numeric. `datagram` is valid during the call.
  using Receive = std::function<void(const std::string& from, std::string_view datagram)>;

  struct Counters {
    std::uint64_t out = 0;
    std::uint64_t in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t dropped = 0;  // too large, unresolved, or refused by the kernel
  };

  GossipSocket(asio::ip::udp::socket socket, Receive receive);

  // False if it was dropped here.
  bool send(const std::string& to, std::string_view datagram);

  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  using Endpoints = std::vector<asio::ip::udp::endpoint>;
  struct Name {
    asio::ip::udp::endpoint endpoint;
    bool known = false;
    bool resolving = false;
    std::chrono::steady_clock::time_point resolved;
  };

  void receive();
  void resolve(const std::string& to, Name& name);
  void resolved(const std::string& to, const Endpoints& endpoints);

  asio::ip::udp::socket socket_;
  asio::ip::udp::resolver resolver_;
  Receive receive_;
  Counters counters_;
  std::map<std::string, Name> names_;
  std::array<char, kMaxDatagram + 1> buffer_{};  // one more byte shows what was cut off
  asio::ip::udp::endpoint from_;
  // Handlers that are queued already when this object dies see that it did.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace brigade::net
