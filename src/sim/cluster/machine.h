// One machine of the world: what dies with its process and what its disk keeps. For this folder's
// own sources.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/cluster/world.h"

namespace brigade::sim {

// What survives a crash, per group.
struct World::Disk {
  struct Group {
    raft::HardState hard;
    raft::Snapshot snapshot;
    std::vector<raft::Entry> entries;
    std::uint64_t applied = 0;
    std::map<std::string, node::StateRecord> records;
  };
  std::map<node::ShardId, Group> groups;
  std::map<node::ShardId, node::ReplicaGround> grounds;

  void write(const node::GroupWrite& turn) {
    if (turn.ground) {
      groups.erase(turn.shard);
      grounds[turn.shard] = *turn.ground;
      if (turn.ground->removed) {
        return;
      }
    }
    Group& group = groups[turn.shard];
    for (const raft::Persist& persist : turn.persists) {
      if (persist.hard) {
        group.hard = *persist.hard;
      }
      if (persist.snapshot) {
        group.snapshot = {.last = persist.snapshot->last, .conf = persist.snapshot->conf};
        group.entries.clear();
      }
      if (!persist.entries.empty()) {
        const raft::Index first = persist.entries.front().id.index;
        std::erase_if(group.entries, [&](const auto& entry) { return entry.id.index >= first; });
        group.entries.insert(group.entries.end(), persist.entries.begin(), persist.entries.end());
      }
    }
    if (turn.replace) {
      group.records.clear();
    }
    for (const node::RecordWrite& record : turn.records) {
      if (record.dropped) {
        group.records.erase(record.key);
      } else {
        group.records[record.key] = record.record;
      }
    }
    group.applied = std::max(group.applied, turn.applied);
    if (turn.compacted && !turn.replace) {
      group.snapshot = {.last = turn.compacted->last, .conf = turn.compacted->conf};
      std::erase_if(group.entries, [&](const auto& entry) {
        return entry.id.index <= turn.compacted->last.index;
      });
    }
  }
};

// The process of a machine. It changes only through the pointer that is not const: what the checker
// knows of all others is still so.
class World::Process {
 public:
  explicit operator bool() const { return node_ != nullptr; }
  node::Node* operator->() {
    touched_ = true;
    return node_.get();
  }
  const node::Node* operator->() const { return node_.get(); }
  void begin(std::unique_ptr<node::Node> node) {
    touched_ = true;
    node_ = std::move(node);
  }
  void end() { begin(nullptr); }
  // Whether it may have changed since this was asked last.
  bool touched() { return std::exchange(touched_, false); }

 private:
  std::unique_ptr<node::Node> node_;
  bool touched_ = true;
};

struct World::Machine {
  std::size_t number = 0;
  node::NodeId id;
  std::string name;
  Disk disk;
  Process node;
  std::uint64_t life = 0;     // counts boots: late events of an earlier life are void
  std::int64_t slow_ppm = 0;  // of true time, within rho
  std::int64_t fast_ppm = 0;
  TimePoint paused_until{};
  bool cut = false;
  Duration late{0};               // what is sent to it takes so much longer
  std::string fate;               // why it never comes back; empty: it does
  std::set<std::size_t> deaf_to;  // one-way partitions
  TimePoint wakes = base::kNever;
  bool committing = false;
  std::vector<node::GroupWrite> to_write;  // waits for the commit that is under way
  Duration takes{0};                       // the next commit

  // What the checker saw of the process after its last change. By bucket that is watched:
  struct Sight {
    const node::SharedLimit* limit = nullptr;  // its share of a ledger
    node::Tills::Taken till;                   // what it has of the key in advance
  };
  std::vector<Sight> sights;
  std::vector<const node::Replica*> replicas;                    // by shard
  std::vector<std::pair<raft::ReplicaId, raft::Index>> applied;  // by shard
  std::vector<Policy> policies;                                  // by limit, as of these entries
};

}  // namespace brigade::sim
