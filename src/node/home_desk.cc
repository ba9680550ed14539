#include "node/home_desk.h"

#include <algorithm>
#include <utility>

namespace brigade::node {
namespace {

bucket::KeyPolicy policy_of(const bucket::LimitSpec& spec, base::Drift drift) {
  return {.rate = spec.rate.derated(drift), .size = spec.burst};
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
  if (term_begins_ <= kFirstTermBegins) {
    return bucket::Ghost::kFull;
  }
  // Created under this leader, and not in the shadow of an earlier life: nobody else ever spent it.
  const ConfigRecord* config = store_.limit(limit);
  const bool ours = config != nullptr && config->created.value() > term_begins_;
  return ours && !store_.recently_deleted(limit) ? bucket::Ghost::kFull : bucket::Ghost::kEmpty;
}

HomeDesk::Table* HomeDesk::table(std::string_view limit, const bucket::LimitSpec& spec,
                                 Instant now) {
  const auto known = tables_.find(limit);
  if (known != tables_.end()) {
    return &known->second;
  }
  if (tables_.size() >= kMaxImplicit + TokenStore::kMaxLimits) {
    return nullptr;
  }
  std::string name(limit);
  Table fresh{
      .keys = bucket::KeyTable(policy_of(spec, drift_), spec.max_keys, ghost(name), now.slow),
      .totals = {}};
  return &tables_.emplace(std::move(name), std::move(fresh)).first->second;
}

Told HomeDesk::decide(const KeyTake& take, Instant now) {
  want(now);
  Told told;
  const ConfigRecord* config = store_.limit(take.limit);
  const bucket::LimitSpec* spec = config != nullptr ? &config->spec : take.implicit;
  if (spec == nullptr) {
    told.verdict = Verdict::kUnknownLimit;
    return told;
  }
  Table* const known = table(take.limit, *spec, now);
  if (known == nullptr) {
    told.verdict = Verdict::kTooManyKeys;
    return told;
  }
  bucket::KeyTable& keys = known->keys;
  const Tokens floor =
      take.priority.empty() ? Tokens{} : spec->burst.scaled(spec->reserved(take.priority), 1000);
  const auto outcome = take.peek ? keys.peek(take.key, take.cost, floor, now.slow)
                                 : keys.take(take.key, take.cost, floor, now.slow);
  told.remaining = outcome.level;
  told.reset_after = keys.policy().rate.time_for(keys.policy().size - outcome.level);
  const Tokens counted = take.peek ? Tokens{} : take.cost;
  switch (outcome.verdict) {
    case bucket::KeyTable::Verdict::kTaken:
      told.verdict = Verdict::kAdmitted;
      known->totals.admitted += counted;
      break;
    case bucket::KeyTable::Verdict::kShort:
      told.verdict = Verdict::kRefused;
      told.retry_after = outcome.wait;
      known->totals.refused += counted;
      break;
    case bucket::KeyTable::Verdict::kTooManyKeys:
      told.verdict = Verdict::kTooManyKeys;
      break;
  }
  return told;
}

Told HomeDesk::decide(const Ask& ask, Instant now) {
  Told told = decide(KeyTake{.limit = ask.ledger.limit,
                             .key = ask.ledger.key,
                             .cost = ask.cost,
                             .priority = ask.priority,
                             .peek = ask.peek,
                             .implicit = ask.implicit.name.empty() ? nullptr : &ask.implicit},
                     now);
  told.ticket = ask.ticket;
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
    if (!(it->second.keys.policy() == policy)) {
      it->second.keys.reconfigure(policy, now.slow);
    }
    ++it;
  }
}

void HomeDesk::sweep(Instant now) {
  for (auto& [name, table] : tables_) {
    table.keys.sweep(1024, now.slow);
  }
}

std::map<std::string, HomeDesk::Totals> HomeDesk::totals() const {
  std::map<std::string, Totals> all;
  for (const auto& [name, table] : tables_) {
    all.emplace(name, table.totals);
  }
  return all;
}

std::size_t HomeDesk::keys() const {
  std::size_t sum = 0;
  for (const auto& [name, table] : tables_) {
    sum += table.keys.count();
  }
  return sum;
}

}  // namespace brigade::node
