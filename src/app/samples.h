// What the parts of a node know of themselves, as families of metrics (interface.md, /metrics).
#pragma once

#include <vector>

#include "api/metrics.h"
#include "base/time.h"
#include "node/node.h"

namespace brigade::app {

std::vector<api::SampledFamily> sample(node::Node& node, base::Instant now);

}  // namespace brigade::app
