#include "app/options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <istream>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/spelling.h"
#include "net/address.h"

namespace brigade::app {
namespace {

using base::Error;

constexpr std::size_t kMaxName = 64;
constexpr std::chrono::nanoseconds kNever{0};
constexpr std::chrono::nanoseconds kTermMin = std::chrono::seconds(1);
constexpr std::chrono::nanoseconds kTermMax = std::chrono::hours(24);
constexpr std::chrono::nanoseconds kGraceMin = std::chrono::seconds(1);
constexpr std::chrono::nanoseconds kGraceMax = std::chrono::hours(720);
constexpr std::uint64_t kMemoryMin = std::uint64_t{16} << 20U;

void add_node_flags(CLI::App& node, NodeOptions& options);

// Splits "12ms" into 12 and "ms"; nullopt without leading digits.
std::optional<std::pair<std::uint64_t, std::string_view>> split_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  return std::pair(number, text.substr(static_cast<std::size_t>(end - text.data())));
}

bool is_name(const std::string& text) {
  if (text.size() > kMaxName) {
    return false;
  }
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') {
      return false;
    }
  }
  return true;
}

CLI::Validator size_validator() {
  return CLI::Validator(
      [](std::string& text) {
        return parse_size(text) ? std::string()
                                : "expected a size such as 512MiB or 2GiB, got " + text;
      },
      "SIZE");
}

// Says which name of the file is no setting; empty when each one is.
std::string unknown_name(const CLI::App& app, std::istream& file) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  std::erase(names, "help");
  for (const CLI::ConfigItem& item : app.get_config_formatter()->from_config(file)) {
    const bool begins_section = item.name == "++";
    const std::string name = begins_section ? "[" + item.parents.back() + "]" : item.fullname();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return "unknown name `" + name + "`" + base::did_you_mean(name, names);
    }
  }
  return {};
}

// The file's settings, as if they stood before the command line's: those win.
std::string read_config(const std::string& path, NodeOptions& options) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) {
    return path + " cannot be read";
  }
  CLI::App app;
  add_node_flags(app, options);
  app.allow_config_extras(CLI::config_extras_mode::error);
  const std::string expected = "; expected lines of NAME=VALUE with the names of flags";
  try {
    const std::string unknown = unknown_name(app, file);
    if (!unknown.empty()) {
      return path + ": " + unknown + expected;
    }
    file.clear();
    file.seekg(0);
    app.parse_from_stream(file);
  } catch (const CLI::ParseError& error) {
    return path + ": " + error.what() + expected;
  }
  return {};
}

base::Status check_peer(const NodeOptions& options) {
  const auto peer = net::parse_host_port(options.peer);
  if (!peer) {
    return Error{"--peer: " + peer.error().message};
  }
  const auto advertised = net::advertised_address(*peer, options.advertise);
  if (!advertised) {
    return Error{options.advertise.empty() ? advertised.error().message
                                           : "--advertise: " + advertised.error().message};
  }
  for (const std::string& seed : options.seeds) {
    const auto address = net::parse_host_port(seed);
    if (!address || address->port == 0) {
      return Error{"--seed " + seed + ": expected HOST:PORT of a node's --peer address"};
    }
    const bool elsewhere = net::is_numeric(address->host) && !net::is_loopback(address->host);
    if (elsewhere && net::is_loopback(advertised->host)) {
      return Error{"the seed " + seed + " is not on this machine, where " + advertised->text() +
                   " cannot be reached: listen on an address of the network with --peer"};
    }
  }
  const std::set<std::string> seeds(options.seeds.begin(), options.seeds.end());
  if (options.expect && seeds.empty()) {
    return Error{"--expect says how many of the seeds found a cluster: name them with --seed"};
  }
  if (options.expect && (*options.expect <= seeds.size() / 2 || *options.expect > seeds.size())) {
    return Error{"--expect " + std::to_string(*options.expect) +
                 ": expected more than half of the " + std::to_string(seeds.size()) +
                 " seeds and at most all of them"};
  }
  return base::ok();
}

// The listening addresses: each one well-formed, no two the same.
base::Status check_doors(const NodeOptions& options) {
  std::map<std::string, const char*> taken{{options.peer, "--peer"}};
  for (const auto& [flag, text] : {std::pair("--redis", options.redis), {"--http", options.http}}) {
    if (text == "off") {
      continue;
    }
    const auto address = net::parse_host_port(text);
    if (!address) {
      return Error{std::string(flag) + ": " + address.error().message + ", or off"};
    }
    const auto [other, fresh] = taken.emplace(text, flag);
    if (!fresh && address->port != 0) {
      return Error{std::string(flag) + " and " + other->second + " are both " + text +
                   ": give each its own port"};
    }
  }
  return base::ok();
}

base::Status check_name(const char* flag, const std::string& text) {
  if (!is_name(text)) {
    return Error{std::string(flag) + " " + text + ": expected at most 64 letters, digits, - _ ."};
  }
  return base::ok();
}

void add_identity_flags(CLI::App& node, NodeOptions& options) {
  node.add_option("--name", options.name, "label of this node (default: unique)");
  node.add_option("--data", options.data, "data directory")->capture_default_str();
  node.add_option("--cluster", options.cluster, "name of the cluster")->capture_default_str();
  node.add_option("--seed", options.seeds,
                  "HOST:PORT of a node to join, repeatable or a comma list")
      ->delimiter(',');
  node.add_option("--expect", options.expect, "how many founders to wait for (default: all seeds)");
  node.add_option("--region", options.region, "region of this node");
  node.add_option("--zone", options.zone, "zone of this node");
}

void add_door_flags(CLI::App& node, NodeOptions& options) {
  node.add_option("--peer", options.peer, "address for peers, TCP and UDP")->capture_default_str();
  node.add_option("--advertise", options.advertise, "peer address that others are told");
  node.add_option("--redis", options.redis, "Redis protocol address, or off")
      ->capture_default_str();
  node.add_option("--http", options.http, "HTTP address, or off")->capture_default_str();
}

void add_cluster_flags(CLI::App& node, NodeOptions& options) {
  node.add_option("--shards", options.shards, "shards of a cluster that is created")
      ->check(CLI::Range(1, 1024))
      ->default_str("8");
  node.add_option("--replicas", options.replicas, "voters per shard")
      ->check(CLI::Range(1, 9))
      ->default_str("3");
  node.add_option("--limits", options.limits, "limits file, applied if the cluster has none");
  node.add_option_function<std::string>(
          "--bms-term", [&](const std::string& text) { options.bms_term = *parse_duration(text); },
          "how long one leader runs the bucket management of a shard; 0s: for ever")
      ->check(duration_validator())
      ->default_str("60s");
  node.add_option_function<std::string>(
          "--replace-after",
          [&](const std::string& text) { options.replace_after = *parse_duration(text); },
          "how long a member may be missed before another takes over what it votes in")
      ->check(duration_validator())
      ->default_str("10m");
  node.add_option_function<std::string>(
          "--memory-max", [&](const std::string& text) { options.memory_max = *parse_size(text); },
          "refuse new keys beyond this much memory")
      ->check(size_validator());
}

void add_log_flags(CLI::App& node, NodeOptions& options) {
  node.add_option("--log-level", options.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember(std::vector{"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  node.add_option_function<std::string>(
          "--log-format",
          [&](const std::string& text) {
            options.log_format = text == "json" ? LogFormat::kJson : LogFormat::kText;
          },
          "text or json")
      ->check(CLI::IsMember(std::vector{"text", "json"}))
      ->default_str("text");
}

void add_node_flags(CLI::App& node, NodeOptions& options) {
  add_identity_flags(node, options);
  add_door_flags(node, options);
  add_cluster_flags(node, options);
  add_log_flags(node, options);
}

}  // namespace

CLI::App* add_node_command(CLI::App& app, NodeOptions& options) {
  CLI::App* node = app.add_subcommand("node", "run a node in the foreground");
  add_node_flags(*node, options);
  // CLI11 reads configuration files of a whole program only. This one is read when its flag is met;
  // the other flags take effect after the last one was read.
  node->add_option("--config", "file with the same settings, NAME=VALUE; flags win over it")
      ->check(CLI::Validator(
          [&options](const std::string& path) { return read_config(path, options); }, "FILE"))
      ->trigger_on_parse();
  return node;
}

base::Status check(const NodeOptions& options) {
  for (const auto& [flag, text] : {std::pair("--name", options.name),
                                   {"--cluster", options.cluster},
                                   {"--region", options.region},
                                   {"--zone", options.zone}}) {
    if (auto status = check_name(flag, text); !status) {
      return status;
    }
  }
  if (options.cluster.empty() || options.data.empty()) {
    return Error{options.data.empty() ? "--data: expected a directory"
                                      : "--cluster: expected a name"};
  }
  if (options.bms_term != kNever && (options.bms_term < kTermMin || options.bms_term > kTermMax)) {
    return Error{"--bms-term: expected 1s to 24h, or 0s for never"};
  }
  if (options.replace_after < kGraceMin || options.replace_after > kGraceMax) {
    return Error{"--replace-after: expected 1s to 720h"};
  }
  if (options.memory_max != 0 && options.memory_max < kMemoryMin) {
    return Error{"--memory-max: expected at least 16MiB, or 0 for no bound"};
  }
  if (auto status = check_peer(options); !status) {
    return status;
  }
  return check_doors(options);
}

CLI::Validator duration_validator() {
  return CLI::Validator(
      [](std::string& text) {
        return parse_duration(text) ? std::string()
                                    : "expected a duration such as 200ms, 5s or 1h, got " + text;
      },
      "DURATION");
}

std::optional<std::chrono::nanoseconds> parse_duration(const std::string& text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> kUnits{
      {{"us", 1'000},
       {"ms", 1'000'000},
       {"s", 1'000'000'000},
       {"m", 60'000'000'000},
       {"h", 3'600'000'000'000}}};
  const auto number = split_number(text);
  for (const auto& [unit, nanoseconds] : kUnits) {
    if (number && number->second == unit && number->first < 1'000'000) {
      return std::chrono::nanoseconds(static_cast<std::int64_t>(number->first * nanoseconds));
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_size(const std::string& text) {
  static constexpr std::array<std::pair<std::string_view, unsigned>, 8> kUnits{
      {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"K", 10}, {"M", 20}, {"G", 30}, {"B", 0}}};
  const auto number = split_number(text);
  for (const auto& [unit, shift] : kUnits) {
    if (number && number->second == unit && number->first < (std::uint64_t{1} << 33U)) {
      return number->first << shift;
    }
  }
  return std::nullopt;
}

}  // namespace brigade::app
