#include "solo_node.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace brigade::bench {
namespace {

constexpr std::uint32_t kShards = 8;
constexpr node::NodeId kSelf(1);
constexpr node::Ticket kAdminTicket = 1;

node::NodeConfig config() {
  return {.id = kSelf,
          .boot = {1, 2},
          .name = "solo",
          .shards = kShards,
          .bms_term = base::Duration::zero()};
}

}  // namespace

SoloNode::SoloNode(host::Clock& clock)
    : clock_(clock), node_(config(), codec_, base::Prng(1), clock.now()) {
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    node::ReplicaConfig replica{.shard = node::ShardId(shard), .shards = kShards};
    replica.bms_term = base::Duration::zero();
    replica.raft.self = node::replica_id(kSelf, 0);
    node::ReplicaState state;
    state.raft.snapshot.conf.voters = {replica.raft.self};
    node_.add_replica(std::move(replica), std::move(state), clock_.now());
  }
}

const node::Actions& SoloNode::turn() {
  actions_.clear();
  node_.settle(clock_.now(), actions_);
  for (node::GroupWrite& write : actions_.writes) {
    node_.persisted(std::move(write), clock_.now());
  }
  return actions_;
}

bool SoloNode::serves(const std::vector<bucket::LimitSpec>& limits) {
  return std::all_of(limits.begin(), limits.end(), [&](const bucket::LimitSpec& spec) {
    if (spec.per_key) {
      return node_.limits().contains(spec.name);
    }
    const node::SharedLimit* limit = node_.shared(spec.name);
    return limit != nullptr && limit->purse().bucket().level() >= spec.burst.scaled(1, 2);
  });
}

bool SoloNode::serve(std::vector<bucket::LimitSpec> limits) {
  bool asked = false;
  const auto until = clock_.now() + base::seconds(10);
  while (!serves(limits)) {
    if (clock_.now() > until) {
      return false;
    }
    if (!asked && node_.ready(clock_.now())) {
      node_.admin(node::PutLimits{.limits = limits}, kAdminTicket, clock_.now());
      asked = true;
    }
    turn();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace brigade::bench
