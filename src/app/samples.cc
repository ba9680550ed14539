#include "app/samples.h"

#include <string>
#include <utility>

namespace brigade::app {
namespace {

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

api::SampledFamily raft(const node::Node& node, base::Instant now, const char* name,
                        const char* help, double (*value)(const node::ReplicaReport&)) {
  api::SampledFamily family{.name = name, .help = help, .counter = false, .samples = {}};
  for (const auto& [shard, replica] : node.replicas()) {
    family.samples.push_back({.labels = {{"shard", std::to_string(shard.value())}},
                              .value = value(replica->report(now))});
  }
  return family;
}

}  // namespace

std::vector<api::SampledFamily> sample(node::Node& node, base::Instant now) {
  std::vector<api::SampledFamily> families;
  families.push_back(tokens(node, now));
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
