// Typed messages between this node and its peers, over the mesh and the gossip socket: encodes what
// leaves, decodes and checks what arrives, and counts what made no sense.
//
// Threads: single-threaded (the io_context's). Trust: a peer's bytes are dropped unless they decode
// and come from whom they say.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>

#include "gossip/founding_messages.h"
#include "gossip/messages.h"
#include "net/gossip_socket.h"
#include "net/mesh.h"
#include "net/peer_sockets.h"
#include "node/actions.h"
#include "node/messages.h"

namespace brigade::app {

// What arrives. Called on the loop, one at a time.
class PeerInbox {
 public:
  virtual ~PeerInbox() = default;
  virtual void received(base::NodeId from, const node::PeerMessage& message) = 0;
  virtual void received(base::ShardId shard, const raft::Message& message) = 0;
  virtual void received(const gossip::FoundingMessage& message) = 0;
  virtual void received(const std::string& from, gossip::Datagram datagram) = 0;
  // `answer` takes an encoded StreamMessage (Peers::text) once, now or never.
  virtual void requested(gossip::StreamMessage message, net::Answer answer) = 0;
  // Another process has this node's id (net::MeshEvents::doubled).
  virtual void doubled(const std::string& problem, bool sure) = 0;
  // The charter of the cluster that this node belongs to, for one that wants to join.
  virtual std::optional<gossip::Charter> charter() = 0;
};

class Peers final : private net::MeshEvents {
 public:
  struct Counters {
    std::uint64_t malformed = 0;  // frames, questions and datagrams that were dropped
    std::uint64_t late = 0;       // messages whose tokens had expired before they left
  };

  // Begins to accept and receive at once. Requires: `io` and `inbox` outlive this.
  Peers(asio::io_context& io, net::PeerSockets sockets, const net::MeshOptions& options,
        PeerInbox& inbox);

  // This node is a member of this cluster from now on.
  void join(base::ClusterId cluster) { mesh_.join_cluster(cluster); }
  void know(base::NodeId peer, const std::string& address) { mesh_.know(peer, address); }
  void forget(base::NodeId peer) { mesh_.forget(peer); }

  // False: it expired. `fast` is this machine's fast line now (semantics 3.5).
  bool send(const node::Send& send, base::TimePoint fast);
  void send(const node::RaftSend& send);
  // `done` hears whether it arrived, and at whom.
  void send(const std::string& address, const gossip::FoundingMessage& message,
            net::Exchange::Done done);
  void send(const std::string& address, const gossip::Datagram& datagram);

  // `done` gets the answer, or nothing when there was none or it made no sense.
  void ask(const std::string& address, const gossip::StreamMessage& message,
           base::Duration patience, std::function<void(std::optional<gossip::StreamMessage>)> done);
  void ask_charter(const std::string& address,
                   std::function<void(base::Result<gossip::Charter>)> done);

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] const net::MeshCounters& mesh_counters() const { return mesh_.counters(); }
  [[nodiscard]] const net::GossipSocket::Counters& gossip_counters() const {
    return gossip_.counters();
  }

 private:
  void received(base::NodeId from, std::string_view frame) override;
  void connected(base::NodeId peer) override;
  void disconnected(base::NodeId peer, const std::string& reason) override;
  void asked(const net::Hello& from, std::string_view question, net::Answer answer) override;
  void doubled(const std::string& reason, bool sure) override { inbox_.doubled(reason, sure); }
  std::optional<std::string> turn_away(const net::Hello& from) override;
  void datagram(const std::string& from, std::string_view bytes);

  PeerInbox& inbox_;
  std::string name_;
  Counters counters_;
  net::Mesh mesh_;
  net::GossipSocket gossip_;
};

}  // namespace brigade::app
