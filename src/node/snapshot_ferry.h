// Carries snapshots between replicas in parts, so that one of any size passes through frames of
// bounded size, never floods a link, and survives lost, doubled and reordered messages: the next
// part leaves when the receiver has the one before.
//
// Threads: single-threaded (owner: replica). Limits: one snapshot arrives at a time, at most
// kSnapshotMax bytes of it, of which memory holds what has come.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "node/actions.h"

namespace brigade::node {

class SnapshotFerry {
 public:
  // A larger one is never sent: its receiver goes on without the log that was compacted away.
  static constexpr std::uint64_t kSnapshotMax = std::uint64_t{1} << 30U;
  static constexpr std::size_t kPartMax = std::size_t{1} << 20U;

  SnapshotFerry(ShardId shard, std::size_t part_bytes) : shard_(shard), part_bytes_(part_bytes) {}

  // ---- sending ----
  // Requires: `install` holds an InstallSnapshot.
  void begin(const raft::Message& install, base::TimePoint now, std::vector<Send>& out);
  void on(const SnapshotHave& have, base::TimePoint now, std::vector<Send>& out);
  // Sends again what got no answer. What ended without the receiver's word to Raft, well or badly,
  // is reported and forgotten.
  std::vector<raft::SnapshotSent> tick(base::TimePoint now, std::vector<Send>& out);
  // Raft has moved on with this replica.
  void forget(raft::ReplicaId to) { crossings_.erase(to); }
  void clear() { crossings_.clear(); }
  [[nodiscard]] std::vector<raft::ReplicaId> under_way() const;
  // The newest snapshot that is under way to anybody, if any.
  [[nodiscard]] std::shared_ptr<const raft::Snapshot> carried() const;
  [[nodiscard]] base::TimePoint next_deadline() const;

  // ---- receiving ----
  // The whole as Raft's own message once its last part is here.
  std::optional<raft::Message> on(const SnapshotPart& part, std::vector<Send>& out);

 private:
  struct Crossing {
    raft::ReplicaId from;
    raft::Term term;
    std::shared_ptr<const raft::Snapshot> snapshot;
    std::uint64_t have = 0;  // what the receiver has
    base::TimePoint due;     // when something must have happened
    int tries = 0;
    bool landed = false;
  };
  struct Arriving {
    raft::ReplicaId from;
    raft::Term term;
    raft::EntryId last;
    std::uint64_t size = 0;
    std::string bytes;
    bool whole = false;  // handed on
  };

  void send_part(raft::ReplicaId to, Crossing& crossing, base::TimePoint now,
                 std::vector<Send>& out) const;

  ShardId shard_;
  std::size_t part_bytes_;
  std::map<raft::ReplicaId, Crossing> crossings_;
  std::optional<Arriving> arriving_;
};

}  // namespace brigade::node
