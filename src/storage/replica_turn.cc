#include "storage/replica_turn.h"

#include <utility>

namespace brigade::storage {
namespace {

GroupTurn turn_of(base::ShardId group, const raft::Persist& persist) {
  GroupTurn turn;
  turn.group = group;
  turn.hard = persist.hard;
  if (persist.snapshot) {
    // Its records follow, in the node's own words, in the same turn.
    turn.install = Install{.mark = {.last = persist.snapshot->last, .conf = persist.snapshot->conf},
                           .records = {}};
  }
  turn.entries = persist.entries;
  return turn;
}

}  // namespace

void add(const node::GroupWrite& write, const node::Codec& codec, Turn& turn) {
  for (const raft::Persist& persist : write.persists) {
    turn.groups.push_back(turn_of(write.shard, persist));
  }
  GroupTurn rest;
  rest.group = write.shard;
  for (const node::RecordWrite& record : write.records) {
    RecordWrite one{.key = record.key, .value = std::nullopt};
    if (!record.dropped) {
      one.value = codec.encode(record.record);
    }
    rest.records.push_back(std::move(one));
  }
  if (write.applied != 0) {
    rest.applied = raft::Index(write.applied);
  }
  if (write.compacted) {
    rest.compact = SnapshotMark{.last = write.compacted->last, .conf = write.compacted->conf};
  }
  turn.groups.push_back(std::move(rest));
}

base::Result<node::ReplicaState> replica_state(GroupContents contents, const node::Codec& codec) {
  node::ReplicaState state{.raft = std::move(contents.raft), .records = {}};
  state.records.reserve(contents.records.size());
  for (const Record& record : contents.records) {
    if (!codec.decode(record.value, state.records.emplace_back())) {
      return base::Error{
          "a record of the token store cannot be read: it was written by a newer version; start "
          "that one again"};
    }
  }
  return state;
}

}  // namespace brigade::storage
