// True randomness from the kernel: drawn once at start, everything after it comes from base::Prng.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace brigade::host {

// Each aborts the process when the kernel has no entropy to give, which it does not recover from.
base::Boot draw_boot();
// 48 random bits, never zero: a new data directory's identity.
base::NodeId draw_node_id();
// 64 random bits for a base::Prng.
std::uint64_t draw_seed();

}  // namespace brigade::host
