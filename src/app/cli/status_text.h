// What the show commands print: the JSON of /v1/status and its parts as tables.
#pragma once

#include <string>

#include "app/cli/json_read.h"

namespace brigade::cli {

// One screen: this node, members, shards, limits, buckets.
std::string status_text(const json& status);
// `members`, `shards` and `limits` are lists, as inside the status.
std::string members_text(const std::vector<json>& members);
std::string shards_text(const std::vector<json>& shards);
std::string limits_text(const std::vector<json>& limits);
// One limit of the status: its line, its pool, and a row per node.
std::string buckets_text(const json& limit);

}  // namespace brigade::cli
