// The findings of a replay for people and for programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/replay/analysis.h"
#include "app/replay/node_link.h"

namespace brigade::replay {

// What was replayed, and what beside the findings is to be told.
struct Story {
  std::string trace;
  std::string limit;
  Terms terms;
  std::vector<NodeTarget> nodes;
  std::string assignment;
  std::uint64_t seed = 1;
  double speed = 1;
  bool interrupted = false;
  std::string worst_key;  // the key of Findings::worst where the limit is per key
  std::map<std::string, std::uint64_t> error_texts;
};

// Amounts are tokens, except in `requests` and where a name says requests or errors.
std::string report_json(const Findings& findings, const Story& story);
std::string report_text(const Findings& findings, const Story& story);

}  // namespace brigade::replay
