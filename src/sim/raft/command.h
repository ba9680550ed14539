// `brigade-sim raft`: campaigns of the consensus core.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

namespace brigade::sim {

struct RaftOptions {
  std::uint64_t first = 1;
  std::uint64_t seeds = 20;
  std::int64_t seconds = 60;
  std::string plant = "none";
  bool calm = false;
  bool quiet = false;
};

void declare(CLI::App& command, RaftOptions& options);
// Exit code: 0 held, 10 a property broke, 11 no agreement after the faults ended, 12 the same seed
// ran differently, 2 usage.
int run(const RaftOptions& options);

}  // namespace brigade::sim
