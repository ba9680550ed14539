// Identities that more than one room speaks of.
#pragma once

#include <array>
#include <cstdint>

#include "base/id.h"

namespace brigade::base {

// A machine's data directory: 48 random bits drawn once and stored with the data; never zero.
using NodeId = Id<struct NodeIdTag>;
// A Raft group and the part of the token store that it replicates; 0 .. shards-1.
using ShardId = Id<struct ShardIdTag, std::uint32_t>;
// 128 random bits drawn at process start, so that two lives of one node are never confused.
struct Boot {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr auto operator<=>(const Boot&, const Boot&) = default;
};
// 128 random bits drawn by the founders' ballot; two clusters that meet refuse each other by it.
struct ClusterId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr auto operator<=>(const ClusterId&, const ClusterId&) = default;
};

}  // namespace brigade::base
