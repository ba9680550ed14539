// What is heard of members, and what follows from it.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "gossip/core_state.h"

namespace brigade::gossip {
namespace {

struct Reading {
  News operator()(const Alive& alive) const {
    return {alive.id, MemberState::kAlive, alive.incarnation, {}, &alive};
  }
  News operator()(const Suspect& suspect) const {
    return {suspect.id, MemberState::kSuspect, suspect.incarnation, suspect.accuser, nullptr};
  }
  News operator()(const Dead& dead) const {
    return {dead.id, MemberState::kDead, dead.incarnation, dead.accuser, nullptr};
  }
  News operator()(const Left& left) const {
    return {left.id, MemberState::kLeft, left.incarnation, {}, nullptr};
  }
};

Relation relate(Incarnation heard, Incarnation held) {
  if (heard == held) {
    return Relation::kSame;
  }
  return heard < held ? Relation::kOlder : Relation::kNewer;
}

bool describes(const Alive& alive, const Member& member) {
  return alive.name == member.name && alive.address == member.address && alive.meta == member.meta;
}

Alive alive_of(const Member& m) {
  return Alive{m.id, m.name, m.address, m.meta, m.incarnation};
}

}  // namespace

void Core::State::hear(const Update& update) {
  const News news = std::visit(Reading{}, update);
  if (news.id == self.id) {
    hear_of_self(news);
  } else {
    hear_of_peer(news);
  }
}

void Core::State::hear_of_self(const News& news) {
  const bool own_words = news.alive != nullptr && describes(*news.alive, self);
  const auto behaviour = stage == Stage::kStaying ? SelfStage::kStaying : SelfStage::kLeaving;
  const Ruling ruling =
      rule_self(behaviour, news.state, relate(news.incarnation, self.incarnation), own_words);
  if (ruling.verdict != Verdict::kRefute) {
    return;
  }
  if (!news.incarnation.plausible_after(self.incarnation)) {
    COVERED("an implausible incarnation of this node is dropped");
    drop("gossip-implausible", self.id);
    return;
  }
  if (config.plant != Plant::kRefuteKeepsIncarnation) {
    self.incarnation = std::max(self.incarnation, news.incarnation).next();
  }
  if (news.state != MemberState::kAlive) {
    worsen(1);
  }
  ++stats.refutations;
  out->note("gossip-refuted", self.incarnation.value(), news.accuser.value());
  spread(self.id);
}

void Core::State::hear_of_peer(const News& news) {
  Peer* peer = roster.find(news.id);
  const Incarnation held = peer == nullptr ? Incarnation() : peer->member.incarnation;
  if (!news.incarnation.plausible_after(held)) {
    COVERED("an implausible incarnation of a member is dropped");
    drop("gossip-implausible", news.id);
    return;
  }
  Relation relation = peer == nullptr ? Relation::kNewer : relate(news.incarnation, held);
  if (config.plant == Plant::kOlderAliveResurrects && news.alive != nullptr && peer != nullptr &&
      !is_live(peer->member.state)) {
    relation = Relation::kNewer;
  }
  const auto state = peer == nullptr ? std::nullopt : std::optional(peer->member.state);
  const Ruling ruling = rule(state, news.state, relation);
  if (ruling.verdict == Verdict::kAdopt) {
    adopt(peer, news, ruling.next);
  } else if (ruling.verdict == Verdict::kConfirm) {
    confirm(*peer, news.accuser);
  }
}

void Core::State::adopt(Peer* peer, const News& news, MemberState next) {
  std::optional<MemberState> before;
  bool described_anew = false;
  const Incarnation held = peer == nullptr ? Incarnation() : peer->member.incarnation;
  if (peer == nullptr) {
    Member member{news.id,          news.alive->name, news.alive->address,
                  news.alive->meta, news.incarnation, MemberState::kAlive};
    std::optional<NodeId> dropped;
    peer = roster.insert(std::move(member), now, dropped);
    if (dropped) {
      rumours.remove(*dropped);
      digests.forget(*dropped);
      out->add(MemberForgotten{*dropped});
    }
    if (peer == nullptr) {
      drop("gossip-roster-full", news.id);
      return;
    }
    meet(*peer);
  } else {
    before = peer->member.state;
    peer->member.incarnation = news.incarnation;
    if (news.alive != nullptr && !describes(*news.alive, peer->member)) {
      described_anew = true;
      peer->member.name = news.alive->name;
      peer->member.address = news.alive->address;
      peer->member.meta = news.alive->meta;
    }
  }
  peer->accuser = news.accuser;
  if (next == MemberState::kSuspect) {
    roster.set_suspect(*peer, Suspicion(suspicion_bounds(config, live_count()), news.accuser, now),
                       now);
  } else {
    roster.set_state(*peer, next, now);
  }
  if (!is_live(next)) {
    forget_at = std::min(forget_at, peer->since + config.forget_after);
  } else if (before && !is_live(*before)) {
    COVERED("a member comes back from the dead");
    meet(*peer);
  }
  const bool started_anew = news.incarnation.starts() != held.starts();
  if (!before || *before != next || described_anew || started_anew) {
    out->add(MemberChanged{peer->member, before});
  }
  spread(news.id);
}

// A member became live: probe it, and say who we are.
void Core::State::meet(Peer& peer) {
  const Member& member = peer.member;
  add_to_order(member.id);
  const NodeId holder =
      member.name == self.name ? self.id : roster.namesake(member.name, member.id);
  if (holder) {
    out->add(Conflict{holder, member.id});
  }
  met_anybody = true;
  digests.announce_own();
  wake_gossip();
  if (stage != Stage::kStaying) {
    return;
  }
  const TimePoint sync_due = now + dice.between(Duration{1}, sync_interval());
  sync_at = std::min(sync_at, sync_due);
  if (seek_at == base::kNever) {
    seek_at = now + config.reconnect_interval;
  }
}

void Core::State::confirm(Peer& peer, NodeId accuser) {
  const auto weight = config.plant == Plant::kOriginatorConfirms ? peer.suspicion->confirm_anyhow()
                                                                 : peer.suspicion->confirm(accuser);
  if (weight == Suspicion::Weight::kConfirms) {
    COVERED("another accuser shortens a suspicion");
    peer.accuser = accuser;
    spread(peer.member.id);
  }
}

void Core::State::expire_suspicions() {
  if (config.plant == Plant::kSuspicionNeverExpires) {
    return;
  }
  for (const NodeId id : roster.expired_suspects(now)) {
    const Incarnation incarnation = roster.find(id)->member.incarnation;
    out->note("gossip-suspicion-expired", id.value(), incarnation.value());
    hear_of_peer(News{id, MemberState::kDead, incarnation, self.id, nullptr});
  }
}

void Core::State::merge(const std::vector<Member>& members) {
  for (const Member& member : members) {
    const Alive alive = alive_of(member);
    // Who is unknown is met first, whatever became of it, unless it is gone: then it is no loss.
    if (member.state == MemberState::kAlive ||
        (member.state == MemberState::kSuspect && find(member.id) == nullptr)) {
      hear(alive);
    }
    switch (member.state) {
      case MemberState::kAlive:
        break;
      case MemberState::kSuspect:
        hear(Suspect{member.id, member.incarnation, {}});
        break;
      case MemberState::kDead:
        hear(Dead{member.id, member.incarnation, {}});
        break;
      case MemberState::kLeft:
        hear(Left{member.id, member.incarnation});
        break;
    }
  }
}

Update Core::State::news_of(NodeId id) const {
  const Member& member = *find(id);
  const Peer* peer = roster.find(id);
  const NodeId accuser = peer == nullptr ? NodeId() : peer->accuser;
  switch (member.state) {
    case MemberState::kAlive:
      break;
    case MemberState::kSuspect:
      return Suspect{id, member.incarnation, accuser};
    case MemberState::kDead:
      return Dead{id, member.incarnation, accuser};
    case MemberState::kLeft:
      return Left{id, member.incarnation};
  }
  return alive_of(member);
}

}  // namespace brigade::gossip
