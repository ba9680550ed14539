// Transcripts of pure functions: quorum mathematics and configuration changes.
#pragma once

#include <string>

#include "raft/membership.h"
#include "sim/transcripts/datadriven.h"

namespace brigade::sim {

// `committed` and `vote` over majority and joint configurations.
std::string run_quorum(const Directive& directive);

// `simple`, `enter-joint`, `leave-joint`, each on top of the last.
class ConfChangeScript {
 public:
  std::string run(const Directive& directive);

 private:
  raft::Membership membership_;
  std::uint64_t last_index_ = 0;
};

// "v1 l2 r3 u4"; false on an unknown token.
bool parse_changes(const std::string& text, std::vector<raft::SingleChange>& out);

}  // namespace brigade::sim
