#include "net/mesh.h"

#include <utility>

#include <asio/post.hpp>

#include "base/hex.h"

namespace brigade::net {

Mesh::Mesh(asio::io_context& io, const MeshOptions& options, MeshEvents& events)
    : commons_{io,
               options.self,
               base::Prng(options.seed),
               options.limits,
               {},
               [this](const std::string& reason, bool sure) { events_.doubled(reason, sure); }},
      events_(events),
      accept_again_(io) {}

Mesh::~Mesh() = default;

void Mesh::accept_from(asio::ip::tcp::acceptor acceptor) {
  acceptor_.emplace(std::move(acceptor));
  accept();
}

void Mesh::accept() {
  acceptor_->async_accept([this, alive = std::weak_ptr(alive_)](const asio::error_code& error,
                                                                asio::ip::tcp::socket socket) {
    if (alive.expired() || error == asio::error::operation_aborted) {
      return;
    }
    if (!error) {
      accepted(std::move(socket));
      accept();
      return;
    }
    // Out of file descriptors, most likely: the connection stays in the kernel's queue meanwhile.
    ++commons_.counters.accept_failures;
    accept_again_.expires_after(std::chrono::milliseconds(100));
    accept_again_.async_wait([this, alive](const asio::error_code& cancelled) {
      if (!cancelled && !alive.expired()) {
        accept();
      }
    });
  });
}

void Mesh::accepted(asio::ip::tcp::socket socket) {
  if (inlets_.size() >= commons_.limits.inlets) {
    ++commons_.counters.refused_here;
    return;  // closes it; too many to be polite
  }
  make_room();
  const auto inlet =
      std::make_shared<Inlet>(commons_, std::move(socket), static_cast<Inlet::Owner&>(*this));
  inlets_.emplace(inlet.get(), inlet);
  arrivals_.push_back(inlet);
  ++unknown_inlets_;
  inlet->start();
}

// Who connects and says nothing must not keep out those who do: a peer greets at once.
void Mesh::make_room() {
  while (!arrivals_.empty()) {
    const auto oldest = arrivals_.front().lock();
    const bool waits = oldest && !oldest->peer() && inlets_.contains(oldest.get());
    if (waits && unknown_inlets_ < commons_.limits.unknown_inlets) {
      return;
    }
    arrivals_.pop_front();
    if (waits) {
      ++commons_.counters.refused_here;
      oldest->close();
    }
  }
}

// A process that died leaves connections behind, but says nothing more on them.
const Inlet* Mesh::speaking_twin(const Hello& theirs) const {
  for (const Purpose lane : {Purpose::kUrgent, Purpose::kBulk}) {
    const auto found = lanes_in_.find({theirs.node, lane});
    if (found != lanes_in_.end() && found->second->peer()->boot != theirs.boot &&
        found->second->spoke_within(commons_.limits.silence)) {
      return found->second;
    }
  }
  return nullptr;
}

std::optional<Refused> Mesh::inlet_greeted(Inlet& inlet, const Hello& theirs) {
  if (auto reason = events_.turn_away(theirs)) {
    return Refused{Refusal::kTurnedAway, std::move(*reason)};
  }
  if (theirs.purpose == Purpose::kExchange) {
    if (pending_answers_ >= commons_.limits.pending_answers) {
      return Refused{Refusal::kBusy, commons_.self.name + " has too many questions to answer"};
    }
    ++pending_answers_;
    --unknown_inlets_;
    return std::nullopt;
  }
  if (commons_.self.cluster && !theirs.cluster) {
    return Refused{Refusal::kCluster, theirs.name + " belongs to no cluster, " +
                                          commons_.self.name + " to " +
                                          base::text(*commons_.self.cluster)};
  }
  const auto peer = peers_.find(theirs.node);
  if (peer != peers_.end()) {
    inlet.trust();
  } else if (lanes_in_.size() >= 2 * peers_.size() + commons_.limits.strangers) {
    return Refused{Refusal::kBusy, commons_.self.name + " has too many unknown peers"};
  }
  if (const Inlet* const twin = speaking_twin(theirs)) {
    return Refused{Refusal::kDoubled, doubled(theirs, *twin->peer())};
  }
  --unknown_inlets_;
  Inlet*& slot = lanes_in_[{theirs.node, theirs.purpose}];
  if (Inlet* const older = std::exchange(slot, &inlet)) {
    older->close();
  }
  if (peer != peers_.end()) {
    peer->second.urgent->hurry();
  }
  return std::nullopt;
}

void Mesh::inlet_message(const Inlet& inlet, std::string_view message) {
  events_.received(inlet.peer()->node, message);
}

void Mesh::inlet_question(Inlet& inlet, std::string_view question) {
  events_.asked(*inlet.peer(), question, [weak = inlet.weak_from_this()](std::string text) {
    if (const auto asker = weak.lock()) {
      asker->answer(std::move(text));
    }
  });
}

void Mesh::inlet_closed(Inlet& inlet) {
  const auto entry = inlets_.find(&inlet);
  if (entry == inlets_.end()) {
    return;
  }
  const auto& peer = inlet.peer();
  if (!peer) {
    --unknown_inlets_;
  } else if (peer->purpose == Purpose::kExchange) {
    --pending_answers_;
  } else {
    const auto lane = lanes_in_.find({peer->node, peer->purpose});
    if (lane != lanes_in_.end() && lane->second == &inlet) {
      lanes_in_.erase(lane);
    }
  }
  inlets_.erase(entry);
}

void Mesh::know(base::NodeId peer, const std::string& address) {
  const auto [entry, inserted] = peers_.try_emplace(peer);
  if (!inserted) {
    entry->second.urgent->redirect(address);
    entry->second.bulk->redirect(address);
    return;
  }
  const auto link = [&](Purpose lane) {
    return std::make_shared<Link>(commons_, Link::Target{peer, lane, address},
                                  static_cast<Link::Owner&>(*this));
  };
  for (const Purpose lane : {Purpose::kUrgent, Purpose::kBulk}) {
    if (const auto inlet = lanes_in_.find({peer, lane}); inlet != lanes_in_.end()) {
      inlet->second->trust();
    }
  }
  entry->second = {link(Purpose::kUrgent), link(Purpose::kBulk)};
  entry->second.urgent->open();
}

void Mesh::forget(base::NodeId peer) {
  peers_.erase(peer);
  for (const Purpose lane : {Purpose::kUrgent, Purpose::kBulk}) {
    const auto inlet = lanes_in_.find({peer, lane});
    if (inlet != lanes_in_.end()) {
      inlet->second->close();
    }
  }
}

bool Mesh::send(base::NodeId peer, std::string frame, Lane lane) {
  const auto entry = peers_.find(peer);
  if (entry == peers_.end()) {
    ++commons_.counters.dropped_down;
    return false;
  }
  Link& link = lane == Lane::kUrgent ? *entry->second.urgent : *entry->second.bulk;
  return link.send(std::move(frame));
}

bool Mesh::is_connected(base::NodeId peer) const {
  const auto entry = peers_.find(peer);
  return entry != peers_.end() && entry->second.urgent->is_up();
}

void Mesh::ask(const std::string& address, std::string question, base::Duration patience,
               Exchange::Done done) {
  // Its own key is known only once it exists: the callback looks it up in this cell.
  const auto key = std::make_shared<const Exchange*>(nullptr);
  const auto exchange = std::make_shared<Exchange>(
      commons_, std::move(question),
      [this, key, done = std::move(done)](base::Result<Exchanged> result) {
        exchanges_.erase(*key);
        done(std::move(result));
      });
  *key = exchange.get();
  exchanges_.emplace(exchange.get(), exchange);
  exchange->begin(address, patience);
}

void Mesh::join_cluster(base::ClusterId cluster) {
  commons_.self.cluster = cluster;
  for (const auto& [key, inlet] : std::map(inlets_)) {
    const auto& hello = inlet->peer();
    if (hello && hello->cluster && *hello->cluster != cluster) {
      inlet->close();
    }
  }
}

void Mesh::link_up(const Link& link) {
  if (link.target().lane == Purpose::kUrgent) {
    events_.connected(link.target().peer);
  }
}

void Mesh::link_down(const Link& link, const std::string& reason) {
  if (link.target().lane == Purpose::kUrgent) {
    events_.disconnected(link.target().peer, reason);
  }
}

}  // namespace brigade::net
