#include "node/home_desk.h"

#include <algorithm>

namespace brigade::node {
namespace {

bucket::KeyPolicy policy_of(const bucket::LimitSpec& spec, base::Drift drift) {
  return {.rate = spec.rate.derated(drift), .size = spec.burst};
}

// True time until a bucket of this level is full.
base::Duration until_full(const bucket::LimitSpec& spec, base::Drift drift, Tokens level) {
  return spec.rate.derated(drift).time_for(spec.burst - level);
}

}  // namespace

HomeDesk::HomeDesk(const TokenStore& store, std::uint64_t term_begins, base::Drift drift)
    : store_(store), term_begins_(term_begins), drift_(drift) {}

void HomeDesk::confirmed(Instant started) {
  if (started.fast > suspended_at_) {
    until_ = std::max(until_, started.fast + kTauHome);
  }
}

bucket::Ghost HomeDesk::ghost(const std::string& limit) const {
  if (term_begins_ <= 1) {
    return bucket::Ghost::kFull;
  }
  // Created under this leader, and not in the shadow of an earlier life: nobody else ever spent it.
  const ConfigRecord* config = store_.limit(limit);
  const bool ours = config != nullptr && config->created.value() > term_begins_;
  return ours && !store_.recently_deleted(limit) ? bucket::Ghost::kFull : bucket::Ghost::kEmpty;
}

bucket::KeyTable* HomeDesk::table(const Ask& ask, const bucket::LimitSpec& spec, Instant now) {
  const auto known = tables_.find(ask.ledger.limit);
  if (known != tables_.end()) {
    return &known->second;
  }
  if (tables_.size() >= kMaxImplicit + TokenStore::kMaxLimits) {
    return nullptr;
  }
  const auto [it, fresh] = tables_.try_emplace(ask.ledger.limit, policy_of(spec, drift_),
                                               spec.max_keys, ghost(ask.ledger.limit), now.slow);
  return &it->second;
}

Told HomeDesk::decide(const Ask& ask, Instant now) {
  want(now);
  Told told{.ticket = ask.ticket};
  const ConfigRecord* config = store_.limit(ask.ledger.limit);
  const bool implicit = config == nullptr && !ask.implicit.name.empty();
  if (config == nullptr && !implicit) {
    told.verdict = Verdict::kUnknownLimit;
    return told;
  }
  const bucket::LimitSpec& spec = implicit ? ask.implicit : config->spec;
  bucket::KeyTable* keys = table(ask, spec, now);
  if (keys == nullptr) {
    told.verdict = Verdict::kTooManyKeys;
    return told;
  }
  const Tokens floor = spec.burst.scaled(spec.reserved(ask.priority), 1000);
  const auto outcome = ask.peek ? keys->peek(ask.ledger.key, ask.cost, floor, now.slow)
                                : keys->take(ask.ledger.key, ask.cost, floor, now.slow);
  told.remaining = outcome.level;
  told.reset_after = until_full(spec, drift_, outcome.level);
  Totals& totals = totals_[ask.ledger.limit];
  switch (outcome.verdict) {
    case bucket::KeyTable::Verdict::kTaken:
      told.verdict = Verdict::kAdmitted;
      totals.admitted += ask.peek ? Tokens{} : ask.cost;
      break;
    case bucket::KeyTable::Verdict::kShort:
      told.verdict = Verdict::kRefused;
      told.retry_after = outcome.wait;
      totals.refused += ask.peek ? Tokens{} : ask.cost;
      break;
    case bucket::KeyTable::Verdict::kTooManyKeys:
      told.verdict = Verdict::kTooManyKeys;
      break;
  }
  return told;
}

void HomeDesk::follow(Instant now) {
  for (auto it = tables_.begin(); it != tables_.end();) {
    const ConfigRecord* config = store_.limit(it->first);
    if (config == nullptr) {
      // Implicit limits live on; declared ones that were deleted do not.
      const bool deleted = store_.tombstones().contains(it->first);
      it = deleted ? tables_.erase(it) : std::next(it);
      continue;
    }
    const bucket::KeyPolicy policy = policy_of(config->spec, drift_);
    if (!(it->second.policy() == policy)) {
      it->second.reconfigure(policy, now.slow);
    }
    ++it;
  }
}

void HomeDesk::sweep(Instant now) {
  for (auto& [name, keys] : tables_) {
    keys.sweep(1024, now.slow);
  }
}

std::size_t HomeDesk::keys() const {
  std::size_t sum = 0;
  for (const auto& [name, keys] : tables_) {
    sum += keys.count();
  }
  return sum;
}

}  // namespace brigade::node
