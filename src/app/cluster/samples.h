// What a node knows of its members, peers and clients, as families of metrics (interface.md,
// /metrics).
#pragma once

#include <vector>

#include "api/metrics.h"
#include "app/cluster/membership.h"
#include "app/cluster/peers.h"
#include "app/doors.h"

namespace brigade::app {

std::vector<api::SampledFamily> sample(const Membership& membership);
std::vector<api::SampledFamily> sample(const Peers& peers);
std::vector<api::SampledFamily> sample(const Doors& doors);

}  // namespace brigade::app
