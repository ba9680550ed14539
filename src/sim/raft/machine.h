// One machine of the Raft world: a replica, its disk, its state machine. For this folder's own
// sources.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "sim/raft/world.h"

namespace brigade::sim {

struct RaftWorld::Machine {
  raft::ReplicaId id;
  std::uint32_t number = 0;
  std::uint64_t life = 0;  // counts boots: events of an earlier life are void
  RaftDisk disk;

  // What dies with the process.
  std::unique_ptr<raft::Core> core;  // null while down
  Machined machined;
  std::deque<RaftDisk::Write> writing;  // handed over, not durable
  std::size_t batch = 0;                // how many of them the disk works on now; 0: idle
  std::vector<raft::Persist> durable;   // not reacted to yet
  std::deque<raft::Entry> applying;
  TimePoint applies_at{};
  TimePoint wakes = base::kNever;
  raft::Index commit_seen;
  raft::Term led;      // while it does; zero: none
  raft::Term elected;  // the latest term that it led
  raft::Index snapshot_at;
  std::map<raft::Index, raft::Term> proposals;  // accepted from clients, not applied yet
  struct Read {
    raft::Index floor;
    TimePoint asked;
    raft::Index applied;
  };
  std::map<std::uint64_t, Read> reads;

  // What is wrong with it.
  TimePoint paused_until{};
  TimePoint disk_stalled_until{};
  std::uint64_t deaf_to = 0;  // bits of machine numbers
};

}  // namespace brigade::sim
