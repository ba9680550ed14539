// What travels in one frame between two nodes: a message of a node, or of a Raft replica.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "base/result.h"
#include "node/messages.h"
#include "raft/messages.h"

namespace brigade::wire {

struct ShardMessage {
  base::ShardId shard;
  raft::Message message;
};

using PeerFrame = std::variant<node::PeerMessage, ShardMessage>;

std::string encode(const node::PeerMessage& message);
// Requires: an InstallSnapshot has its snapshot.
std::string encode(const ShardMessage& message);
// An error names what is malformed, out of range or of an unknown kind; whoever receives it counts
// it and drops the frame. Bytes at 8-byte boundaries are read in place.
base::Result<PeerFrame> decode_frame(std::string_view bytes);

}  // namespace brigade::wire
