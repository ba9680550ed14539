#include "net/gossip_socket.h"

#include <utility>

#include <asio/ip/address.hpp>

#include "net/address.h"

namespace brigade::net {

using asio::ip::udp;

GossipSocket::GossipSocket(udp::socket socket, Receive receive)
    : socket_(std::move(socket)), resolver_(socket_.get_executor()), receive_(std::move(receive)) {
  asio::error_code ignored;
  socket_.non_blocking(true, ignored);
  this->receive();
}

void GossipSocket::receive() {
  socket_.async_receive_from(
      asio::buffer(buffer_), from_,
      [this, alive = std::weak_ptr(alive_)](const asio::error_code& error, std::size_t n) {
        if (alive.expired() || error == asio::error::operation_aborted) {
          return;
        }
        // Other errors are news about datagrams sent earlier (port unreachable).
        if (!error && n <= kMaxDatagram) {
          ++counters_.in;
          counters_.bytes_in += n;
          receive_(HostPort{from_.address().to_string(), from_.port()}.text(),
                   std::string_view(buffer_.data(), n));
        }
        if (!alive.expired()) {
          receive();
        }
      });
}

bool GossipSocket::send(const std::string& to, std::string_view datagram) {
  auto entry = names_.find(to);
  if (entry == names_.end()) {
    if (names_.size() >= kMaxNames) {
      names_.clear();  // far more names than members: strangers made them up
    }
    entry = names_.emplace(to, Name{}).first;
  }
  Name& name = entry->second;
  const auto now = std::chrono::steady_clock::now();
  if (!name.resolving && (!name.known || now - name.resolved > kNameLife)) {
    resolve(to, name);
  }
  asio::error_code error = asio::error::host_not_found;
  if (name.known && datagram.size() <= kMaxDatagram) {
    socket_.send_to(asio::buffer(datagram.data(), datagram.size()), name.endpoint, 0, error);
  }
  if (error) {
    ++counters_.dropped;
    return false;
  }
  ++counters_.out;
  counters_.bytes_out += datagram.size();
  return true;
}

void GossipSocket::resolve(const std::string& to, Name& name) {
  const auto target = parse_host_port(to);
  if (!target) {
    return;
  }
  asio::error_code error;
  const auto numeric = asio::ip::make_address(target->host, error);
  name.resolved = std::chrono::steady_clock::now();
  if (!error) {
    name.endpoint = udp::endpoint(numeric, target->port);
    name.known = true;
    return;
  }
  name.resolving = true;
  resolver_.async_resolve(
      target->host, std::to_string(target->port),
      [this, to, alive = std::weak_ptr(alive_)](const asio::error_code& failed,
                                                const auto& results) {
        if (!alive.expired()) {
          resolved(to, failed ? Endpoints() : Endpoints(results.begin(), results.end()));
        }
      });
}

void GossipSocket::resolved(const std::string& to, const Endpoints& endpoints) {
  const auto entry = names_.find(to);
  if (entry == names_.end()) {
    return;
  }
  Name& name = entry->second;
  name.resolving = false;
  asio::error_code error;
  const auto protocol = socket_.local_endpoint(error).protocol();
  for (const udp::endpoint& endpoint : endpoints) {
    if (!error && endpoint.protocol() == protocol) {
      name.endpoint = endpoint;
      name.known = true;
      return;
    }
  }
}

}  // namespace brigade::net
