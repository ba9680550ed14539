// What this node serves, and the buckets that it holds for it: shared limits, and keys that have
// ledgers of their own.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "node/node.h"

namespace brigade::node {

ShardId Node::home_of(const ConfigRecord& config) const {
  return TokenStore::home_of(config.spec.name, config_.shards);
}

void Node::serve(const ConfigRecord& config, Instant now) {
  limits_[config.spec.name] = config;
  refusals_.forget();
  Served& served = served_[config.spec.name];
  served.config = config;
  served.keys = KeySpace(config.spec.name, config_.key_seed);
  served.dropped = false;
  served.elsewhere = !config.spec.divided();
  if (served.elsewhere && !served.demand) {
    served.demand.emplace(now.slow);
  }
  for (auto& [key, hot] : served.hot) {
    hot->configure(config, now, changes_);
  }
  if (served.shared) {
    // Also when it is not divided any more: its rights then go back by way of the sizing.
    served.shared->configure(config, now, changes_);
  } else if (!served.elsewhere) {
    // Also while it drains: it may take part again.
    served.shared = std::make_unique<SharedLimit>(config, KeyHash{}, config_.trade,
                                                  base::Prng(dice_.next()), now);
    tenants_[home_of(config).value()].attach(served.shared->ledger(), served.shared->purse(), now);
    refresh_shared();
  }
}

void Node::stop_serving(const std::string& limit) {
  limits_.erase(limit);
  if (const auto found = served_.find(limit); found != served_.end()) {
    // Purses stay attached: their rights shrink to nothing by the ordinary way, until their leaders
    // say that the ledgers are closed.
    found->second.dropped = true;
    forget_if_dropped(limit);
  }
}

void Node::forget_if_dropped(const std::string& limit) {
  const auto found = served_.find(limit);
  if (found != served_.end() && found->second.dropped && !found->second.shared &&
      found->second.hot.empty()) {
    COVERED("nothing is left of a deleted limit");
    served_.erase(found);
  }
}

void Node::refresh_shared() {
  shared_.clear();
  for (const auto& [name, served] : served_) {
    if (served.shared) {
      shared_.push_back({.limit = served.shared.get(), .shard = home_of(served.config)});
    }
    for (const auto& [key, hot] : served.hot) {
      shared_.push_back({.limit = hot.get(), .shard = served.keys.home(key, config_.shards)});
    }
  }
  std::sort(shared_.begin(), shared_.end(),
            [](const Held& a, const Held& b) { return a.limit->ledger() < b.limit->ledger(); });
  awake_.clear();
  awake_.reserve(shared_.size());
  for (std::size_t i = 0; i < shared_.size(); ++i) {
    shared_[i].limit->report_to(awake_, i);
  }
}

SharedLimit* Node::holding(const LedgerId& id) const {
  const auto found = served_.find(id.limit);
  if (found == served_.end()) {
    return nullptr;
  }
  if (id.key == KeyHash{}) {
    return found->second.shared.get();
  }
  const auto hot = found->second.hot.find(id.key);
  return hot == found->second.hot.end() ? nullptr : hot->second.get();
}

const SharedLimit* Node::shared(std::string_view limit) const {
  const auto found = served_.find(limit);
  return found == served_.end() ? nullptr : found->second.shared.get();
}

void Node::session_ended(ShardId shard) {
  for (const auto& [limit, where] : shared_) {
    if (where == shard && !limit->purse().kept()) {
      limit->lapsed();
    }
  }
}

// Where there are more than kDemandsMax: half of them those whose demand changed, by how much is
// asked for; the others those that were not reported for longest, so that everyone has its turn.
std::vector<DemandReport> Node::demands(ShardId shard, Instant now) {
  struct Candidate {
    SharedLimit* limit;
    Rate moved;
  };
  std::vector<Candidate> candidates;
  for (const auto& [limit, where] : shared_) {
    if (where == shard) {
      const bool moved = limit->demand_moved(now);
      candidates.push_back(
          {.limit = limit,
           .moved = moved ? limit->offered(now) + Rate::nano_per_second(1) : Rate{}});
    }
  }
  if (candidates.size() > kDemandsMax) {
    const auto first_half = candidates.begin() + kDemandsMax / 2;
    std::nth_element(candidates.begin(), first_half, candidates.end(),
                     [](const Candidate& a, const Candidate& b) {
                       return a.moved != b.moved ? a.moved > b.moved
                                                 : a.limit->ledger() < b.limit->ledger();
                     });
    std::nth_element(first_half, candidates.begin() + kDemandsMax, candidates.end(),
                     [](const Candidate& a, const Candidate& b) {
                       return a.limit->reported_at() != b.limit->reported_at()
                                  ? a.limit->reported_at() < b.limit->reported_at()
                                  : a.limit->ledger() < b.limit->ledger();
                     });
    candidates.erase(candidates.begin() + kDemandsMax, candidates.end());
  }
  std::vector<DemandReport> reports;
  reports.reserve(candidates.size());
  for (const Candidate& one : candidates) {
    reports.push_back(one.limit->report(now));
    reports.back().pressed = strain_.pressed();
  }
  return reports;
}

// ---- keys with ledgers of their own ----

SharedLimit* Node::begin_hot(const LedgerId& id, Instant now) {
  if (SharedLimit* known = holding(id)) {
    return known;
  }
  const auto found = served_.find(id.limit);
  if (found == served_.end() || draining_ || id.key == KeyHash{} || hot_count_ >= kHotMax) {
    return nullptr;
  }
  Served& served = found->second;
  if (served.dropped || !served.config.spec.per_key ||
      served.config.spec.mode != bucket::Mode::kShared) {
    return nullptr;
  }
  auto hot = std::make_unique<SharedLimit>(served.config, id.key, config_.trade,
                                           base::Prng(dice_.next()), now);
  SharedLimit& limit = *hot;
  served.hot.emplace(id.key, std::move(hot));
  ++hot_count_;
  tenants_[served.keys.home(id.key, config_.shards).value()].attach(id, limit.purse(), now);
  refresh_shared();
  return &limit;
}

// ---- ledgers that are gone ----

std::unique_ptr<SharedLimit> Node::take_out(const LedgerId& id) {
  const SharedLimit* const limit = holding(id);
  // What holds rights or has somebody waiting is not over.
  if (limit == nullptr || limit->busy() || limit->purse().bucket().size() > Tokens{} ||
      std::any_of(parked_at_.begin(), parked_at_.end(),
                  [&](const auto& one) { return one.second.limit == limit; })) {
    return nullptr;
  }
  Served& served = served_.find(id.limit)->second;
  if (id.key == KeyHash{}) {
    const bool over = served.dropped || served.elsewhere;
    return over ? std::move(served.shared) : nullptr;  // else it was declared again since
  }
  COVERED("a key goes back to its home desk");
  --hot_count_;
  return std::move(served.hot.extract(id.key).mapped());
}

void Node::end_closed(const std::vector<LedgerId>& closed, Instant now) {
  std::map<const SharedLimit*, std::unique_ptr<SharedLimit>> ended;
  for (const LedgerId& id : closed) {
    if (auto limit = take_out(id)) {
      const Served& served = served_.find(id.limit)->second;
      const ShardId shard =
          id.key == KeyHash{} ? home_of(served.config) : served.keys.home(id.key, config_.shards);
      tenants_[shard.value()].detach(id, now);
      ended.emplace(limit.get(), std::move(limit));
      forget_if_dropped(id.limit);
    }
  }
  if (ended.empty()) {
    return;
  }
  for (auto& [sequence, given] : given_) {
    if (ended.contains(given.shared)) {
      given.shared = nullptr;  // it stays spent
    }
  }
  refresh_shared();
}

}  // namespace brigade::node
