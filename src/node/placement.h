// Where a shard's voters should be, and the one next step towards it. Pure: the shard's leader asks
// again after each step is committed, so that a new leader continues where the old one stopped.
//
// Rules (semantics 3.11, 8): as many voters as `replicas` and the cluster's size allow, spread over
// zones; a learner catches up before it votes; one change at a time; what is well placed stays.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "raft/messages.h"

namespace brigade::node {

// How a node stands with placement.
enum class Standing : std::uint8_t {
  kWelcome,  // may be given replicas
  kKept,     // keeps what it has: draining, or missed for less than the grace period
  kLost,     // missed for too long: replaced as soon as there is another
  kExpelled  // removed or leaving: must not keep any
};

struct Site {
  base::NodeId node;
  std::string zone;
  Standing standing = Standing::kKept;
  bool draining = false;  // keeps what it has, but no office is handed to it
  raft::ReplicaId fresh;  // the id of the next replica here; zero: none is left
};

struct PlacementView {
  base::ShardId shard;
  std::size_t replicas = 3;
  base::NodeId leader;
  std::vector<Site> sites;  // every node that counts; others' replicas are kept
  std::set<raft::ReplicaId> voters;
  std::set<raft::ReplicaId> learners;
  std::set<raft::ReplicaId> caught_up;  // learners that may vote
};

// Nullopt: all is well, or nothing can be done now. Requires: no change is under way.
std::optional<raft::ConfChange> next_placement(const PlacementView& view);

}  // namespace brigade::node
