// Strict mode: every acquire is a command; a token bucket at derated shard time, one effect per id.
#include <algorithm>

#include "node/token_store.h"

namespace brigade::node {

void TokenStore::forget_old_ids() {
  while (!strict_ages_.empty() && strict_ages_.begin()->first + kDedupWindow < meta_.stamp) {
    const KeyHash id = strict_ages_.begin()->second;
    const auto found = strict_ids_.find(id);
    drop(found->second);
    strict_ids_.erase(found);
    strict_ages_.erase(strict_ages_.begin());
  }
}

void TokenStore::settle_strict(const bucket::LimitSpec& spec) {
  const bool in_force = limits_.contains(spec.name);
  for (auto& [id, bucket] : strict_) {
    if (id.limit != spec.name) {
      continue;
    }
    // While the limit was deleted nothing minted.
    const Tokens minted = in_force ? spec.rate.over(meta_.stamp - bucket.refilled) : Tokens{};
    bucket.level = std::min(std::max(bucket.level, spec.burst), bucket.level + minted);
    bucket.refilled = meta_.stamp;
    touch(bucket);
  }
}

StrictAnswer TokenStore::take_strict(const StrictTake& take) {
  const auto config = limits_.find(take.ledger.limit);
  if (config == limits_.end() || config->second.spec.mode != bucket::Mode::kStrict ||
      take.cost < Tokens{} || take.floor < Tokens{}) {
    return {.applied = Applied::kRefused};
  }
  const bucket::LimitSpec& spec = config->second.spec;
  if (const auto seen = strict_ids_.find(take.id); !take.peek && seen != strict_ids_.end()) {
    return {.applied = Applied::kDuplicate, .admitted = true, .remaining = seen->second.remaining};
  }
  if (!take.peek && take.issued + kDedupWindow < meta_.stamp) {
    return {.applied = Applied::kExpired};
  }
  auto found = strict_.find(take.ledger);
  if (found == strict_.end()) {
    // A ledger that still winds down holds rights that could be spent beside this bucket.
    if (strict_.size() >= kMaxStrictBuckets || ledgers_.contains({take.ledger.limit, {}})) {
      return {.applied = Applied::kRefused};
    }
    const Tokens level = recently_deleted(spec.name) ? Tokens{} : spec.burst;
    found = strict_
                .emplace(take.ledger,
                         StrictRecord{.id = take.ledger, .level = level, .refilled = meta_.stamp})
                .first;
  }
  StrictRecord& bucket = found->second;
  const Tokens minted = spec.rate.over(meta_.stamp - bucket.refilled);
  const Tokens level = std::min(spec.burst, bucket.level + minted);
  StrictAnswer answer{.applied = Applied::kDone, .remaining = level};
  if (level - take.cost < take.floor && take.cost > Tokens{}) {
    answer.retry_after = spec.rate.time_for(take.cost + take.floor - level);
    return answer;
  }
  answer.admitted = true;
  if (take.peek) {
    return answer;
  }
  // Settle only on a take, so that refusals and peeks write nothing and rounding stays one-sided.
  bucket.level = level - take.cost;
  bucket.refilled = meta_.stamp;
  answer.remaining = bucket.level;
  touch(bucket);
  const StrictIdRecord id{.id = take.id, .applied = meta_.stamp, .remaining = answer.remaining};
  strict_ids_.emplace(take.id, id);
  strict_ages_.emplace(id.applied, id.id);
  touch(id);
  return answer;
}

Outcome TokenStore::apply_one(std::uint64_t, const StrictBatch& command) {
  advance(command.stamp);
  forget_old_ids();
  Outcome outcome;
  outcome.answers.reserve(command.takes.size());
  for (const StrictTake& take : command.takes) {
    outcome.answers.push_back(take_strict(take));
  }
  return outcome;
}

}  // namespace brigade::node
