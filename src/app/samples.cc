#include "app/samples.h"

#include <string>
#include <utility>

namespace brigade::app {
namespace {

api::SampledFamily gauge(const char* name, const char* help,
                         std::vector<api::SampledFamily::Sample> samples) {
  return {.name = name, .help = help, .counter = false, .samples = std::move(samples)};
}

api::SampledFamily tokens(node::Node& node, base::Instant now) {
  api::SampledFamily family{.name = "brigade_tokens",
                            .help =
                                "Tokens of this node's bucket: its size and level now; the "
                                "others since the node's start.",
                            .counter = false,
                            .samples = {}};
  for (const node::BucketReport& bucket : node.buckets(now)) {
    const auto add = [&](const char* kind, base::Tokens amount) {
      family.samples.push_back({.labels = {{"limit", bucket.ledger.limit}, {"kind", kind}},
                                .value = amount.as_double()});
    };
    add("size", bucket.size);
    add("level", bucket.level);
    add("lent", bucket.lent);
    add("borrowed", bucket.borrowed);
    add("admitted", bucket.admitted);
    add("refused", bucket.refused);
  }
  return family;
}

// Above zero: others live on what this node could spare.
api::SampledFamily lend_balance(node::Node& node, base::Instant now) {
  api::SampledFamily family =
      gauge("brigade_lend_balance", "Tokens lent less tokens borrowed since the node's start.", {});
  for (const node::BucketReport& bucket : node.buckets(now)) {
    family.samples.push_back({.labels = {{"limit", bucket.ledger.limit}},
                              .value = (bucket.lent - bucket.borrowed).as_double()});
  }
  return family;
}

api::SampledFamily lend_peers(const node::Node& node) {
  api::SampledFamily family =
      gauge("brigade_lend_peer_tokens",
            "Tokens of all limits that this node lent to each peer and borrowed from it since it "
            "last came to know it as alive.",
            {});
  for (const auto& [id, peer] : node.peers()) {
    const node::PeerBook::Traded traded = node.book().traded(id);
    const auto add = [&](const char* kind, base::Tokens amount) {
      family.samples.push_back(
          {.labels = {{"peer", peer.name}, {"kind", kind}}, .value = amount.as_double()});
    };
    if (peer.live) {
      add("lent", traded.lent);
      add("borrowed", traded.borrowed);
    }
  }
  return family;
}

api::SampledFamily borrows(const node::Node& node) {
  api::SampledFamily family{.name = "brigade_borrow_total",
                            .help = "Requests for tokens of other nodes, by outcome.",
                            .counter = true,
                            .samples = {}};
  for (const auto& [name, config] : node.limits()) {
    const node::SharedLimit* limit = node.shared(name);
    if (limit == nullptr) {
      continue;
    }
    const auto add = [&](const char* result, std::uint64_t count) {
      family.samples.push_back(
          {.labels = {{"limit", name}, {"result", result}}, .value = static_cast<double>(count)});
    };
    const node::BorrowCounts& counts = limit->trade().counts();
    add("granted", counts.granted);
    add("partly", counts.partly);
    add("refused", counts.refused);
    add("timed_out", counts.timed_out);
  }
  return family;
}

api::SampledFamily hot_keys(const node::Node& node) {
  return gauge(
      "brigade_hot_keys",
      "Keys that this node decides by itself: from rights of their own (ledger), or from "
      "tokens that their leaders gave it in advance (quantum).",
      {{.labels = {{"kind", "ledger"}}, .value = static_cast<double>(node.hot_keys())},
       {.labels = {{"kind", "quantum"}}, .value = static_cast<double>(node.tills().count())}});
}

// On the leader of a limit's shard.
api::SampledFamily fairness(const node::Node& node, base::Instant now) {
  api::SampledFamily family = gauge(
      "brigade_fairness",
      "How fair tokens were divided lately, at the leader of the limit's shard: Jain's index "
      "of admitted / offered per node, and the worst shortfall against the max-min fair part.",
      {});
  for (const auto& [shard, replica] : node.replicas()) {
    for (const node::PoolReport& pool : replica->pools(now)) {
      family.samples.push_back({.labels = {{"limit", pool.ledger.limit}, {"figure", "jain"}},
                                .value = pool.jain / 1000.0});
      family.samples.push_back({.labels = {{"limit", pool.ledger.limit}, {"figure", "max_min_gap"}},
                                .value = pool.max_min_gap / 1000.0});
    }
  }
  return family;
}

api::SampledFamily raft(const node::Node& node, base::Instant now, const char* name,
                        const char* help, double (*value)(const node::ReplicaReport&)) {
  api::SampledFamily family{.name = name, .help = help, .counter = false, .samples = {}};
  for (const auto& [shard, replica] : node.replicas()) {
    family.samples.push_back({.labels = {{"shard", std::to_string(shard.value())}},
                              .value = value(replica->report(now))});
  }
  return family;
}

api::SampledFamily offered(node::Node& node, base::Instant now) {
  api::SampledFamily family =
      gauge("brigade_load_offered",
            "Tokens per second that clients ask this node for: admitted, refused and waiting.", {});
  for (const node::BucketReport& bucket : node.buckets(now)) {
    family.samples.push_back(
        {.labels = {{"limit", bucket.ledger.limit}}, .value = bucket.offered.as_double()});
  }
  return family;
}

// The load monitoring agent's last sample.
void add_load(const node::LoadView& load, std::vector<api::SampledFamily>& families) {
  families.push_back(gauge("brigade_load_cpu", "CPU in use, of the cores allowed: 0 to 1.",
                           {{.labels = {}, .value = load.cpu}}));
  families.push_back(gauge(
      "brigade_load_memory_bytes",
      "Memory in use: of the container if it is limited, else of this process; and its limit.",
      {{.labels = {{"kind", "used"}}, .value = static_cast<double>(load.memory_bytes)},
       {.labels = {{"kind", "limit"}}, .value = static_cast<double>(load.memory_limit_bytes)}}));
  families.push_back(gauge(
      "brigade_load_net_bytes_per_second", "Network traffic, loopback not counted.",
      {{.labels = {{"direction", "in"}}, .value = static_cast<double>(load.net_in_bps) / 8},
       {.labels = {{"direction", "out"}}, .value = static_cast<double>(load.net_out_bps) / 8}}));
  families.push_back(gauge("brigade_load_request_p99_seconds",
                           "Time to answer a request in the last second, by front door.",
                           {{.labels = {{"door", "redis"}}, .value = load.redis_ms_p99 / 1000},
                            {.labels = {{"door", "http"}}, .value = load.http_ms_p99 / 1000}}));
  families.push_back(gauge("brigade_load_queue_seconds",
                           "How long work waited for the node's loop in the last second, at worst.",
                           {{.labels = {}, .value = load.queue_ms / 1000}}));
  families.push_back(gauge("brigade_load_pressed",
                           "1 while the node is too busy to be given more: its shares do not grow "
                           "and others borrow from it first.",
                           {{.labels = {}, .value = load.pressed ? 1.0 : 0.0}}));
}

}  // namespace

std::vector<api::SampledFamily> sample(node::Node& node, base::Instant now) {
  std::vector<api::SampledFamily> families;
  families.push_back(tokens(node, now));
  families.push_back(offered(node, now));
  families.push_back(borrows(node));
  families.push_back(lend_balance(node, now));
  families.push_back(lend_peers(node));
  families.push_back(hot_keys(node));
  families.push_back(fairness(node, now));
  add_load(node.load(), families);
  families.push_back(raft(node, now, "brigade_raft_term", "Term of the shard's replica here.",
                          [](const auto& r) { return static_cast<double>(r.term); }));
  families.push_back(raft(node, now, "brigade_raft_leader", "1 where this node leads the shard.",
                          [](const auto& r) { return r.leads ? 1.0 : 0.0; }));
  families.push_back(raft(node, now, "brigade_raft_commit_index", "Last committed entry.",
                          [](const auto& r) { return static_cast<double>(r.commit); }));
  families.push_back(raft(node, now, "brigade_raft_applied_index", "Last applied entry.",
                          [](const auto& r) { return static_cast<double>(r.applied); }));
  return families;
}

}  // namespace brigade::app
