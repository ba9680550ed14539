// Gossip rounds, and what rides on every datagram. Source: SWIM section 4.1, Lifeguard IV.C.
#include <utility>

#include "base/coverage.h"
#include "gossip/core_state.h"

namespace brigade::gossip {

void Core::State::spread(NodeId id) {
  rumours.add(id);
  wake_gossip();
}

void Core::State::wake_gossip() {
  if (gossip_at == base::kNever && is_member()) {
    gossip_at = std::max(now, gossiped_at + config.gossip_interval);
  }
}

void Core::State::gossip_turn() {
  if (now < gossip_at) {
    return;
  }
  gossiped_at = now;
  gossip_at = base::kNever;
  const std::vector<NodeId> listeners =
      roster.pick_listeners(config.fanout, now - config.gossip_to_dead, dice);
  for (const NodeId id : listeners) {
    if (rumours.empty() && !digests.waiting()) {
      break;
    }
    send(roster.find(id)->member.address, id, Gossip{});
  }
  // Without listeners the news keeps until somebody comes.
  if (!listeners.empty() && (!rumours.empty() || digests.waiting())) {
    gossip_at = now + config.gossip_interval;
  }
}

void Core::State::send(const std::string& address, NodeId to, decltype(Datagram::body) body) {
  Datagram datagram{identity.cluster, self.id, self.incarnation, std::move(body), {}, {}};
  fill(datagram, to);
  const bool pure_gossip = std::holds_alternative<Gossip>(datagram.body);
  if (pure_gossip && datagram.updates.empty() && datagram.digests.empty()) {
    return;  // the digest budget is used up
  }
  ++stats.datagrams_sent;
  stats.bytes_sent_bound += size_bound(datagram);
  out->add(SendDatagram{address, std::move(datagram)});
}

void Core::State::fill(Datagram& datagram, NodeId to) {
  const std::size_t used = size_bound(datagram);
  Rumours::Room room;
  room.bytes = used < config.datagram_bytes ? config.datagram_bytes - used : 0;
  room.entries = kUpdatesPerDatagramMax;
  if (config.plant == Plant::kIgnoresPacketBudget) {
    room.bytes = std::size_t{1} << 20U;
  }
  // Lifeguard's buddy system, extended to the dead: who is talked ill of hears it from us at once.
  const Peer* peer = roster.find(to);
  if (peer != nullptr && peer->member.state != MemberState::kAlive) {
    const Update accusation = news_of(to);
    if (size_bound(accusation) <= room.bytes) {
      COVERED("an accused member is told what is said of it");
      room.bytes -= size_bound(accusation);
      --room.entries;
      datagram.updates.push_back(accusation);
    }
  }
  digests_choose_first = !digests_choose_first;
  if (!digests_choose_first) {
    add_updates(datagram, room);
  }
  Rumours::Room digest_room{room.bytes, kDigestsPerDatagramMax};
  datagram.digests = digests.tell(digest_room, live_count(), now);
  room.bytes = digest_room.bytes;
  if (digests_choose_first) {
    add_updates(datagram, room);
  }
}

void Core::State::add_updates(Datagram& datagram, Rumours::Room& room) {
  const std::uint32_t limit = config.plant == Plant::kForgetsRetransmitLimit
                                  ? UINT32_MAX
                                  : retransmit_limit(config, live_count());
  const auto size_of = [this](NodeId id) {
    return find(id) == nullptr ? std::size_t{0} : size_bound(news_of(id));
  };
  for (const NodeId id : rumours.tell(room, limit, size_of)) {
    datagram.updates.push_back(news_of(id));
  }
}

}  // namespace brigade::gossip
