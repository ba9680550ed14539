#include "app/replay/target.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "net/address.h"

namespace brigade::replay {
namespace {

using base::Error;
using base::Result;
using cli::json;

constexpr const char* kSayNodes = "; say which nodes with --nodes HOST:PORT,HOST:PORT";

std::int64_t scaled(double value, double by, std::int64_t most) {
  const double product = value * by;
  return std::isfinite(product) && product > 0 && product < static_cast<double>(most)
             ? std::llround(product)
             : (product > 0 ? most : 0);
}

// A node that listens on every interface tells that as its address: its peers reach its host.
Result<std::string> redis_address(const json& member) {
  const std::string name = cli::text_at(member, "name");
  const json& addresses = cli::at(member, "addresses");
  const std::string said = cli::text_at(addresses, "redis");
  auto redis = net::parse_host_port(said);
  if (!redis) {
    return Error{"node " + name + " has no Redis address (" + (said.empty() ? "off" : said) + ")" +
                 kSayNodes};
  }
  if (net::is_wildcard(redis->host)) {
    const auto peer = net::parse_host_port(cli::text_at(addresses, "peer"));
    if (!peer || net::is_wildcard(peer->host)) {
      return Error{"node " + name + " does not say where its Redis address " + said +
                   " is reached" + kSayNodes};
    }
    redis->host = peer->host;
  }
  return redis->text();
}

bool is_live(const json& member) {
  const std::string state = cli::text_at(member, "state");
  return state == "alive" || state == "suspect";
}

// n2 before n10: among names alike but for their number, the shorter one comes first.
bool by_name(const json& a, const json& b) {
  const std::string x = cli::text_at(a, "name");
  const std::string y = cli::text_at(b, "name");
  const auto stem = [](const std::string& name) {
    return name.substr(0, name.find_last_not_of("0123456789") + 1);
  };
  return stem(x) == stem(y) && x.size() != y.size() ? x.size() < y.size() : x < y;
}

Result<std::vector<NodeTarget>> without_repeats(std::vector<NodeTarget> nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (nodes[i].address == nodes[j].address) {
        return Error{"--nodes: " + nodes[i].name + " and " + nodes[j].name + " are one node"};
      }
    }
  }
  return nodes;
}

}  // namespace

Result<Terms> terms_of(const json& status, const std::string& limit) {
  std::vector<std::string> names;
  for (const json& entry : cli::list_at(status, "limits")) {
    names.push_back(cli::text_at(entry, "name"));
    if (names.back() != limit) {
      continue;
    }
    const json& configured = cli::at(entry, "configured");
    const Terms terms{
        .rate = Rate::nano_per_second(
            scaled(cli::number_at(configured, "rate_per_s"), 1e9, Rate::kMaxNano)),
        .burst = Tokens::micro(scaled(cli::number_at(configured, "burst"), 1e6, Tokens::kMaxMicro)),
        .per_key = cli::text_at(entry, "per") == "key"};
    if (terms.rate <= Rate{}) {
      return Error{"limit " + limit + " has no rate at this node (it may be on its way out)"};
    }
    return terms;
  }
  std::string there;
  for (const std::string& name : names) {
    there += (there.empty() ? "" : ", ") + name;
  }
  return Error{"no limit " + limit + " in this cluster; " +
               (there.empty() ? "there is none: declare it with `brigade limit apply`"
                              : "there are: " + there)};
}

Result<std::vector<NodeTarget>> nodes_of(const json& status,
                                         const std::vector<std::string>& asked) {
  std::vector<json> members = cli::list_at(cli::at(status, "cluster"), "members");
  std::sort(members.begin(), members.end(), &by_name);
  std::vector<NodeTarget> nodes;
  if (asked.empty()) {
    for (const json& member : members) {
      if (!is_live(member)) {
        continue;
      }
      const auto address = redis_address(member);
      if (!address) {
        return address.error();
      }
      nodes.push_back({.name = cli::text_at(member, "name"), .address = *address});
    }
    if (nodes.empty()) {
      return Error{std::string("the cluster tells of no live member") + kSayNodes};
    }
    return nodes;
  }
  for (const std::string& text : asked) {
    const auto found = std::find_if(members.begin(), members.end(), [&](const json& member) {
      const auto address = redis_address(member);
      return cli::text_at(member, "name") == text || (address && *address == text);
    });
    if (found == members.end()) {
      if (!net::parse_host_port(text)) {
        return Error{"--nodes: " + text + " is neither a member's name nor HOST:PORT"};
      }
      nodes.push_back({.name = text, .address = text});
      continue;
    }
    const auto address = redis_address(*found);
    if (!address) {
      return address.error();
    }
    nodes.push_back({.name = cli::text_at(*found, "name"), .address = *address});
  }
  return without_repeats(std::move(nodes));
}

Result<std::vector<NodeTarget>> nodes_by_address(const std::vector<std::string>& asked) {
  std::vector<NodeTarget> nodes;
  for (const std::string& text : asked) {
    const auto address = net::parse_host_port(text);
    if (!address || address->port == 0) {
      return Error{"--nodes: " + text + ": expected HOST:PORT of a node's Redis protocol"};
    }
    nodes.push_back({.name = text, .address = text});
  }
  return without_repeats(std::move(nodes));
}

bool are_addresses(const std::vector<std::string>& asked) {
  return !asked.empty() && std::all_of(asked.begin(), asked.end(), [](const std::string& text) {
    return net::parse_host_port(text).has_value();
  });
}

std::string name_of(const std::vector<NodeTarget>& nodes, const std::string& text) {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const NodeTarget& node) {
    return node.name == text || node.address == text;
  });
  return found == nodes.end() ? text : found->name;
}

}  // namespace brigade::replay
