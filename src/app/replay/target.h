// What a replay needs to know of a cluster, out of GET /v1/status. Knows no socket.
#pragma once

#include <string>
#include <vector>

#include "app/cli/json_read.h"
#include "app/replay/analysis.h"
#include "app/replay/node_link.h"
#include "base/result.h"

namespace brigade::replay {

struct Target {
  std::vector<NodeTarget> nodes;
  Terms terms;  // as configured
};

// The rate, burst and `per` of a limit. Errors: no such limit (says which there are).
base::Result<Terms> terms_of(const cli::json& status, const std::string& limit);

// The nodes asked for, in that order: names of members, or HOST:PORT of their Redis protocol.
// Without any: every member that is alive or suspect, by name, n2 before n10. Errors: an unknown
// name, a member without a Redis address, a repeated node, no node at all.
base::Result<std::vector<NodeTarget>> nodes_of(const cli::json& status,
                                               const std::vector<std::string>& asked);
// The same where every node asked for is an address: nothing has to be known of the cluster.
base::Result<std::vector<NodeTarget>> nodes_by_address(const std::vector<std::string>& asked);
bool are_addresses(const std::vector<std::string>& asked);

// The name of the node that has this name or address; `text` itself when there is none.
std::string name_of(const std::vector<NodeTarget>& nodes, const std::string& text);

}  // namespace brigade::replay
