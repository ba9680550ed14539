// What a node decides by itself of keys that other nodes lead: from its tills.
#include <optional>
#include <utility>
#include <vector>

#include "node/node.h"

namespace brigade::node {

std::optional<Decision> Node::decide_near(const bucket::LimitSpec& spec, const KeySpace& keys,
                                          const AcquireRequest& request, bool implicit,
                                          Instant now) {
  // A class that leaves a part of the bucket alone can be judged only where the bucket is; and what
  // may come back to a bucket must have been taken from it.
  const bool simple = spec.mode == bucket::Mode::kShared && request.cost > Tokens{} &&
                      !request.peek && !request.reserve && spec.reserved(request.priority) == 0;
  if (!simple) {
    return std::nullopt;
  }
  const KeyHash key = keys.hash(request.key);
  const auto taken = tills_.take(key, request.cost, now);
  if (!taken) {
    tills_.forwarded({.spec = spec,
                      .key = key,
                      .shard = keys.home(key, config_.shards),
                      .cost = request.cost,
                      .implicit = implicit},
                     now);
    return std::nullopt;
  }
  return Decision{.verdict = Verdict::kAdmitted,
                  .source = Source::kBorrowed,
                  .remaining = taken->remaining,
                  .reset_after = spec.rate.time_for(spec.burst - taken->remaining),
                  .burst = spec.burst,
                  .rate = spec.rate,
                  .valid_until = taken->valid_until};
}

void Node::run_tills(Instant now) {
  std::vector<QuantumAsk> asks;
  tills_.turn(now, asks);
  for (QuantumAsk& ask : asks) {
    const ShardId shard = ask.shard;
    send_to_leader(shard, std::move(ask));
  }
}

}  // namespace brigade::node
