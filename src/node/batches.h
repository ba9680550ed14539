// What one turn asks of one node leaves as one message, and so do the answers.
#pragma once

#include <vector>

#include "node/actions.h"

namespace brigade::node {

// Puts Asks to the same node together, and Told that are void at the same time; at most
// AskBatch::kMost in one message. What goes to one node and is not put together keeps its order.
void gather(std::vector<Send>& sends);

}  // namespace brigade::node
