// What a node wants done after a step, in the order it must start.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/note.h"
#include "node/acquire.h"
#include "node/admin.h"
#include "node/messages.h"
#include "node/records.h"
#include "raft/core.h"

namespace brigade::node {

// A message to a peer. One that carries tokens is void at `expires` on the sender's fast line:
// whoever hands it to the network reads the clock then, and drops it when it is too late
// (semantics 3.5).
struct Send {
  NodeId to;
  PeerMessage message;
  base::TimePoint expires = base::kNever;
};

// A parked request's answer.
struct Answer {
  Ticket ticket = 0;
  Decision decision;
};
// A settlement that a shard's leader has heard of, or not in time.
struct SettleAnswer {
  Ticket ticket = 0;
  SettleReply reply;
};
struct AdminAnswer {
  Ticket ticket = 0;
  AdminReply reply;
};
// A Raft message to another node's replica.
struct RaftSend {
  NodeId to;
  ShardId shard;
  raft::Message message;
};

// How far a shard's log is compacted: the last entry that is gone, and the configuration then.
struct Compaction {
  raft::EntryId last;
  raft::ConfState conf;
};
// Which replica of a shard a node has, or had last: a removed one's id is never used again.
struct ReplicaGround {
  raft::ReplicaId id;
  bool removed = false;
  friend bool operator==(const ReplicaGround&, const ReplicaGround&) = default;
};
// Everything of one shard that storage must write: all of a turn's in one batch and one sync, in
// this order. When it is durable, it goes back to Node::persisted.
struct GroupWrite {
  ShardId shard;
  raft::ReplicaId replica;  // whose
  // This replica begins here, or ended: everything of the shard is forgotten first.
  std::optional<ReplicaGround> ground;
  std::vector<raft::Persist> persists;
  bool replace = false;  // a snapshot came: all earlier records of the shard are void
  std::vector<RecordWrite> records;
  std::uint64_t applied = 0;  // the records' index; 0: unchanged
  std::optional<Compaction> compacted;
};

struct Actions {
  std::vector<Send> sends;
  std::vector<RaftSend> raft;
  std::vector<GroupWrite> writes;
  std::vector<Answer> answers;
  std::vector<SettleAnswer> settled;
  std::vector<AdminAnswer> admin;
  std::vector<NodeId> removed;  // members that the cluster has removed: gossip may give them up
  std::vector<base::Note> notes;

  void clear() {
    sends.clear();
    raft.clear();
    writes.clear();
    answers.clear();
    settled.clear();
    admin.clear();
    removed.clear();
    notes.clear();
  }
};

}  // namespace brigade::node
