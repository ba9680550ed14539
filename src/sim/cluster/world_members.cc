// Who is in the cluster: founding, meeting, ends for good, and what operators do about them.
#include <algorithm>
#include <utility>

#include "sim/cluster/machine.h"
#include "sim/cluster/world.h"

namespace brigade::sim {
namespace {

using node::NodeId;
using node::ShardId;

constexpr Duration kMissedAfter = base::seconds(5);
constexpr Duration kInsistEvery = base::seconds(2);
constexpr int kInsistTries = 30;
constexpr std::size_t kVoters = 3;

node::PeerView view_of(NodeId id, const std::string& name, const std::string& fate) {
  return {.id = id,
          .name = name,
          .state = fate.empty() ? "alive" : fate,
          .addresses = {},
          .home = {},
          .live = fate.empty()};
}

}  // namespace

// What a founder has of each shard that it votes in before the first entry.
void World::found(Machine& machine) {
  const std::size_t founders = std::min(config_.founders, config_.machines);
  for (std::uint32_t shard = 0; shard < config_.shards; ++shard) {
    raft::ConfState conf;
    for (std::size_t v = 0; v < std::min(kVoters, founders); ++v) {
      conf.voters.insert(node::replica_id(NodeId((shard + v) % founders + 1), 0));
    }
    if (conf.voters.contains(node::replica_id(machine.id, 0))) {
      Disk::Group& group = machine.disk.groups[ShardId(shard)];
      group.hard = {.term = raft::Term(1), .vote = {}, .commit = raft::Index(1)};
      group.snapshot.last = {.term = raft::Term(1), .index = raft::Index(1)};
      group.snapshot.conf = conf;
    }
  }
}

void World::boot_replicas(Machine& machine, Instant now) {
  for (const auto& [shard, ground] : machine.disk.grounds) {
    if (ground.removed) {
      machine.node->had_replica(shard, ground.id);
    } else {
      machine.disk.groups.try_emplace(shard);  // begun, and nothing came yet
    }
  }
  for (const auto& [shard, group] : machine.disk.groups) {
    const auto ground = machine.disk.grounds.find(shard);
    const auto self =
        ground == machine.disk.grounds.end() ? node::replica_id(machine.id, 0) : ground->second.id;
    node::ReplicaState state{.raft = {.hard = group.hard,
                                      .snapshot = group.snapshot,
                                      .entries = group.entries,
                                      .applied = raft::Index(group.applied)}};
    for (const auto& [key, record] : group.records) {
      state.records.push_back(record);
    }
    machine.node->add_replica(machine.node->replica_config(shard, self), std::move(state), now);
  }
}

// Everybody hears at once that it is there: gossip is another world's business.
void World::meet(Machine& machine) {
  const Instant now = clock(machine);
  for (const auto& other : machines_) {
    machine.node->seen(view_of(other->id, other->name, other->fate), now);
    if (other->node && other.get() != &machine) {
      other->node->seen(view_of(machine.id, machine.name, machine.fate), clock(*other));
    }
  }
}

void World::end(Machine& machine, const char* fate) {
  machine.fate = fate;
  crash(machine.number);
  at(now_ + kMissedAfter, [this, &machine] {
    for (const auto& other : machines_) {
      if (other->node) {
        other->node->seen(view_of(machine.id, machine.name, machine.fate), clock(*other));
      }
    }
  });
}

std::optional<std::size_t> World::heir(ShardId shard) const {
  const node::Replica* leader = leading(shard);
  const raft::ReplicaId heir = leader == nullptr ? raft::ReplicaId() : leader->core().heir();
  return heir ? std::optional(node::node_of(heir).value() - 1) : std::nullopt;
}

void World::delay(std::size_t number, Duration more) {
  machines_[number]->late = more;
}

void World::destroy(std::size_t number) {
  end(*machines_[number], "dead");
}

bool World::ended(std::size_t number) const {
  return !machines_[number]->fate.empty();
}

bool World::forgotten(std::size_t number) const {
  for (std::uint32_t shard = 0; shard < config_.shards; ++shard) {
    const node::Replica* leader = leading(ShardId(shard));
    if (leader == nullptr || !leader->store().removed(machines_[number]->id)) {
      return false;
    }
  }
  return true;
}

void World::ask(std::size_t number, const node::AdminRequest& request) {
  Machine& machine = *machines_[number];
  if (machine.node && now_ >= machine.paused_until) {
    machine.node->admin(request, (node::Ticket{1} << 40U) + next_ticket_++, clock(machine));
    settle(machine);
  }
}

void World::drain(std::size_t number, bool undo) {
  ask(number, node::Drain{.undo = undo});
}

void World::leave(std::size_t number) {
  if (ended(number)) {
    return;
  }
  ask(number, node::Leave{});
  // A crash forgets the wish; who wants it asks again.
  at(now_ + kInsistEvery, [this, number] { leave(number); });
}

void World::remove(std::size_t number) {
  insist_on_removal(machines_[number]->name, kInsistTries);
}

void World::insist_on_removal(const std::string& name, int tries) {
  if (tries > 0) {
    ask(static_cast<std::size_t>(dice_.below(machines_.size())),
        node::Remove{.node = name, .certify_stopped = false});
    at(now_ + kInsistEvery, [this, name, tries] { insist_on_removal(name, tries - 1); });
  }
}

const node::Replica* World::leading(ShardId shard) const {
  const node::Replica* leader = nullptr;
  for (const auto& machine : machines_) {
    if (!machine->node || !machine->node->replicas().contains(shard)) {
      continue;
    }
    const node::Replica* one = machine->node->replicas().at(shard).get();
    if (one->serves() && (leader == nullptr || leader->core().term() < one->core().term())) {
      leader = one;
    }
  }
  return leader;
}

std::vector<std::size_t> World::voters(ShardId shard) const {
  std::vector<std::size_t> numbers;
  if (const node::Replica* leader = leading(shard)) {
    for (const raft::ReplicaId id : leader->core().membership().voters.ids()) {
      numbers.push_back(node::node_of(id).value() - 1);
    }
  }
  return numbers;
}

bool World::replicas_agree() const {
  std::map<std::pair<ShardId, raft::Index>, std::string> known;
  for (const auto& machine : machines_) {
    if (!machine->node) {
      continue;
    }
    for (const auto& [shard, replica] : machine->node->replicas()) {
      const std::string records = node::pack_records(replica->store().records(), codec_);
      const auto at = std::pair(shard, replica->core().log().applied());
      if (known.try_emplace(at, records).first->second != records) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace brigade::sim
