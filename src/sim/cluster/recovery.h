// Liveness: what the faults did is over some time after them.
#pragma once

#include <string>

#include "sim/cluster/world.h"

namespace brigade::sim {

// Ends the world's faults, leaves it alone for a while, and then asks every machine that is there
// for its part of this shared limit. Empty when that is served, else what is not. The guarantee may
// break meanwhile (World::broken).
std::string stalled_after_faults(World& world, const bucket::LimitSpec& limit);

}  // namespace brigade::sim
