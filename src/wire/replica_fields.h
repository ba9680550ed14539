// schema/peer.capnp, third part: replicas that end, and snapshots on their way.
#pragma once

#include "node/messages.h"
#include "wire/raft_fields.h"

namespace brigade::wire {

template <class Builder>
void put(Pen, Builder to, const node::ReplicaGone& message) {
  to.setShard(message.shard.value());
  to.setReplica(message.replica.value());
  to.setNodeRemoved(message.node_removed);
}
template <class Reader>
void get(Reader from, node::ReplicaGone& message, Checks&) {
  message.shard = base::ShardId(from.getShard());
  message.replica = raft::ReplicaId(from.getReplica());
  message.node_removed = from.getNodeRemoved();
}

template <class Builder>
void put(Pen pen, Builder to, const node::SnapshotPart& message) {
  to.setShard(message.shard.value());
  to.setFrom(message.from.value());
  to.setTo(message.to.value());
  to.setTerm(message.term.value());
  auto last = to.initLast();
  last.setTerm(message.last.term.value());
  last.setIndex(message.last.index.value());
  put(pen, to.initConf(), message.conf);
  to.setSize(message.size);
  to.setOffset(message.offset);
  to.setBytes(blob(message.bytes.view()));
}
template <class Reader>
void get(Reader from, node::SnapshotPart& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.from = raft::ReplicaId(from.getFrom());
  message.to = raft::ReplicaId(from.getTo());
  message.term = raft::Term(checks.ordinal(from.getTerm()));
  message.last = entry_id(from.getLast().getTerm(), from.getLast().getIndex(), checks);
  get(from.getConf(), message.conf, checks);
  message.size = from.getSize();
  message.offset = from.getOffset();
  message.bytes = base::Bytes(to_blob(from.getBytes()));
}

template <class Builder>
void put(Pen, Builder to, const node::SnapshotHave& message) {
  to.setShard(message.shard.value());
  to.setFrom(message.from.value());
  to.setTo(message.to.value());
  auto last = to.initLast();
  last.setTerm(message.last.term.value());
  last.setIndex(message.last.index.value());
  to.setHave(message.have);
}
template <class Reader>
void get(Reader from, node::SnapshotHave& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.from = raft::ReplicaId(from.getFrom());
  message.to = raft::ReplicaId(from.getTo());
  message.last = entry_id(from.getLast().getTerm(), from.getLast().getIndex(), checks);
  message.have = from.getHave();
}

}  // namespace brigade::wire
