// Failure detection. Source: SWIM sections 3.1 and 4.3, Lifeguard section IV.A.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "gossip/core_state.h"

namespace brigade::gossip {

// Random place among those still to come in this pass (SWIM 4.3).
void Core::State::add_to_order(NodeId id) {
  if (std::find(order.begin(), order.end(), id) == order.end()) {
    const std::size_t rest = order.size() - order_next;
    const auto place = order_next + static_cast<std::size_t>(dice.below(rest + 1));
    order.insert(order.begin() + static_cast<std::ptrdiff_t>(place), id);
  }
  if (probe_at == base::kNever && !round && stage == Stage::kStaying) {
    // Nodes that start together should not probe together.
    probe_at = now + dice.between(Duration{1}, config.probe_interval);
  }
}

NodeId Core::State::next_target() {
  // Each pass drops who is not live any more; a second one starts with the survivors.
  for (int pass = 0; pass < 2; ++pass) {
    while (order_next < order.size()) {
      const NodeId id = order[order_next++];
      const Peer* peer = roster.find(id);
      if (peer != nullptr && is_live(peer->member.state)) {
        return id;
      }
    }
    order = roster.live();
    dice.shuffle(order);
    order_next = 0;
  }
  return {};
}

void Core::State::probe_turn() {
  if (round && now >= round->widens) {
    widen_probe();
  }
  if (round && now >= round->ends) {
    conclude_probe();
  }
  if (!round && now >= probe_at) {
    start_probe();
  }
}

void Core::State::start_probe() {
  probe_at = base::kNever;
  const NodeId target = next_target();
  if (!target) {
    return;  // alone; add_to_order() starts again
  }
  round.emplace();
  round->target = target;
  round->seq = ProbeSeq(++last_seq);
  round->started = now;
  round->widens = now + config.probe_timeout;
  round->ends = now + config.probe_interval * (health + 1);
  ++stats.probes;
  send(roster.find(target)->member.address, target, Ping{round->seq, target});
}

void Core::State::widen_probe() {
  round->widens = base::kNever;
  const Peer* target = roster.find(round->target);
  if (target == nullptr || !is_live(target->member.state)) {
    return;
  }
  const std::string address = target->member.address;
  round->helpers = roster.pick_alive(config.indirect_probes, round->target, dice);
  for (const NodeId id : round->helpers) {
    send(roster.find(id)->member.address, id, PingRequest{round->seq, round->target, address});
  }
  round->helped = !round->helpers.empty();
  round->stream = exchange(Purpose::kProbe, address, StreamPing{round->target});
}

void Core::State::probe_succeeded() {
  health -= health > 0 ? 1U : 0U;
  exchanges.erase(round->stream);
  probe_at = std::max(now, round->started + config.probe_interval * (health + 1));
  round.reset();
}

void Core::State::conclude_probe() {
  const ProbeRound failed = *std::exchange(round, std::nullopt);
  exchanges.erase(failed.stream);
  ++stats.probes_failed;
  // Helpers that did not even send a Nack say that it is us who does not hear; without helpers
  // nobody can tell, so we are a little less sure of ourselves.
  const auto silent = static_cast<std::uint32_t>(failed.helpers.size());
  worsen(failed.helped ? silent : 1U);
  probe_at = now;
  const Peer* target = roster.find(failed.target);
  if (target != nullptr && is_live(target->member.state)) {
    const Incarnation incarnation = target->member.incarnation;
    out->note("gossip-probe-failed", failed.target.value(), health);
    hear_of_peer(News{failed.target, MemberState::kSuspect, incarnation, self.id, nullptr});
  }
}

void Core::State::answer(const DatagramReceived& input, const Ping& ping) {
  if (ping.target == self.id && stage == Stage::kStaying) {
    send(input.from, input.datagram.from, Ack{ping.seq});
  }
}

void Core::State::answer(const DatagramReceived& input, const PingRequest& request) {
  if (relays.size() >= kRelaysMax || request.target == self.id || stage != Stage::kStaying) {
    return;
  }
  const ProbeSeq seq(++last_seq);
  // The Nack leaves in time to arrive before the asker's round ends.
  relays[seq] = Relay{input.from,     input.datagram.from,        request.seq,
                      request.target, now + config.probe_timeout, now + config.probe_interval};
  send(request.address, request.target, Ping{seq, request.target});
}

void Core::State::answer(const DatagramReceived& input, const Ack& ack) {
  const NodeId from = input.datagram.from;
  if (round && ack.seq == round->seq) {
    if (from == round->target) {
      probe_succeeded();
    } else if (round->widens == base::kNever && roster.find(from) != nullptr) {
      COVERED("a helper vouches for a member that we do not reach");
      probe_succeeded();
    }
    return;
  }
  const auto found = relays.find(ack.seq);
  if (found != relays.end() && found->second.target == from) {
    const Relay relay = found->second;
    relays.erase(found);
    send(relay.requester, relay.requester_id, Ack{relay.requester_seq});
  }
}

void Core::State::answer(const DatagramReceived& input, const Nack& nack) {
  if (round && nack.seq == round->seq) {
    std::erase(round->helpers, input.datagram.from);
  }
}

void Core::State::relay_turn() {
  std::vector<std::pair<ProbeSeq, bool>> due;  // (relay, over)
  for (const auto& [seq, relay] : relays) {
    if (relay.nack_at <= now || relay.ends <= now) {
      due.emplace_back(seq, relay.ends <= now);
    }
  }
  for (const auto& [seq, over] : due) {
    Relay& relay = relays.find(seq)->second;
    if (relay.nack_at <= now) {
      relay.nack_at = base::kNever;
      send(relay.requester, relay.requester_id, Nack{relay.requester_seq});
    }
    if (over) {
      relays.erase(seq);
    }
  }
}

}  // namespace brigade::gossip
