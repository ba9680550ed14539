#include "node/placement.h"

#include <map>
#include <utility>

#include "base/endian.h"
#include "base/key_hash.h"
#include "node/replica_id.h"

namespace brigade::node {
namespace {

using raft::ChangeKind;
using raft::ConfChange;
using raft::ReplicaId;

constexpr std::uint64_t kSpreadSeed = 0x706c616365U;

ConfChange change(ChangeKind kind, ReplicaId replica) {
  return {.changes = {{.kind = kind, .replica = replica}}};
}

class Plan {
 public:
  explicit Plan(const PlacementView& view);
  [[nodiscard]] std::optional<ConfChange> next() const;

 private:
  [[nodiscard]] const Site& site(ReplicaId replica) const;
  [[nodiscard]] bool sound(ReplicaId voter) const;
  [[nodiscard]] bool new_zone(const Site& site) const;
  [[nodiscard]] bool useful(const Site& site) const;
  [[nodiscard]] std::optional<ReplicaId> victim(Standing standing) const;
  [[nodiscard]] std::optional<ReplicaId> crowded() const;
  [[nodiscard]] std::optional<ReplicaId> candidate() const;
  [[nodiscard]] ConfChange promote(ReplicaId learner) const;

  const PlacementView& view_;
  std::map<base::NodeId, const Site*> sites_;
  std::map<std::string, std::size_t> zones_;  // of sound voters
  std::size_t sound_ = 0;
};

Plan::Plan(const PlacementView& view) : view_(view) {
  for (const Site& one : view.sites) {
    sites_[one.node] = &one;
  }
  for (const ReplicaId voter : view.voters) {
    if (sound(voter)) {
      ++sound_;
      ++zones_[site(voter).zone];
    }
  }
}

const Site& Plan::site(ReplicaId replica) const {
  static const Site kUnknown;
  const auto found = sites_.find(node_of(replica));
  return found == sites_.end() ? kUnknown : *found->second;
}

bool Plan::sound(ReplicaId voter) const {
  return site(voter).standing <= Standing::kKept;
}

bool Plan::new_zone(const Site& site) const {
  return !zones_.contains(site.zone);
}

// Whether a replica there would make things better.
bool Plan::useful(const Site& site) const {
  return site.standing == Standing::kWelcome &&
         (sound_ < view_.replicas || (new_zone(site) && crowded()));
}

// A voter of this standing that may go; never the leader's own: it moves its office first.
std::optional<ReplicaId> Plan::victim(Standing standing) const {
  for (const ReplicaId voter : view_.voters) {
    if (site(voter).standing == standing && node_of(voter) != view_.leader) {
      return voter;
    }
  }
  return std::nullopt;
}

// A sound voter that shares its zone with another one.
std::optional<ReplicaId> Plan::crowded() const {
  for (const ReplicaId voter : view_.voters) {
    if (sound(voter) && zones_.at(site(voter).zone) > 1 && node_of(voter) != view_.leader) {
      return voter;
    }
  }
  return std::nullopt;
}

// A new zone first; then by a hash, so that the shards spread over equal nodes.
std::optional<ReplicaId> Plan::candidate() const {
  std::set<base::NodeId> taken;
  for (const auto* ids : {&view_.voters, &view_.learners}) {
    for (const ReplicaId id : *ids) {
      taken.insert(node_of(id));
    }
  }
  std::optional<std::pair<std::pair<bool, std::uint64_t>, ReplicaId>> best;
  for (const Site& one : view_.sites) {
    if (!useful(one) || taken.contains(one.node) || !one.fresh) {
      continue;
    }
    std::string bytes;
    base::append_le(bytes, one.node.value());
    base::append_le(bytes, view_.shard.value());
    const auto rank = std::pair(!new_zone(one), base::hash_key(bytes, kSpreadSeed).low);
    if (!best || rank < best->first) {
      best = {rank, one.fresh};
    }
  }
  return best ? std::optional(best->second) : std::nullopt;
}

ConfChange Plan::promote(ReplicaId learner) const {
  auto leaves = victim(Standing::kExpelled);
  if (!leaves) {
    leaves = victim(Standing::kLost);
  }
  if (!leaves && sound_ >= view_.replicas) {
    leaves = crowded();
  }
  ConfChange swap = change(ChangeKind::kAddVoter, learner);
  if (leaves) {
    swap.changes.push_back({.kind = ChangeKind::kRemove, .replica = *leaves});
  }
  return swap;
}

std::optional<ConfChange> Plan::next() const {
  for (const ReplicaId learner : view_.learners) {
    if (!useful(site(learner))) {
      return change(ChangeKind::kRemove, learner);
    }
  }
  for (const ReplicaId learner : view_.learners) {
    if (view_.caught_up.contains(learner)) {
      return promote(learner);
    }
  }
  if (!view_.learners.empty()) {
    return std::nullopt;  // it catches up
  }
  if (const auto fresh = candidate()) {
    return change(ChangeKind::kAddLearner, *fresh);
  }
  // Nobody can take over: the expelled go all the same, the lost may yet come back.
  if (const auto leaves = victim(Standing::kExpelled); leaves && sound_ > 0) {
    return change(ChangeKind::kRemove, *leaves);
  }
  if (sound_ > view_.replicas) {
    if (const auto leaves = crowded()) {
      return change(ChangeKind::kRemove, *leaves);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ConfChange> next_placement(const PlacementView& view) {
  return Plan(view).next();
}

}  // namespace brigade::node
