// The mesh: TCP connections between this node and every peer it knows, and one-shot exchanges with
// addresses whose node is not known yet.
//
// Each node dials each peer it knows, on two lanes: small urgent frames never wait behind a
// snapshot. Frames of one lane arrive in order while the connection lasts; between lanes and across
// connections there is no order, and any frame may be lost. Both sides greet with who they are
// (hello.h) and refuse another cluster, another protocol and their own node id, saying why.
//
// Threads: single-threaded (the io_context's). Ownership: outlives no io_context; what it calls
// back may call it again, but must not destroy it. Limits: MeshLimits; at a bound the newest is
// dropped.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "net/exchange.h"
#include "net/inlet.h"
#include "net/link.h"
#include "net/mesh_commons.h"

namespace brigade::net {

enum class Lane : std::uint8_t {
  kUrgent,  // heartbeats, votes, renewals, loans
  kBulk,    // snapshots and large appends
};

// What an exchange's answerer calls once, now or later; without effect when the asker has gone.
using Answer = std::function<void(std::string)>;

class MeshEvents {
 public:
  virtual ~MeshEvents() = default;
  // `frame` is valid during the call.
  virtual void received(base::NodeId from, std::string_view frame) = 0;
  // What this node sends to `peer` arrives from now on (and until disconnected).
  virtual void connected(base::NodeId peer) = 0;
  // Also when a first attempt fails, once per reason.
  virtual void disconnected(base::NodeId peer, const std::string& reason) = 0;
  virtual void asked(const Hello& from, std::string_view question, Answer answer) = 0;
  // Another process has this node's id. `sure`: it answered here and now; else somebody else says
  // so, or one that came from outside says that it is this node.
  virtual void doubled(const std::string& reason, bool sure) = 0;
  // A reason not to talk with them (a removed node, a name that is taken); none: welcome.
  virtual std::optional<std::string> turn_away(const Hello& from) = 0;
};

struct MeshOptions {
  Hello self;              // cluster, node, boot, name and advertised address
  std::uint64_t seed = 0;  // for the jitter of retries
  MeshLimits limits;
};

class Mesh final : private Link::Owner, private Inlet::Owner {
 public:
  Mesh(asio::io_context& io, const MeshOptions& options, MeshEvents& events);
  ~Mesh();
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;

  // Begins to accept peers.
  void accept_from(asio::ip::tcp::acceptor acceptor);
  // This node became a member: leaves peers of other clusters.
  void join_cluster(base::ClusterId cluster);

  // Keeps a connection to this peer from now on; again with another address: it moved.
  void know(base::NodeId peer, const std::string& address);
  // Closes what leads to and comes from it.
  void forget(base::NodeId peer);
  // Queues a frame of at most kMaxFrameBytes. False if it was dropped (unknown peer, no connection,
  // full queue); true is no promise that it arrives.
  bool send(base::NodeId peer, std::string frame, Lane lane);
  // Asks whoever is at `address`. `done` is called once, within `patience` of the connection
  // (and MeshLimits::dial_patience for that), never from within ask().
  void ask(const std::string& address, std::string question, base::Duration patience,
           Exchange::Done done);

  [[nodiscard]] bool is_connected(base::NodeId peer) const;
  [[nodiscard]] const MeshCounters& counters() const { return commons_.counters; }

 private:
  struct Peer {
    std::shared_ptr<Link> urgent;
    std::shared_ptr<Link> bulk;
  };

  void accept();
  void accepted(asio::ip::tcp::socket socket);
  void make_room();
  [[nodiscard]] const Inlet* speaking_twin(const Hello& theirs) const;

  void link_up(const Link& link) override;
  void link_down(const Link& link, const std::string& reason) override;
  std::optional<Refused> inlet_greeted(Inlet& inlet, const Hello& theirs) override;
  void inlet_message(const Inlet& inlet, std::string_view message) override;
  void inlet_question(Inlet& inlet, std::string_view question) override;
  void inlet_closed(Inlet& inlet) override;

  MeshCommons commons_;
  MeshEvents& events_;
  std::optional<asio::ip::tcp::acceptor> acceptor_;
  asio::steady_timer accept_again_;
  std::map<base::NodeId, Peer> peers_;
  std::map<const Inlet*, std::shared_ptr<Inlet>> inlets_;
  std::deque<std::weak_ptr<Inlet>> arrivals_;  // those not greeted yet are among them
  // At most one inlet per peer and lane: a newer one replaces what a dead process left behind.
  std::map<std::pair<base::NodeId, Purpose>, Inlet*> lanes_in_;
  std::map<const Exchange*, std::shared_ptr<Exchange>> exchanges_;
  std::size_t unknown_inlets_ = 0;
  std::size_t pending_answers_ = 0;
  // Handlers that are queued already when this object dies see that it did.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace brigade::net
