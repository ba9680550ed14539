#include "gossip/roster.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace brigade::gossip {
namespace {

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

std::uint64_t fingerprint(const Member& member) {
  return mix(mix(member.id.value() + 0x9e3779b97f4a7c15U) ^ member.incarnation.value());
}

// The first `count` of a random order of `pool`.
std::vector<NodeId> sample(std::vector<NodeId> pool, std::size_t count, base::Prng& dice) {
  const std::size_t wanted = std::min(count, pool.size());
  for (std::size_t i = 0; i < wanted; ++i) {
    std::swap(pool[i], pool[i + static_cast<std::size_t>(dice.below(pool.size() - i))]);
  }
  pool.resize(wanted);
  return pool;
}

}  // namespace

Peer* Roster::find(NodeId id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

const Peer* Roster::find(NodeId id) const {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

Peer* Roster::insert(Member member, TimePoint now, std::optional<NodeId>& dropped) {
  if (peers_.size() >= kMembersMax) {
    const Peer* oldest = nullptr;
    for (const auto& [id, peer] : peers_) {
      if (!is_live(peer.member.state) && (oldest == nullptr || peer.since < oldest->since)) {
        oldest = &peer;
      }
    }
    if (oldest == nullptr) {
      return nullptr;
    }
    dropped = oldest->member.id;
    erase(*dropped);
  }
  const NodeId id = member.id;
  Peer peer;
  peer.member = std::move(member);
  peer.since = now;
  live_.push_back(id);
  return &peers_.emplace(id, std::move(peer)).first->second;
}

void Roster::set_state(Peer& peer, MemberState state, TimePoint now) {
  BRIGADE_CHECK(state != MemberState::kSuspect);
  peer.suspicion.reset();
  suspects_.erase(peer.member.id);
  change_state(peer, state, now);
}

void Roster::set_suspect(Peer& peer, const Suspicion& suspicion, TimePoint now) {
  peer.suspicion = suspicion;
  suspects_.insert(peer.member.id);
  change_state(peer, MemberState::kSuspect, now);
}

void Roster::change_state(Peer& peer, MemberState state, TimePoint now) {
  const bool was_live = is_live(peer.member.state);
  if (peer.member.state != state) {
    peer.since = now;
  }
  peer.member.state = state;
  if (was_live && !is_live(state)) {
    std::erase(live_, peer.member.id);
  } else if (!was_live && is_live(state)) {
    live_.push_back(peer.member.id);
  }
}

void Roster::erase(NodeId id) {
  std::erase(live_, id);
  suspects_.erase(id);
  peers_.erase(id);
}

std::vector<NodeId> Roster::pick_alive(std::size_t count, NodeId except, base::Prng& dice) const {
  std::vector<NodeId> pool;
  for (const NodeId id : live_) {
    if (id != except && !suspects_.contains(id)) {
      pool.push_back(id);
    }
  }
  return sample(std::move(pool), count, dice);
}

std::vector<NodeId> Roster::pick_listeners(std::size_t count, TimePoint dead_since,
                                           base::Prng& dice) const {
  std::vector<NodeId> pool = live_;
  if (pool.size() < peers_.size()) {
    for (const auto& [id, peer] : peers_) {
      if (peer.member.state == MemberState::kDead && peer.since >= dead_since) {
        pool.push_back(id);
      }
    }
  }
  return sample(std::move(pool), count, dice);
}

NodeId Roster::namesake(const std::string& name, NodeId id) const {
  for (const auto& [other, peer] : peers_) {
    if (other != id && is_live(peer.member.state) && peer.member.name == name) {
      return other;
    }
  }
  return {};
}

TimePoint Roster::suspicion_deadline() const {
  TimePoint earliest = base::kNever;
  for (const NodeId id : suspects_) {
    earliest = std::min(earliest, find(id)->suspicion->deadline());
  }
  return earliest;
}

std::vector<NodeId> Roster::expired_suspects(TimePoint now) const {
  std::vector<NodeId> expired;
  for (const NodeId id : suspects_) {
    if (find(id)->suspicion->deadline() <= now) {
      expired.push_back(id);
    }
  }
  return expired;
}

void Roster::postpone_suspicions(Duration lost) {
  for (const NodeId id : suspects_) {
    find(id)->suspicion->postpone(lost);
  }
}

std::uint64_t Roster::view(const Member& self) const {
  std::uint64_t sum = is_live(self.state) ? fingerprint(self) : 0;
  for (const auto& [id, peer] : peers_) {
    sum += is_live(peer.member.state) ? fingerprint(peer.member) : 0;
  }
  return sum == 0 ? 1 : sum;
}

void Roster::check_invariants() const {
  std::size_t live = 0;
  for (const auto& [id, peer] : peers_) {
    BRIGADE_CHECK(id == peer.member.id);
    BRIGADE_CHECK(peer.suspicion.has_value() == (peer.member.state == MemberState::kSuspect));
    BRIGADE_CHECK(peer.suspicion.has_value() == suspects_.contains(id));
    live += is_live(peer.member.state) ? 1U : 0U;
  }
  BRIGADE_CHECK(live == live_.size());
  BRIGADE_CHECK(peers_.size() <= kMembersMax);
}

}  // namespace brigade::gossip
