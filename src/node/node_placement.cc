// Which replicas this node has: they begin when a shard's leader speaks to them, end when the
// committed configuration leaves them out, and leave a tombstone (semantics 3.11).
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "node/node.h"

namespace brigade::node {
namespace {

constexpr base::Duration kPlacementEvery = base::milliseconds(500);
// A node that gossip has lost for the grace period is given up only if Raft heard nothing of it for
// so long either.
constexpr base::Duration kSilence = base::seconds(10);

bool leads(const raft::Message& message) {
  return std::holds_alternative<raft::Append>(message.body) ||
         std::holds_alternative<raft::Heartbeat>(message.body);
}

}  // namespace

ReplicaConfig Node::replica_config(ShardId shard, raft::ReplicaId self) const {
  ReplicaConfig config{.shard = shard,
                       .shards = config_.shards,
                       .timing = config_.steward,
                       .bms_term = config_.bms_term,
                       .snapshot_every = config_.snapshot_every,
                       .snapshot_part = config_.snapshot_part};
  config.raft.self = self;
  return config;
}

void Node::add_replica(const ReplicaConfig& config, const ReplicaState& state, Instant now) {
  const ShardId shard = config.shard;
  grounds_[shard] = {.id = config.raft.self};
  replicas_[shard] =
      std::make_unique<Replica>(config, codec_, base::Prng(dice_.next()), state, now);
}

void Node::begin_replica(ShardId shard, raft::ReplicaId self, Instant now) {
  COVERED("a shard's leader makes a node begin a replica");
  add_replica(replica_config(shard, self), {}, now);
  ground_writes_.push_back({.shard = shard, .replica = self, .ground = grounds_.at(shard)});
}

void Node::end_replica(ShardId shard) {
  COVERED("a replica that was left out ends and leaves a tombstone");
  replicas_.erase(shard);
  ReplicaGround& ground = grounds_.at(shard);
  ground.removed = true;
  ground_writes_.push_back({.shard = shard, .replica = ground.id, .ground = ground});
  directory_.doubt(shard, config_.id);
}

// Whom a Raft message reaches here. A replica that is not here begins when its leader speaks to it:
// a leader speaks only to members of the committed configuration.
Replica* Node::addressee(ShardId shard, const raft::Message& message, Instant now) {
  if (shard.value() >= config_.shards || node_of(message.to) != config_.id) {
    return nullptr;
  }
  const auto ground = grounds_.find(shard);
  const bool known = ground != grounds_.end();
  if (known && generation_of(message.to) < generation_of(ground->second.id)) {
    return nullptr;  // of a replica that was here before
  }
  if (!known || ground->second.id != message.to) {
    if (!leads(message)) {
      return nullptr;
    }
    begin_replica(shard, message.to, now);
  }
  const auto found = replicas_.find(shard);
  if (found == replicas_.end()) {
    return nullptr;  // removed
  }
  if (found->second->left_out(message.from)) {
    send(node_of(message.from), found->second->farewell(message.from));
    return nullptr;
  }
  return found->second.get();
}

void Node::received(ShardId shard, const raft::Message& message, Instant now) {
  if (Replica* replica = addressee(shard, message, now)) {
    replica->received(message, now);
  }
}

void Node::persisted(GroupWrite write, Instant now) {
  const auto found = replicas_.find(write.shard);
  if (found == replicas_.end() || found->second->core().self() != write.replica) {
    return;
  }
  for (const raft::Persist& persist : write.persists) {
    for (const raft::Message& message : persist.then) {
      if (message.to != write.replica) {
        deferred_.push_back({.to = node_of(message.to), .shard = write.shard, .message = message});
      }
    }
  }
  found->second->persisted(std::move(write.persists), now);
}

bool Node::dispatch_replicas(NodeId from, const PeerMessage& message, Instant now) {
  const auto replica = [&](ShardId shard) -> Replica* {
    const auto found = replicas_.find(shard);
    return found == replicas_.end() ? nullptr : found->second.get();
  };
  if (const auto* gone = std::get_if<ReplicaGone>(&message)) {
    if (const Replica* mine = replica(gone->shard);
        mine != nullptr && mine->core().self() == gone->replica) {
      if (gone->node_removed) {
        removed_ = true;  // and stops: what it has stays as it is
      } else {
        end_replica(gone->shard);
      }
    }
  } else if (const auto* part = std::get_if<SnapshotPart>(&message)) {
    if (Replica* mine = replica(part->shard); mine != nullptr && node_of(part->from) == from) {
      mine->on(*part, now);
    }
  } else if (const auto* have = std::get_if<SnapshotHave>(&message)) {
    if (Replica* mine = replica(have->shard); mine != nullptr && node_of(have->from) == from) {
      mine->on(*have, now);
    }
  } else {
    return false;
  }
  return true;
}

// ---- what this node's leaders want ----

Standing Node::standing(const PeerView& peer, Instant now) const {
  const auto digest = digests_.find(peer.id);
  const bool told = digest != digests_.end();
  if (peer.live) {
    if (told && digest->second.leaving) {
      return Standing::kExpelled;
    }
    return told && !digest->second.draining ? Standing::kWelcome : Standing::kKept;
  }
  const auto missed = missed_since_.find(peer.id);
  const bool over =
      missed != missed_since_.end() && now.slow - missed->second >= config_.replace_after;
  return over ? Standing::kLost : Standing::kKept;
}

std::vector<Site> Node::sites(Instant now) {
  std::vector<Site> all;
  const auto own = leaving_    ? Standing::kExpelled
                   : draining_ ? Standing::kKept
                               : Standing::kWelcome;
  all.push_back({.node = config_.id,
                 .zone = config_.home.zone,
                 .standing = own,
                 .draining = draining_,
                 .fresh = {}});
  std::set<NodeId> placed;
  for (const auto& [shard, replica] : replicas_) {
    for (const auto& [id, progress] : replica->core().membership().progress) {
      placed.insert(node_of(id));
    }
  }
  for (const auto& [id, peer] : peers_) {
    if (peer.live) {
      missed_since_.erase(id);
    } else if (placed.contains(id)) {
      missed_since_.try_emplace(id, now.slow);
    }
    const auto digest = digests_.find(id);
    all.push_back({.node = id,
                   .zone = peer.home.zone,
                   .standing = standing(peer, now),
                   .draining = digest != digests_.end() && digest->second.draining,
                   .fresh = {}});
  }
  for (const NodeId id : placed) {
    // A voter that gossip does not know: it died before this node came.
    if (id != config_.id && !peers_.contains(id)) {
      missed_since_.try_emplace(id, now.slow);
      all.push_back({.node = id, .standing = standing({.id = id}, now)});
    }
  }
  std::erase_if(missed_since_, [&](const auto& one) { return !placed.contains(one.first); });
  return all;
}

void Node::run_placement(Instant now) {
  std::vector<ShardId> ended;
  for (const auto& [shard, replica] : replicas_) {
    // One that has no configuration yet was only about to begin.
    if (replica->left_out() || (leaving_ && replica->core().membership().progress.empty())) {
      ended.push_back(shard);
    }
  }
  for (const ShardId shard : ended) {
    end_replica(shard);
  }
  if (now.slow < next_placement_ || (replicas_.empty() && !draining_)) {
    return;
  }
  next_placement_ = now.slow + kPlacementEvery;
  if (draining_ && now.slow - drain_began_ > 2 * config_.session.tau) {
    returning_.clear();  // a Return that was lost: its session has lapsed by now
  }
  part();
  const Replica::PlacementOrder order{.sites = sites(now),
                                      .replicas = config_.replicas,
                                      .silence = std::min(kSilence, config_.replace_after)};
  for (auto& [shard, replica] : replicas_) {
    replica->place(order, now);
    if (draining_) {
      replica->move_on(now);
    }
    if (leaving_) {
      for (RaftSend& send : replica->inquiries()) {
        deferred_.push_back(std::move(send));
      }
    }
  }
}

TimePoint Node::placement_deadline() const {
  return replicas_.empty() && !draining_ ? base::kNever : next_placement_;
}

}  // namespace brigade::node
