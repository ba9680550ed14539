#include "app/cluster/peers.h"

#include <string_view>
#include <utility>
#include <variant>

#include <spdlog/spdlog.h>

#include "base/hex.h"
#include "node/replica.h"
#include "wire/founding_codec.h"
#include "wire/gossip_codec.h"
#include "wire/peer_codec.h"

namespace brigade::app {
namespace {

// The first byte of a question says what it is about.
constexpr char kFounding = 'F';
constexpr char kGossip = 'G';
constexpr char kCharter = 'C';

constexpr base::Duration kFoundingPatience = base::seconds(2);
constexpr base::Duration kCharterPatience = base::seconds(5);

// Appends of at least this many bytes, and snapshots, must not hold up what is urgent.
constexpr std::size_t kBulkBytes = std::size_t{64} << 10U;

net::Lane lane_of(const std::string& frame) {
  return frame.size() >= kBulkBytes ? net::Lane::kBulk : net::Lane::kUrgent;
}

std::string question(char kind, const std::string& bytes) {
  return std::string(1, kind) + bytes;
}

// Bytes at an 8-byte boundary, which the codec reads in place.
std::string aligned(std::string_view question) {
  return std::string(question.substr(1));
}

}  // namespace

Peers::Peers(asio::io_context& io, net::PeerSockets sockets, const net::MeshOptions& options,
             PeerInbox& inbox)
    : inbox_(inbox),
      name_(options.self.name),
      mesh_(io, options, *this),
      gossip_(std::move(sockets.udp),
              [this](const std::string& from, std::string_view bytes) { datagram(from, bytes); }) {
  mesh_.accept_from(std::move(sockets.tcp));
}

// ---- what leaves ----

bool Peers::send(const node::Send& send, base::TimePoint fast) {
  if (fast >= send.expires) {
    ++counters_.late;
    return false;
  }
  std::string frame = wire::encode(send.message);
  const net::Lane lane = lane_of(frame);
  mesh_.send(send.to, std::move(frame), lane);
  return true;
}

void Peers::send(const node::RaftSend& send) {
  std::string frame =
      wire::encode(wire::ShardMessage{.shard = send.shard, .message = send.message});
  const net::Lane lane = lane_of(frame);
  mesh_.send(send.to, std::move(frame), lane);
}

void Peers::send(const std::string& address, const gossip::FoundingMessage& message,
                 net::Exchange::Done done) {
  mesh_.ask(address, question(kFounding, wire::encode(message)), kFoundingPatience,
            std::move(done));
}

void Peers::send(const std::string& address, const gossip::Datagram& datagram) {
  gossip_.send(address, wire::encode(datagram));
}

void Peers::ask(const std::string& address, const gossip::StreamMessage& message,
                base::Duration patience,
                std::function<void(std::optional<gossip::StreamMessage>)> done) {
  mesh_.ask(address, question(kGossip, wire::encode(message)), patience,
            [this, address, done = std::move(done)](const base::Result<net::Exchanged>& answer) {
              if (!answer) {
                spdlog::debug("{}: {}", address, answer.error().message);
                done(std::nullopt);
                return;
              }
              auto reply = wire::decode_stream(answer->answer);
              if (!reply || reply->from != answer->peer.node) {
                ++counters_.malformed;
                done(std::nullopt);
                return;
              }
              done(std::move(reply).value());
            });
}

void Peers::ask_charter(const std::string& address,
                        std::function<void(base::Result<gossip::Charter>)> done) {
  mesh_.ask(address, question(kCharter, {}), kCharterPatience,
            [done = std::move(done)](const base::Result<net::Exchanged>& answer) {
              if (!answer) {
                done(answer.error());
                return;
              }
              auto charter = wire::decode_charter(answer->answer);
              if (charter && !gossip::well_formed(*charter)) {
                charter = base::Error{"its charter makes no sense"};
              }
              done(std::move(charter));
            });
}

// ---- what arrives ----

void Peers::received(base::NodeId from, std::string_view frame) {
  const auto decoded = wire::decode_frame(frame);
  if (!decoded) {
    ++counters_.malformed;
    spdlog::debug("a frame of {}: {}", base::text(from), decoded.error().message);
    return;
  }
  if (const auto* message = std::get_if<node::PeerMessage>(&*decoded)) {
    inbox_.received(from, *message);
    return;
  }
  const auto& [shard, message] = std::get<wire::ShardMessage>(*decoded);
  if (node::node_of(message.from) != from) {
    ++counters_.malformed;
    return;
  }
  inbox_.received(shard, message);
}

void Peers::datagram(const std::string& from, std::string_view bytes) {
  auto decoded = wire::decode_datagram(bytes);
  if (!decoded) {
    ++counters_.malformed;
    return;
  }
  inbox_.received(from, std::move(decoded).value());
}

void Peers::asked(const net::Hello& from, std::string_view question, net::Answer answer) {
  const char kind = question.empty() ? '\0' : question.front();
  if (kind == kFounding) {
    const auto message = wire::decode_founding(aligned(question));
    answer({});
    if (message && message->from.id == from.node && gossip::well_formed(*message)) {
      inbox_.received(*message);
      return;
    }
  } else if (kind == kGossip) {
    auto message = wire::decode_stream(aligned(question));
    if (message && message->from == from.node) {
      inbox_.requested(std::move(message).value(), std::move(answer));
      return;
    }
  } else if (kind == kCharter) {
    const auto charter = inbox_.charter();
    answer(charter ? wire::encode(*charter) : std::string());
    return;
  }
  ++counters_.malformed;
}

void Peers::connected(base::NodeId peer) {
  spdlog::debug("peer {}: connected", base::text(peer));
}

void Peers::disconnected(base::NodeId peer, const std::string& reason) {
  spdlog::info("peer {}: {}", base::text(peer), reason);
}

std::optional<std::string> Peers::turn_away(const net::Hello& from) {
  if (from.name == name_ && from.purpose != net::Purpose::kExchange) {
    return "the name " + name_ + " is taken: choose another --name";
  }
  return std::nullopt;
}

}  // namespace brigade::app
