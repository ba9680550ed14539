// Push/pull exchanges, seeds, and finding those again who were lost: what heals partitions.
#include <algorithm>
#include <bit>
#include <utility>

#include "base/coverage.h"
#include "gossip/core_state.h"

namespace brigade::gossip {

using StreamBody = decltype(StreamMessage::body);

StreamMessage Core::State::message(StreamBody body) const {
  return StreamMessage{identity.cluster, identity.cluster_name, self.id, std::move(body)};
}

ExchangeId Core::State::exchange(Purpose purpose, const std::string& address, StreamBody body) {
  if (exchanges.size() >= kExchangesMax) {
    out->note("gossip-too-many-exchanges");
    return {};
  }
  const ExchangeId id(++last_exchange);
  exchanges[id] = Exchange{purpose, address, now + config.stream_timeout};
  out->add(SendStream{address, id, message(std::move(body))});
  return id;
}

void Core::State::expire_exchanges() {
  std::erase_if(exchanges, [this](const auto& entry) { return entry.second.ends <= now; });
}

std::vector<Member> Core::State::everybody() const {
  std::vector<Member> all;
  all.reserve(roster.peers().size() + 1);
  bool told_self = false;
  for (const auto& [id, peer] : roster.peers()) {
    if (!told_self && self.id < id) {
      all.push_back(self);
      told_self = true;
    }
    all.push_back(peer.member);
  }
  if (!told_self) {
    all.push_back(self);
  }
  return all;
}

// ---- asking ----

// One multiple more per doubling above 32 members (memberlist).
Duration Core::State::sync_interval() const {
  const std::size_t members = live_count();
  const int multiple = members <= 32 ? 1 : static_cast<int>(std::bit_width(members - 1)) - 4;
  return config.sync_interval * multiple;
}

SyncRequest Core::State::sync_request() const {
  return is_member() ? SyncRequest{roster.view(self), {}} : SyncRequest{0, {self}};
}

void Core::State::sync_turn() {
  if (now < sync_at) {
    return;
  }
  sync_at = base::kNever;
  const std::vector<NodeId> partner = roster.pick_alive(1, self.id, dice);
  if (!partner.empty()) {
    ++stats.syncs;
    exchange(Purpose::kSync, roster.find(partner.front())->member.address, sync_request());
  }
  if (!roster.live().empty()) {
    sync_at = now + sync_interval();
  }
}

bool Core::State::unseen(const Seed& seed) const {
  if (seed.address == self.address || seed.answered_by == self.id) {
    return false;
  }
  return std::none_of(roster.live().begin(), roster.live().end(), [&](NodeId id) {
    return id == seed.answered_by || roster.find(id)->member.address == seed.address;
  });
}

void Core::State::ask_seeds() {
  for (const Seed& seed : seeds) {
    const bool asking = std::any_of(exchanges.begin(), exchanges.end(), [&seed](const auto& entry) {
      return entry.second.purpose == Purpose::kSeed && entry.second.address == seed.address;
    });
    if (!unseen(seed)) {
      continue;
    }
    seek_at = std::min(seek_at, now + config.join_retry);
    if (!asking) {
      exchange(Purpose::kSeed, seed.address, sync_request());
    }
  }
}

// Until somebody is found every seed is asked; later one lost address at a time.
void Core::State::seek_turn() {
  if (now < seek_at || stage != Stage::kStaying) {
    return;
  }
  seek_at = base::kNever;
  if (roster.live().empty() && !seeds.empty()) {
    ask_seeds();
  }
  std::vector<std::pair<Purpose, std::string>> lost;
  for (const Seed& seed : seeds) {
    if (!roster.live().empty() && unseen(seed)) {
      lost.emplace_back(Purpose::kSeed, seed.address);
    }
  }
  for (const auto& [id, peer] : roster.peers()) {
    if (peer.member.state == MemberState::kDead) {
      lost.emplace_back(Purpose::kSync, peer.member.address);
    }
  }
  if (!lost.empty()) {
    const auto& [purpose, address] = lost[static_cast<std::size_t>(dice.below(lost.size()))];
    exchange(purpose, address, sync_request());
  }
  if (!seeds.empty() || !roster.peers().empty()) {
    seek_at = std::min(seek_at, now + config.reconnect_interval);
  }
}

// ---- answering ----

StreamBody Core::State::answer_to(const StreamMessage& asked) {
  const bool ours =
      asked.cluster == identity.cluster || config.plant == Plant::kAcceptsOtherClusters;
  const bool newcomer = asked.cluster == ClusterId{};
  if (newcomer && asked.cluster_name != identity.cluster_name) {
    return SyncRefusal{RefusalReason::kOtherClusterName};
  }
  if (!is_member()) {
    return SyncRefusal{RefusalReason::kNotReady};
  }
  if (!newcomer && !ours) {
    drop("gossip-other-cluster", asked.from);
    return SyncRefusal{RefusalReason::kOtherCluster};
  }
  if (const auto* ping = std::get_if<StreamPing>(&asked.body)) {
    if (ping->target == self.id && stage == Stage::kStaying) {
      return StreamAck{};
    }
    return SyncRefusal{RefusalReason::kNotReady};
  }
  if (const auto* sync = std::get_if<SyncRequest>(&asked.body)) {
    return answer_to_sync(asked.from, *sync);
  }
  return SyncRefusal{RefusalReason::kMalformed};
}

StreamBody Core::State::answer_to_sync(NodeId from, const SyncRequest& sync) {
  if (from == self.id) {
    return SyncReply{sync.view, {}};  // a seed's name is our own address
  }
  const bool joins = sync.view == 0;
  if (joins && name_taken(from, sync)) {
    return SyncRefusal{RefusalReason::kNameTaken};
  }
  merge(sync.members);
  const bool pushed = !joins && !sync.members.empty();
  const std::uint64_t view = roster.view(self);
  return pushed || view == sync.view ? SyncReply{view, {}} : SyncReply{view, everybody()};
}

// A namesake at the newcomer's own address is its former life without its data.
bool Core::State::name_taken(NodeId from, const SyncRequest& sync) const {
  return std::any_of(sync.members.begin(), sync.members.end(), [&](const Member& member) {
    if (member.id != from) {
      return false;
    }
    const Member* holder =
        member.name == self.name ? &self : find(roster.namesake(member.name, member.id));
    return holder != nullptr && holder->address != member.address;
  });
}

// ---- answers ----

void Core::State::on_reply(const Exchange& asked, const StreamMessage& answer) {
  if (const auto* refusal = std::get_if<SyncRefusal>(&answer.body)) {
    out->note("gossip-sync-refused", answer.from.value(),
              static_cast<std::uint64_t>(refusal->reason));
    if (asked.purpose == Purpose::kSeed) {
      refused = JoinRefused{asked.address, refusal->reason};
      out->add(*refused);
    }
  } else if (const auto* reply = std::get_if<SyncReply>(&answer.body)) {
    take_reply(asked, answer, *reply);
  }
}

void Core::State::take_reply(const Exchange& asked, const StreamMessage& answer,
                             const SyncReply& reply) {
  if (!is_member()) {
    if (answer.cluster == ClusterId{} || answer.cluster_name != identity.cluster_name) {
      drop("gossip-other-cluster", answer.from);
      return;
    }
    identity.cluster = answer.cluster;
    out->add(Joined{identity.cluster});
  } else if (answer.cluster != identity.cluster && config.plant != Plant::kAcceptsOtherClusters) {
    drop("gossip-other-cluster", answer.from);
    return;
  }
  if (asked.purpose == Purpose::kSeed) {
    refused.reset();
    for (Seed& seed : seeds) {
      if (seed.address == asked.address) {
        seed.answered_by = answer.from;
      }
    }
  }
  if (reply.members.empty() || answer.from == self.id) {
    return;
  }
  ++stats.syncs_full;
  merge(reply.members);
  if (asked.purpose != Purpose::kPush && roster.view(self) != reply.view) {
    COVERED("a push follows a pull: both knew something new");
    exchange(Purpose::kPush, asked.address, SyncRequest{roster.view(self), everybody()});
  }
}

}  // namespace brigade::gossip
