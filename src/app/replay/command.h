// `brigade replay`: drives a running cluster with a request trace.
#pragma once

#include <CLI/CLI.hpp>

namespace brigade::replay {

// Adds the command. When it is parsed it runs at once and sets `exit_code`, which must outlive the
// parse: 0 done, 1 the replay saw more admitted than the limit allows, 2 usage or failure.
void add_replay_command(CLI::App& app, int& exit_code);

}  // namespace brigade::replay
