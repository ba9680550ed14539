// What a node wants done after a step, in the order it must start.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/note.h"
#include "node/acquire.h"
#include "node/admin.h"
#include "node/messages.h"
#include "node/records.h"

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
struct AdminAnswer {
  Ticket ticket = 0;
  AdminReply reply;
};
// Records of one shard's token store to write, in one batch with the applied index.
struct StateWrite {
  ShardId shard;
  std::uint64_t applied = 0;
  std::vector<RecordWrite> writes;
};

}  // namespace brigade::node
