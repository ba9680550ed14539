// A replica's id carries its node: 48 bits of node id, then a generation, so that a node that lost
// its disk or was removed returns under new ids.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "raft/ids.h"

namespace brigade::node {

inline raft::ReplicaId replica_id(base::NodeId node, std::uint16_t generation) {
  return raft::ReplicaId((node.value() << 16U) | generation);
}
inline base::NodeId node_of(raft::ReplicaId replica) {
  return base::NodeId(replica.value() >> 16U);
}
inline std::uint16_t generation_of(raft::ReplicaId replica) {
  return static_cast<std::uint16_t>(replica.value());
}

}  // namespace brigade::node
