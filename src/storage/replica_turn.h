// Between a node's words for what a replica keeps and storage's own.
#pragma once

#include <map>
#include <optional>

#include "base/result.h"
#include "node/actions.h"
#include "node/records.h"
#include "node/replica.h"
#include "storage/turn.h"

namespace brigade::storage {

// Adds one replica's writes to a turn.
void add(const node::GroupWrite& write, const node::Codec& codec, Turn& turn);

// What a restarted replica is given. Error: a record that this version cannot read; `raft` is
// complete but for the snapshot's state, which the records are.
base::Result<node::ReplicaState> replica_state(GroupContents contents, const node::Codec& codec);

// Which replicas a node has or had, by its identity facts; a group without one is a founder's
// first. Nullopt: a fact makes no sense.
std::optional<std::map<base::ShardId, node::ReplicaGround>> replica_grounds(
    const Contents& contents);

}  // namespace brigade::storage
