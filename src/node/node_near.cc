// What a node decides by itself of keys that other nodes lead: from its tills, what their leaders
// refused a moment ago, and how many may wait.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "node/node.h"

namespace brigade::node {

std::optional<Decision> Node::decide_near(const bucket::LimitSpec& spec, const KeySpace& keys,
                                          const AcquireRequest& request, bool implicit,
                                          Instant now) {
  if (spec.mode != bucket::Mode::kShared || request.cost <= Tokens{}) {
    return std::nullopt;
  }
  const KeyHash key = keys.hash(request.key);
  const bucket::Permille reserved = spec.reserved(request.priority);
  // A class that leaves a part of the bucket alone can be judged only where the bucket is; and what
  // may come back to a bucket must have been taken from it.
  const bool simple =
      !request.peek && !request.reserve && reserved == 0 && spec.per_key && !logs_ahead(spec);
  if (const auto taken = simple ? tills_.take(key, request.cost, now) : std::nullopt) {
    return Decision{.verdict = Verdict::kAdmitted,
                    .source = Source::kBorrowed,
                    .remaining = taken->remaining,
                    .burst = spec.burst,
                    .rate = spec.rate,
                    .valid_until = taken->valid_until};
  }
  if (request.wait == base::Duration::zero()) {
    if (const auto known = refusals_.recall(key, request.cost, reserved, spec.rate, now.fast)) {
      Decision decision;
      fill(decision, terms_of(spec),
           {.verdict = Verdict::kRefused,
            .remaining = known->remaining,
            .retry_after = known->retry_after});
      return decision;
    }
  }
  if (simple) {
    tills_.forwarded({.spec = spec,
                      .key = key,
                      .shard = keys.home(key, config_.shards),
                      .cost = request.cost,
                      .implicit = implicit},
                     now);
  }
  return std::nullopt;
}

void Node::remember_refusal(const Errand& errand, const Told& told) {
  const bool by_desk = errand.terms.source == Source::kHome && !told.ledger && !told.again;
  if (!by_desk || told.verdict != Verdict::kRefused) {
    return;
  }
  const auto served = served_.find(errand.ask.ledger.limit);
  const bucket::Permille reserved =
      served == served_.end() ? 0 : served->second.config.spec.reserved(errand.ask.priority);
  refusals_.remember(errand.ask.ledger.key,
                     {.cost = errand.ask.cost,
                      .reserved = reserved,
                      .remaining = told.remaining,
                      .retry_after = told.retry_after},
                     errand.asked);
}

bool Node::may_wait(Errand& errand) {
  const auto served = served_.find(errand.ask.ledger.limit);
  if (errand.waits || served == served_.end() || served->second.config.spec.per_key) {
    return true;
  }
  const std::uint32_t most = std::max(1U, served->second.config.spec.queue.max_waiting);
  std::uint32_t& waiting = waiting_[errand.ask.ledger.limit];
  errand.waits = waiting < most;
  waiting += errand.waits ? 1 : 0;
  return errand.waits;
}

void Node::end_wait(const Errand& errand) {
  if (!errand.waits) {
    return;
  }
  const auto waiting = waiting_.find(errand.ask.ledger.limit);
  if (--waiting->second == 0) {
    waiting_.erase(waiting);
  }
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
