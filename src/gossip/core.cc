#include "gossip/core.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"
#include "gossip/core_state.h"

namespace brigade::gossip {

Core::State::State(const Config& c, Identity who, base::Prng d, TimePoint t)
    : config(c),
      identity(std::move(who)),
      dice(d),
      now(t),
      self{identity.id,   identity.name,        identity.address,
           identity.meta, identity.incarnation, MemberState::kAlive},
      digests(config, identity.id, t),
      gossiped_at(t - c.gossip_interval) {
  BRIGADE_CHECK(identity.id && !identity.name.empty() && identity.name.size() <= kNameMax);
  BRIGADE_CHECK(!identity.address.empty() && identity.address.size() <= kAddressMax);
  BRIGADE_CHECK(identity.meta.size() <= kMetaMax);
  // A late answer to a former life must not match a probe of this one.
  last_seq = dice.below(std::uint64_t{1} << 62U);
  rumours.add(self.id);
}

// ---- inputs ----

void Core::State::on(const DatagramReceived& input) {
  const Datagram& datagram = input.datagram;
  if (!well_formed(datagram) || input.from.size() > kAddressMax) {
    drop("gossip-malformed", datagram.from);
    return;
  }
  const bool ours = datagram.cluster == identity.cluster;
  if (!is_member() || (!ours && config.plant != Plant::kAcceptsOtherClusters)) {
    drop("gossip-other-cluster", datagram.from);
    return;
  }
  if (datagram.from == self.id) {
    drop("gossip-from-self", datagram.from);
    return;
  }
  for (const Update& update : datagram.updates) {
    hear(update);
  }
  for (const Digest& digest : datagram.digests) {
    const Peer* peer = roster.find(digest.id);
    if (peer == nullptr || !digest.incarnation.plausible_after(peer->member.incarnation)) {
      continue;  // our own, a stranger's, or nobody's
    }
    if (digests.hear(digest, now) == DigestBoard::Hearing::kNewer) {
      out->add(DigestChanged{digest.id});
      wake_gossip();
    }
  }
  std::visit([&](const auto& body) { answer(input, body); }, datagram.body);
}

void Core::State::on(const StreamRequested& input) {
  if (!well_formed(input.message)) {
    ++stats.dropped;
    out->add(AnswerStream{input.token, message(SyncRefusal{RefusalReason::kMalformed})});
    return;
  }
  out->add(AnswerStream{input.token, message(answer_to(input.message))});
}

void Core::State::on(const StreamAnswered& input) {
  const auto found = exchanges.find(input.exchange);
  if (found == exchanges.end()) {
    return;  // too late
  }
  const Exchange asked = found->second;
  exchanges.erase(found);
  if (round && round->stream == input.exchange) {
    const bool there = std::holds_alternative<StreamAck>(input.message.body) &&
                       input.message.from == round->target;
    if (there && well_formed(input.message)) {
      COVERED("a probe by stream vouches for a member whose datagrams are lost");
      out->note("gossip-datagrams-blocked", round->target.value());
      probe_succeeded();
    }
  } else if (well_formed(input.message)) {
    on_reply(asked, input.message);
  } else {
    drop("gossip-malformed", input.message.from);
  }
}

void Core::State::on(const StreamFailed& input) {
  exchanges.erase(input.exchange);
}

void Core::State::on(const SetMeta& input) {
  BRIGADE_CHECK(input.meta.size() <= kMetaMax);
  if (input.meta == self.meta || stage != Stage::kStaying) {
    return;
  }
  self.meta = input.meta;
  // One incarnation says one thing.
  self.incarnation = self.incarnation.next();
  spread(self.id);
}

void Core::State::on(const SetDigest& input) {
  BRIGADE_CHECK(input.content.size() <= kDigestMax);
  digests.set_own(input.content);
}

void Core::State::on(const Join& input) {
  std::vector<Seed> listed;
  for (const std::string& address : input.seeds) {
    const auto same = [&address](const Seed& seed) { return seed.address == address; };
    const auto known = std::find_if(seeds.begin(), seeds.end(), same);
    const bool usable = !address.empty() && address.size() <= kAddressMax;
    if (usable && std::none_of(listed.begin(), listed.end(), same)) {
      listed.push_back(known != seeds.end() ? *known : Seed{address, {}});
    }
  }
  seeds = std::move(listed);
  ask_seeds();
}

void Core::State::on(const Leave&) {
  if (stage != Stage::kStaying) {
    return;
  }
  stage = Stage::kLeaving;
  leave_ends = now + config.leave_timeout;
  self.state = MemberState::kLeft;
  round.reset();
  probe_at = base::kNever;
  seek_at = base::kNever;
  sync_at = base::kNever;
  spread(self.id);
}

void Core::State::on(const Remove& input) {
  const Peer* peer = roster.find(input.id);
  if (peer != nullptr) {
    hear_of_peer(News{input.id, MemberState::kLeft, peer->member.incarnation, {}, nullptr});
  }
}

// ---- time ----

void Core::State::run_timers() {
  if (stage == Stage::kGone) {
    return;
  }
  expire_exchanges();
  expire_suspicions();
  relay_turn();
  if (is_member()) {
    const bool silent = !digests.waiting();
    digests.publish(self.incarnation, now);
    if (silent && digests.waiting()) {
      wake_gossip();
    }
    probe_turn();
    sync_turn();
    gossip_turn();
  }
  seek_turn();
  forget_old();
  finish_leaving();
}

TimePoint Core::State::deadline() const {
  if (stage == Stage::kGone) {
    return base::kNever;
  }
  TimePoint due = std::min({probe_at, gossip_at, sync_at, seek_at, forget_at, leave_ends});
  if (round) {
    due = std::min({due, round->widens, round->ends});
  }
  if (is_member()) {
    due = std::min(due, digests.deadline());
  }
  if (config.plant != Plant::kSuspicionNeverExpires) {
    due = std::min(due, roster.suspicion_deadline());
  }
  for (const auto& [seq, relay] : relays) {
    due = std::min({due, relay.nack_at, relay.ends});
  }
  for (const auto& [id, exchange] : exchanges) {
    due = std::min(due, exchange.ends);
  }
  return due;
}

void Core::State::forget_old() {
  if (now < forget_at) {
    return;
  }
  forget_at = base::kNever;
  std::vector<NodeId> old;
  for (const auto& [id, peer] : roster.peers()) {
    if (is_live(peer.member.state)) {
      continue;
    }
    const TimePoint due = peer.since + config.forget_after;
    if (due <= now) {
      old.push_back(id);
    } else {
      forget_at = std::min(forget_at, due);
    }
  }
  for (const NodeId id : old) {
    roster.erase(id);
    rumours.remove(id);
    digests.forget(id);
    out->add(MemberForgotten{id});
  }
}

void Core::State::finish_leaving() {
  if (stage != Stage::kLeaving) {
    return;
  }
  if (now >= leave_ends || !rumours.contains(self.id) || roster.live().empty() || !is_member()) {
    stage = Stage::kGone;
    relays.clear();
    exchanges.clear();
    out->add(LeaveDone{});
  }
}

// This process stood still: nobody else is to blame for what it did not hear meanwhile.
void Core::State::excuse(Duration lost) {
  COVERED("a process that stood still blames nobody");
  out->note("gossip-stood-still", static_cast<std::uint64_t>(lost.count()));
  roster.postpone_suspicions(lost);
  worsen(1);
  if (round && !round->excused) {
    // Answers may wait in the socket: their time runs from now.
    round->excused = true;
    const Duration grace = lost + config.probe_timeout;
    round->ends += grace;
    round->widens = round->widens == base::kNever ? base::kNever : round->widens + grace;
  }
}

void Core::State::worsen(std::uint32_t by) {
  health = std::min(config.health_max - 1, health + by);
}

const Member* Core::State::find(NodeId id) const {
  if (id == self.id) {
    return &self;
  }
  const Peer* peer = roster.find(id);
  return peer == nullptr ? nullptr : &peer->member;
}

void Core::State::drop(const char* why, NodeId who) {
  ++stats.dropped;
  out->note(why, who.value());
}

// ---- the doors ----

Core::Core(const Config& config, Identity self, base::Prng dice, TimePoint now)
    : state_(std::make_unique<State>(config, std::move(self), dice, now)) {}

Core::~Core() = default;

void Core::step(const Input& input, TimePoint now, Actions& out) {
  State& state = *state_;
  BRIGADE_CHECK(now >= state.now);
  state.out = &out;
  const TimePoint due = state.deadline();
  state.now = now;
  if (due < now && now - due > state.config.late_step) {
    state.excuse(now - due);
  }
  if (state.stage != Stage::kGone) {
    std::visit([&state](const auto& in) { state.on(in); }, input);
    state.run_timers();
  } else if (const auto* asked = std::get_if<StreamRequested>(&input)) {
    out.add(AnswerStream{asked->token, state.message(SyncRefusal{RefusalReason::kNotReady})});
  }
  state.out = nullptr;
}

TimePoint Core::next_deadline() const {
  return state_->deadline();
}

void Core::check_invariants() const {
  const State& s = *state_;
  s.roster.check_invariants();
  s.rumours.check_invariants();
  s.digests.check_invariants();
  BRIGADE_CHECK(s.roster.find(s.self.id) == nullptr);
  BRIGADE_CHECK(s.health < s.config.health_max);
  BRIGADE_CHECK(s.relays.size() <= State::kRelaysMax);
  BRIGADE_CHECK(s.exchanges.size() <= State::kExchangesMax);
  BRIGADE_CHECK(!s.round || s.is_member());
  BRIGADE_CHECK(s.is_member() || s.roster.peers().empty());
  BRIGADE_CHECK(s.deadline() > s.now);
  BRIGADE_CHECK(s.order_next <= s.order.size());
  for (const auto& [id, peer] : s.roster.peers()) {
    BRIGADE_CHECK(!is_live(peer.member.state) ||
                  std::find(s.order.begin(), s.order.end(), id) != s.order.end());
  }
}

const Member& Core::self() const {
  return state_->self;
}

ClusterId Core::cluster() const {
  return state_->identity.cluster;
}

std::vector<Member> Core::members() const {
  return state_->everybody();
}

const Member* Core::find(NodeId id) const {
  return state_->find(id);
}

std::size_t Core::live_count() const {
  return state_->live_count();
}

std::optional<DigestView> Core::digest(NodeId id) const {
  return state_->digests.find(id);
}

std::uint32_t Core::health() const {
  return state_->health;
}

JoinProgress Core::join_progress() const {
  const State& s = *state_;
  JoinProgress progress;
  for (const Seed& seed : s.seeds) {
    if (s.unseen(seed)) {
      progress.unanswered.push_back(seed.address);
    }
  }
  const bool alone = std::all_of(s.seeds.begin(), s.seeds.end(), [&s](const Seed& seed) {
    return seed.address == s.self.address || seed.answered_by == s.self.id;
  });
  progress.joined = s.is_member() && (alone || s.met_anybody);
  progress.refused = s.refused;
  return progress;
}

const Stats& Core::stats() const {
  return state_->stats;
}

}  // namespace brigade::gossip
