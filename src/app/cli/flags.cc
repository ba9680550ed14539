#include "app/cli/flags.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "app/options.h"
#include "base/number.h"

namespace brigade::cli {
namespace {

// What amounts are at most, in tokens: what a node accepts.
constexpr double kAmountMax = 1e12;

std::string node_address(const NodeFlags& flags) {
  if (!flags.node.empty()) {
    return flags.node;
  }
  const char* const said = std::getenv("BRIGADE_NODE");
  return said != nullptr && *said != '\0' ? said : kDefaultNode;
}

std::optional<double> read_amount(const std::string& text) {
  const auto value = base::read_number(text);
  return value && *value >= 0 && *value <= kAmountMax ? value : std::nullopt;
}

}  // namespace

std::shared_ptr<NodeFlags> add_reply_flags(CLI::App& command) {
  auto flags = std::make_shared<NodeFlags>();
  command.add_flag("--json", flags->as_json, "print the node's JSON answer");
  command.add_option("--timeout", flags->timeout, "how long the node may take to answer")
      ->check(app::duration_validator())
      ->capture_default_str();
  return flags;
}

std::shared_ptr<NodeFlags> add_node_flags(CLI::App& command) {
  auto flags = add_reply_flags(command);
  command.add_option("--node", flags->node,
                     std::string("HOST:PORT of a node's HTTP address (or BRIGADE_NODE; default ") +
                         kDefaultNode + ")");
  return flags;
}

int tell(const Outcome& outcome) {
  std::fwrite(outcome.out.data(), 1, outcome.out.size(), stdout);
  std::fflush(stdout);
  std::fwrite(outcome.err.data(), 1, outcome.err.size(), stderr);
  return outcome.exit_code;
}

int run(const NodeFlags& flags, const Call& call, base::Duration longer) {
  const std::string said = node_address(flags);
  const auto address = net::parse_host_port(said);
  if (!address) {
    return tell(failed("--node or BRIGADE_NODE: " + address.error().message));
  }
  const HttpPatience patience{.answering =
                                  base::milliseconds(milliseconds_of(flags.timeout)) + longer};
  const auto reply = http_ask(*address, call.ask, patience);
  if (!reply) {
    return tell(failed(reply.error().message));
  }
  return tell(outcome_of(call, *reply, flags.as_json));
}

CLI::Validator amount() {
  return CLI::Validator(
      [](std::string& text) {
        return read_amount(text) ? std::string()
                                 : "expected a number of tokens from 0 to 1e12, got " + text;
      },
      "TOKENS");
}

json amount_json(const std::string& text) {
  const double value = read_amount(text).value_or(0);
  if (value == std::floor(value)) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

long long milliseconds_of(const std::string& text) {
  const auto duration = app::parse_duration(text).value_or(std::chrono::nanoseconds(0));
  return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}

}  // namespace brigade::cli
