#include "app/options.h"

#include <array>
#include <cctype>
#include <charconv>
#include <string_view>
#include <utility>

namespace brigade::app {
namespace {

using base::Error;

constexpr std::size_t kMaxName = 64;

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

CLI::Validator duration_validator() {
  return CLI::Validator(
      [](std::string& text) {
        return parse_duration(text) ? std::string()
                                    : "expected a duration such as 500ms, 5s or 1m, got " + text;
      },
      "DURATION");
}

CLI::Validator size_validator() {
  return CLI::Validator(
      [](std::string& text) {
        return parse_size(text) ? std::string()
                                : "expected a size such as 512MiB or 2GiB, got " + text;
      },
      "SIZE");
}

base::Status check_door(const char* flag, const std::string& address) {
  if (address != "off" && !parse_address(address)) {
    return Error{std::string(flag) + " " + address +
                 ": expected HOST:PORT, for example 127.0.0.1:7421, or off"};
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
      ->capture_default_str();
  node.add_option("--replicas", options.replicas, "voters per shard")
      ->check(CLI::Range(1, 9))
      ->capture_default_str();
  node.add_option("--limits", options.limits, "limits file, applied if the cluster has none");
  node.add_option_function<std::string>(
          "--bms-term", [&](const std::string& text) { options.bms_term = *parse_duration(text); },
          "how long one leader runs the bucket management of a shard")
      ->check(duration_validator())
      ->default_str("60s");
  node.add_option_function<std::string>(
          "--memory-max", [&](const std::string& text) { options.memory_max = *parse_size(text); },
          "refuse new keys beyond this much memory")
      ->check(size_validator());
}

}  // namespace

CLI::App* add_node_command(CLI::App& app, NodeOptions& options) {
  CLI::App* node = app.add_subcommand("node", "run a node in the foreground");
  add_identity_flags(*node, options);
  add_door_flags(*node, options);
  add_cluster_flags(*node, options);
  node->add_option("--log-level", options.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  node->add_option("--log-format", options.log_format, "text or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, LogFormat>{
          {"text", LogFormat::kText}, {"json", LogFormat::kJson}}));
  node->set_config("--config", "", "file with the same settings, name=value");
  return node;
}

base::Status check(const NodeOptions& options) {
  if (!is_name(options.name)) {
    return Error{"--name " + options.name + ": expected at most 64 letters, digits, - _ ."};
  }
  if (options.cluster.empty() || !is_name(options.cluster)) {
    return Error{"--cluster " + options.cluster + ": expected 1 to 64 letters, digits, - _ ."};
  }
  const auto peer = parse_address(options.peer);
  if (!peer) {
    return Error{"--peer " + options.peer + ": expected HOST:PORT, for example 127.0.0.1:7420"};
  }
  if ((peer->host == "0.0.0.0" || peer->host == "::" || peer->host == "[::]") &&
      options.advertise.empty()) {
    return Error{
        "--peer " + options.peer +
        " listens everywhere: say with --advertise HOST:PORT where others reach this node"};
  }
  if (!options.advertise.empty() && !parse_address(options.advertise)) {
    return Error{"--advertise " + options.advertise + ": expected HOST:PORT"};
  }
  for (const std::string& seed : options.seeds) {
    const auto address = parse_address(seed);
    if (!address || address->port == 0) {
      return Error{"--seed " + seed + ": expected HOST:PORT of a node's --peer address"};
    }
  }
  if (options.expect &&
      (*options.expect <= options.seeds.size() / 2 || *options.expect > options.seeds.size())) {
    return Error{"--expect " + std::to_string(*options.expect) +
                 ": expected more than half of the seeds and at most all of them"};
  }
  if (auto status = check_door("--redis", options.redis); !status) {
    return status;
  }
  return check_door("--http", options.http);
}

std::optional<HostPort> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return std::nullopt;
  }
  const auto number = split_number(std::string_view(text).substr(colon + 1));
  if (!number || !number->second.empty() || number->first > 65535) {
    return std::nullopt;
  }
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return HostPort{.host = std::move(host), .port = static_cast<std::uint16_t>(number->first)};
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
