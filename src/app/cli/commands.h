// The client commands of `brigade` (interface.md): each asks one node over HTTP.
#pragma once

#include <CLI/CLI.hpp>

namespace brigade::cli {

// Adds every client command. One that is parsed runs at once and sets `exit_code`, which must
// outlive the parse.
void add_client_commands(CLI::App& app, int& exit_code);

// The groups.
void add_show_commands(CLI::App& app, int& exit_code);     // status, members, limits, ...
void add_limit_commands(CLI::App& app, int& exit_code);    // limit apply, get, delete
void add_decide_commands(CLI::App& app, int& exit_code);   // acquire, settle
void add_control_commands(CLI::App& app, int& exit_code);  // override, transfer, drain, ...

}  // namespace brigade::cli
