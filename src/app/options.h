// `brigade node`: its flags, their defaults and what makes them senseless (interface.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace brigade::app {

enum class LogFormat : std::uint8_t { kText, kJson };

struct NodeOptions {
  std::string name;  // empty: made from the node id
  std::string data = "./brigade-data";
  std::string cluster = "brigade";
  std::vector<std::string> seeds;  // host:port, as given
  std::optional<std::uint32_t> expect;
  std::string peer = "127.0.0.1:7420";
  std::string advertise;                 // empty: the bound peer address
  std::string redis = "127.0.0.1:7421";  // "off" switches a door off
  std::string http = "127.0.0.1:7422";
  std::string envoy = "off";
  std::string region;
  std::string zone;
  // Of a cluster that is founded; unset: ClusterSettings'.
  std::optional<std::uint32_t> shards;
  std::optional<std::uint32_t> replicas;
  std::chrono::nanoseconds replace_after = std::chrono::minutes(10);
  std::string limits;  // a file, applied if the cluster has none
  std::chrono::nanoseconds bms_term = std::chrono::seconds(60);
  std::uint64_t memory_max = 0;  // bytes, 0: no bound of our own
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kText;
};

// Adds the subcommand `node` and its flags; `options` is filled by parsing.
CLI::App* add_node_command(CLI::App& app, NodeOptions& options);

// What CLI11 cannot see: addresses without a port, an unspecified address without --advertise, odd
// names, flags that contradict each other. The message says what to write instead.
base::Status check(const NodeOptions& options);

// "200ms", "5s", "1m", "2h"; nullopt when it is not a duration >= 0.
std::optional<std::chrono::nanoseconds> parse_duration(const std::string& text);
CLI::Validator duration_validator();
// "64MiB", "2GiB", "1000000"; nullopt when it is not a size.
std::optional<std::uint64_t> parse_size(const std::string& text);

}  // namespace brigade::app
