// Campaigns over seeds: each seed draws its own world, its own faults and their weights.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "sim/raft/world.h"

namespace brigade::sim {

struct RaftTrial {
  std::uint64_t seed = 1;
  raft::Plant plant = raft::Plant::kNone;
  Duration lasts = base::seconds(60);
  bool calm = false;  // five replicas, no faults: what speed is measured on
};
enum class RaftFate : std::uint8_t { kHeld, kBroken, kStuck };
struct RaftVerdict {
  RaftFate fate = RaftFate::kHeld;
  std::string why;
  RaftTotals totals;
};
RaftVerdict try_raft(const RaftTrial& trial);

// Every planted bug by name; the first is "none".
std::span<const std::pair<std::string_view, raft::Plant>> raft_plants();

}  // namespace brigade::sim
