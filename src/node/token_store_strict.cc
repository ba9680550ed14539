// Strict mode: every acquire is a command; a token bucket at derated shard time, one effect per id.
#include <algorithm>

#include "base/coverage.h"
#include "node/token_store.h"

namespace brigade::node {

void TokenStore::forget_old_ids() {
  for (const StrictIdRecord& old : strict_ids_.take_older(meta_.stamp - kDedupWindow)) {
    drop(old);
  }
}

void TokenStore::drop_strict(const std::string& limit) {
  for (auto it = strict_.lower_bound({.limit = limit, .key = {}});
       it != strict_.end() && it->first.limit == limit;) {
    drop(it->second);
    it = strict_.erase(it);
  }
}

void TokenStore::settle_strict(const bucket::LimitSpec& spec) {
  for (auto it = strict_.lower_bound({.limit = spec.name, .key = {}});
       it != strict_.end() && it->first.limit == spec.name; ++it) {
    auto& [id, bucket] = *it;
    const Tokens minted = spec.rate.over(meta_.stamp - bucket.refilled);
    bucket.level = std::min(std::max(bucket.level, spec.burst), bucket.level + minted);
    reservations_.cut(id.limit, id.key, spec.burst - bucket.level);
    bucket.refilled = meta_.stamp;
    touch(bucket);
  }
}

std::optional<StrictAnswer> TokenStore::taken_before(const StrictTake& take) {
  if (const Reservation* one = reservations_.find(take.id)) {
    if (one->reserved == Tokens{} && one->settled) {
      COVERED("an acquire that was called off is not charged any more");
      return StrictAnswer{.applied = Applied::kDone};
    }
    const bool own = reservations_.repeat(take.id, take.holder);
    return StrictAnswer{.applied = own ? Applied::kDone : Applied::kDuplicate,
                        .admitted = true,
                        .remaining = one->remaining};
  }
  if (const StrictIdRecord* seen = strict_ids_.find(take.id)) {
    return StrictAnswer{
        .applied = Applied::kDuplicate, .admitted = true, .remaining = seen->remaining};
  }
  if (take.issued + kDedupWindow < meta_.stamp) {
    return StrictAnswer{.applied = Applied::kExpired};
  }
  return std::nullopt;
}

StrictAnswer TokenStore::take_strict(const StrictTake& take) {
  const auto config = limits_.find(take.ledger.limit);
  if (config == limits_.end() || config->second.spec.mode != bucket::Mode::kStrict ||
      take.cost < Tokens{} || take.floor < Tokens{}) {
    return {.applied = Applied::kRefused};
  }
  const bucket::LimitSpec& spec = config->second.spec;
  if (!take.peek) {
    if (auto before = taken_before(take)) {
      return *before;
    }
  }
  auto found = strict_.find(take.ledger);
  if (found == strict_.end()) {
    // A ledger that still winds down holds rights that could be spent beside this bucket.
    if (strict_.size() >= kMaxStrictBuckets || ledgers_.contains(take.ledger)) {
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
  reservations_.cut(take.ledger.limit, take.ledger.key, spec.burst - level);
  bucket.level = level - take.cost;
  bucket.refilled = meta_.stamp;
  answer.remaining = bucket.level;
  touch(bucket);
  if (take.reserve) {
    reservations_.add({.id = take.id,
                       .bucket = take.ledger,
                       .since = meta_.stamp,
                       .reserved = take.cost,
                       .remaining = answer.remaining,
                       .refundable = take.cost,
                       .holder = take.holder});
    return answer;
  }
  const StrictIdRecord id{.id = take.id, .applied = meta_.stamp, .remaining = answer.remaining};
  strict_ids_.add(id);
  touch(id);
  return answer;
}

Settled TokenStore::settle_one(const StrictSettle& settle) {
  const Reservation* one = reservations_.find(settle.id);
  if (one == nullptr) {
    if (settle.holder == 0) {
      reservations_.call_off(settle.id, settle.ledger, settle.actual, meta_.stamp);
    }
    return {};
  }
  if (settle.holder != 0 && (settle.holder != one->holder || one->repeated || one->settled)) {
    COVERED("others were told that this id is admitted: it stays charged");
    return {};
  }
  const auto bucket = strict_.find(one->bucket);
  const auto config = limits_.find(one->bucket.limit);
  if (settle.actual < Tokens{} || bucket == strict_.end() || config == limits_.end()) {
    return {};
  }
  const bucket::LimitSpec& spec = config->second.spec;
  StrictRecord& record = bucket->second;
  const Tokens minted = spec.rate.over(meta_.stamp - record.refilled);
  const Tokens level = std::min(spec.burst, record.level + minted);
  reservations_.cut(record.id.limit, record.id.key, spec.burst - level);
  const auto [told, back] = reservations_.settle(settle.id, settle.actual);
  if (back > Tokens{}) {
    record.level = level + back;
    record.refilled = meta_.stamp;
    touch(record);
  }
  if (settle.holder != 0) {
    reservations_.forget(settle.id);
  }
  return told;
}

void TokenStore::keep_reservations() {
  for (const Reservations::Change& change : reservations_.take_changes()) {
    if (change.dropped) {
      drop(change.reservation);
    } else {
      touch(change.reservation);
    }
  }
}

Outcome TokenStore::apply_one(std::uint64_t, const StrictBatch& command) {
  advance(command.stamp);
  forget_old_ids();
  reservations_.expire(meta_.stamp);
  Outcome outcome;
  outcome.answers.reserve(command.takes.size());
  for (const StrictTake& take : command.takes) {
    outcome.answers.push_back(take_strict(take));
  }
  outcome.settled.reserve(command.settles.size());
  for (const StrictSettle& settle : command.settles) {
    outcome.settled.push_back(settle_one(settle));
  }
  return outcome;
}

}  // namespace brigade::node
