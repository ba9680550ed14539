// Flags that client commands share, and how a command runs.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "app/cli/call.h"
#include "base/time.h"

namespace brigade::cli {

constexpr const char* kDefaultNode = "127.0.0.1:7422";

struct NodeFlags {
  std::string node;  // HOST:PORT; empty: BRIGADE_NODE, else kDefaultNode
  std::string timeout = "30s";
  bool as_json = false;
};

// Adds --node, --timeout and --json to a command.
std::shared_ptr<NodeFlags> add_node_flags(CLI::App& command);
// The same without --node, for commands where it names a member.
std::shared_ptr<NodeFlags> add_reply_flags(CLI::App& command);

// Asks the node and prints what comes of it. `longer` is added to the time it may take.
int run(const NodeFlags& flags, const Call& call, base::Duration longer = base::Duration(0));
// Prints and returns the exit code.
int tell(const Outcome& outcome);

// A validator: an amount of tokens >= 0.
CLI::Validator amount();
// A number for JSON: whole ones without a fraction. Requires: it passed amount().
json amount_json(const std::string& text);
// Whole milliseconds, rounded up. Requires: it passed app::duration_validator().
long long milliseconds_of(const std::string& text);

}  // namespace brigade::cli
