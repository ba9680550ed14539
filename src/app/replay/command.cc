#include "app/replay/command.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "api/limits_file.h"
#include "app/cli/flags.h"
#include "app/cli/http_client.h"
#include "app/options.h"
#include "app/replay/analysis.h"
#include "app/replay/assignment.h"
#include "app/replay/decimal.h"
#include "app/replay/driver.h"
#include "app/replay/report.h"
#include "app/replay/target.h"
#include "app/replay/trace.h"

namespace brigade::replay {
namespace {

using base::Error;
using base::Result;

constexpr std::size_t kNodesMax = 4096;

struct Flags {
  std::string file;
  std::string limit;
  std::vector<std::string> nodes;
  std::string node;
  double speed = 1;
  std::string assign = "round-robin";
  std::uint64_t seed = 1;
  std::size_t connections = 8;
  std::string timeout = "5s";
  std::string rate;
  std::string burst;
  bool per_key = false;
  bool as_json = false;
};

Result<cli::json> ask_status(const Flags& flags) {
  const char* const said = std::getenv("BRIGADE_NODE");
  const std::string text = !flags.node.empty()                ? flags.node
                           : said != nullptr && *said != '\0' ? said
                                                              : cli::kDefaultNode;
  const auto address = net::parse_host_port(text);
  if (!address) {
    return Error{"--node or BRIGADE_NODE: " + address.error().message};
  }
  const auto reply = cli::http_ask(*address, {.target = "/v1/status", .body = {}});
  if (!reply) {
    return Error{reply.error().message +
                 ". Without HTTP: --nodes HOST:PORT,... (Redis addresses), --rate and --burst"};
  }
  cli::json status = cli::json::parse(reply->body, nullptr, false);
  if (reply->status != 200 || !status.is_object()) {
    return Error{"GET /v1/status of " + address->text() + " answered " +
                 std::to_string(reply->status) + (reply->status == 200 ? " without JSON" : "")};
  }
  return status;
}

Result<Terms> terms_from(const Flags& flags) {
  const bool has_unit = flags.rate.find('/') != std::string::npos;
  const auto rate = api::read_rate(has_unit ? flags.rate : flags.rate + "/s");
  if (!rate) {
    return Error{"--rate: " + rate.error().message};
  }
  const auto burst = parse_scaled(flags.burst, 6, false);
  if (!burst || *burst > Tokens::kMaxMicro) {
    return Error{"--burst " + flags.burst + ": expected tokens, at most 1e12"};
  }
  return Terms{.rate = *rate, .burst = Tokens::micro(*burst), .per_key = flags.per_key};
}

Result<Target> find_target(const Flags& flags) {
  const bool says_terms = !flags.rate.empty();
  if (says_terms != !flags.burst.empty() || (flags.per_key && !says_terms)) {
    return Error{"--rate and --burst (and --per-key) belong together"};
  }
  Target target;
  if (says_terms) {
    auto terms = terms_from(flags);
    if (!terms) {
      return terms.error();
    }
    target.terms = *terms;
  }
  const bool alone = says_terms && are_addresses(flags.nodes);
  std::optional<cli::json> status;
  if (!alone) {
    auto asked = ask_status(flags);
    if (!asked) {
      return asked.error();
    }
    status = *asked;
  }
  if (!says_terms) {
    auto terms = terms_of(*status, flags.limit);
    if (!terms) {
      return terms.error();
    }
    target.terms = *terms;
  }
  auto nodes = alone ? nodes_by_address(flags.nodes) : nodes_of(*status, flags.nodes);
  if (!nodes) {
    return nodes.error();
  }
  if (nodes->size() > kNodesMax) {
    return Error{"more than " + std::to_string(kNodesMax) + " nodes"};
  }
  target.nodes = *nodes;
  return target;
}

// The trace as attempts: at which time and at which node each request is due.
Result<std::vector<Attempt>> plan_attempts(const Flags& flags, const Trace& trace,
                                           const Target& target) {
  auto spec = parse_assignment(flags.assign);
  if (!spec) {
    return Error{"--assign " + spec.error().message};
  }
  spec->node = name_of(target.nodes, spec->node);
  std::vector<std::string> names;
  for (const NodeTarget& node : target.nodes) {
    names.push_back(node.name);
  }
  auto assignment = Assignment::make(*spec, names, flags.seed);
  if (!assignment) {
    return Error{"--assign " + assignment.error().message};
  }
  std::vector<Attempt> attempts;
  attempts.reserve(trace.requests.size());
  for (const TraceRequest& request : trace.requests) {
    const std::string& key = trace.keys[request.key];
    if (target.terms.per_key && key.empty()) {
      return Error{"limit " + flags.limit + " is per key, but " + flags.file +
                   " has a request without a key"};
    }
    const double due = static_cast<double>(request.at.count()) / flags.speed;
    if (due > static_cast<double>(kSecondsMax) * 1e9) {
      return Error{"--speed " + std::to_string(flags.speed) + ": this replay would take centuries"};
    }
    attempts.push_back({.due = Duration(std::llround(due)),
                        .cost = request.cost,
                        .key = request.key,
                        .node = static_cast<std::uint16_t>(assignment->next(key))});
  }
  return attempts;
}

void show_progress(const Progress& progress, std::size_t total) {
  std::fprintf(stderr, "\r%.0f s: %zu of %zu offered, %zu admitted, %zu refused, %zu errors\033[K",
               static_cast<double>(progress.now.count()) / 1e9, progress.offered, total,
               progress.admitted, progress.refused, progress.failed);
}

Result<int> replay(const Flags& flags) {
  const auto trace = read_trace_file(flags.file);
  if (!trace) {
    return trace.error();
  }
  const auto target = find_target(flags);
  if (!target) {
    return target.error();
  }
  auto attempts = plan_attempts(flags, *trace, *target);
  if (!attempts) {
    return attempts.error();
  }
  const bool shows = !flags.as_json && isatty(STDERR_FILENO) == 1;
  const std::size_t total = attempts->size();
  Driver driver({.nodes = target->nodes,
                 .limit = flags.limit,
                 .with_keys = target->terms.per_key,
                 .connections = flags.connections,
                 .answer_patience = base::milliseconds(cli::milliseconds_of(flags.timeout))},
                trace->keys,
                shows ? [total](const Progress& progress) { show_progress(progress, total); }
                      : std::function<void(const Progress&)>());
  const auto status = driver.run(*attempts);
  if (shows) {
    std::fputs("\r\033[K", stderr);
  }
  if (!status) {
    return status.error();
  }
  const Findings findings = analyse(*attempts, target->nodes.size(), target->terms);
  const Story story{.trace = flags.file,
                    .limit = flags.limit,
                    .terms = target->terms,
                    .nodes = target->nodes,
                    .assignment = flags.assign,
                    .seed = flags.seed,
                    .speed = flags.speed,
                    .interrupted = driver.interrupted(),
                    .worst_key = trace->keys[findings.worst_key],
                    .error_texts = driver.error_texts()};
  const std::string text =
      flags.as_json ? report_json(findings, story) : report_text(findings, story);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  const Tally& tally = findings.tally;
  if (tally.admitted.requests + tally.refused.requests == 0) {
    return Error{"not one request was decided"};
  }
  return findings.worst.over > Tokens{} ? cli::kNegative : cli::kOk;
}

void add_limit_flags(CLI::App& command, Flags& flags) {
  command.add_option("--limit", flags.limit, "name of the limit")->required();
  command
      .add_option("--nodes", flags.nodes,
                  "members by name, or HOST:PORT of their Redis protocol (default: all live ones)")
      ->delimiter(',');
  command.add_option("--node", flags.node,
                     std::string("HOST:PORT of a node's HTTP address, to ask for members and the "
                                 "limit (or BRIGADE_NODE; default ") +
                         cli::kDefaultNode + ")");
  command.add_option("--rate", flags.rate,
                     "the limit's rate, such as 1000/s; with --burst and addresses in --nodes "
                     "nothing is asked over HTTP");
  command.add_option("--burst", flags.burst, "the limit's burst");
  command.add_flag("--per-key", flags.per_key, "with --rate: the limit is per key");
}

}  // namespace

void add_replay_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "replay",
      "drives a running cluster with a request trace; exit code 1: more was admitted than allowed");
  const auto flags = std::make_shared<Flags>();
  command
      ->add_option("FILE", flags->file, "CSV t_s,key,cost, or an access log; - is standard input")
      ->required();
  add_limit_flags(*command, *flags);
  command->add_option("--speed", flags->speed, "how many times faster than recorded")
      ->check(CLI::Range(1e-6, 1e9))
      ->capture_default_str();
  command
      ->add_option("--assign", flags->assign,
                   "which node gets a request: round-robin, skew:Z (Zipf over the nodes in their "
                   "order), hash (by key), one or one:NODE")
      ->capture_default_str();
  command->add_option("--seed", flags->seed, "of skew and hash")->capture_default_str();
  command->add_option("--connections", flags->connections, "per node")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--timeout", flags->timeout, "how long a node may take to answer a request")
      ->check(app::duration_validator())
      ->capture_default_str();
  command->add_flag("--json", flags->as_json, "print JSON");
  command->callback([flags, &exit_code] {
    const auto done = replay(*flags);
    if (!done) {
      std::fprintf(stderr, "brigade replay: %s\n", done.error().message.c_str());
    }
    exit_code = done ? *done : cli::kFailed;
  });
}

}  // namespace brigade::replay
