// The checker: W = V + Phi <= b after every event.
#include <algorithm>
#include <utility>

#include "sim/cluster/machine.h"
#include "sim/cluster/world.h"

namespace brigade::sim {
namespace {

using node::ShardId;

}  // namespace

void World::fail(std::string why) {
  if (broken_.empty()) {
    broken_ = std::move(why);
  }
}

// A grant counts from the moment it is committed, also while no machine that is up has applied it.
void World::note_ledgers() {
  for (const auto& machine : machines_) {
    if (!machine->node) {
      continue;
    }
    for (const auto& [shard, replica] : machine->node->replicas()) {
      Books& books = books_[shard];
      if (books.applied < replica->core().log().applied()) {
        books.applied = replica->core().log().applied();
        books.ledgers = replica->store().ledgers();
        books.strict = replica->store().strict();
        books.reservations = replica->store().reservations().all();
      }
    }
  }
}

// Only where strict limits are reserved: they count from the stamp of their entry.
void World::note_stamps() {
  for (const auto& machine : machines_) {
    if (!machine->node) {
      continue;
    }
    for (const auto& [shard, replica] : machine->node->replicas()) {
      if (const auto stamp = replica->stamp(clock(*machine))) {
        auto& times = stamped_[shard];
        times.try_emplace(*stamp, now_);
        while (!times.empty() && times.begin()->second + kLate < now_) {
          times.erase(times.begin());
        }
      }
    }
  }
}

TimePoint World::stamped(const std::string& limit, node::Stamp stamp) const {
  const auto times = stamped_.find(node::TokenStore::home_of(limit, config_.shards));
  if (times == stamped_.end()) {
    return now_;
  }
  const auto at = times->second.lower_bound(stamp);
  return at == times->second.end() ? now_ : at->second;
}

Tokens World::spendable(const node::LedgerId& id) {
  const ShardId shard = id.key == node::KeyHash{}
                            ? node::TokenStore::home_of(id.limit, config_.shards)
                            : node::KeySpace(id.limit).home(id.key, config_.shards);
  const Books& books = books_[shard];
  Tokens sum;
  const auto known = books.ledgers.find(id);
  const node::Ledger* ledger = known == books.ledgers.end() ? nullptr : &known->second;
  if (ledger != nullptr) {
    sum += ledger->pool().level;
  }
  for (const auto& machine : machines_) {
    const node::SharedLimit* limit = machine->node ? machine->node->held(id) : nullptr;
    if (limit == nullptr || !limit->purse().valid(clock(*machine))) {
      continue;
    }
    const node::Purse& purse = limit->purse();
    sum += purse.level_at(clock(*machine)) + purse.refundable();
    const auto share = ledger == nullptr ? node::Ledger::Shares::const_iterator{}
                                         : ledger->shares().find(purse.account());
    if (ledger == nullptr || share == ledger->shares().end()) {
      continue;
    }
    sum += std::max(Tokens{}, share->second.granted - purse.granted_seen());
    if (purse.shrunk() && share->second.shrinking && share->second.epoch == purse.shrunk()->epoch) {
      sum += purse.shrunk()->surplus;
    }
    // Loans on their way into the open sequence.
    if (purse.borrow()) {
      Tokens coming;
      for (const auto& [number, flow] : flows_) {
        if (flow.ledger == id && flow.borrower == machine->id && flow.account == purse.account() &&
            flow.seq == purse.borrow()->seq) {
          coming = std::max(coming, flow.amount);
        }
      }
      sum += std::min(coming, purse.borrow()->held);
    }
  }
  return sum;
}

// What tills of a key have, and what answers on their way would add to them if they arrived now.
Tokens World::in_tills(const node::KeyHash& key) {
  Tokens sum;
  for (const auto& machine : machines_) {
    if (machine->node) {
      sum += machine->node->tills().spendable(key, clock(*machine));
    }
  }
  for (auto it = quanta_.begin(); it != quanta_.end();) {
    const auto& [asker, ticket] = it->first;
    const Machine& machine = *machines_[asker.value() - 1];
    const node::KeyHash* asked = machine.node ? machine.node->tills().asked(ticket) : nullptr;
    if (asked == nullptr) {
      it = quanta_.erase(it);
      continue;
    }
    if (*asked == key) {
      sum += machine.node->tills().would_add(it->second, clock(machine));
    }
    ++it;
  }
  return sum;
}

// Of one key: what leaders that are in authority could still spend of it, and tills.
Tokens World::spendable_at_home(const bucket::LimitSpec& spec, const node::LedgerId& id) {
  const ShardId home = node::KeySpace(id.limit).home(id.key, config_.shards);
  Tokens sum = in_tills(id.key);
  for (const auto& machine : machines_) {
    if (!machine->node || !machine->node->replicas().contains(home)) {
      continue;
    }
    const node::HomeDesk* desk = machine->node->replicas().at(home)->home();
    if (desk != nullptr && desk->in_authority(clock(*machine))) {
      // The desk cuts what is refundable before it touches the key.
      const Tokens level = desk->level(id, clock(*machine));
      sum += level + std::min(desk->reservations().refundable(id.limit, id.key),
                              std::max(Tokens{}, spec.burst - desk->lent(id.key) - level));
    }
  }
  return sum;
}

// As of the last entry that anybody applied; what was minted since is counted with the next one.
Tokens World::spendable_strictly(const std::string& limit) {
  const Books& books = books_[node::TokenStore::home_of(limit, config_.shards)];
  Tokens sum;
  if (const auto found = books.strict.find({.limit = limit, .key = {}});
      found != books.strict.end()) {
    sum += found->second.level;
  }
  for (const auto& [id, one] : books.reservations) {
    if (one.bucket.limit == limit) {
      sum += one.refundable;
    }
  }
  return sum;
}

void World::check_bucket(const bucket::LimitSpec& spec, const Bucket& bucket) {
  const base::Rate rate = spec.per_key ? effective_rate(spec) : spec.rate;
  node::LedgerId id{.limit = bucket.limit, .key = {}};
  if (spec.per_key) {
    id.key = node::KeySpace(bucket.limit).hash(bucket.key);
  }
  const Tokens queue = queues_[bucket].level(now_, rate);
  Tokens w = queue;
  if (spec.mode == bucket::Mode::kStrict) {
    w += spendable_strictly(spec.name);
  } else {
    w += spendable(id) + (spec.per_key ? spendable_at_home(spec, id) : Tokens{});
  }
  totals_.worst = std::max(totals_.worst, w - spec.burst);
  // The queue drains in whole micro-tokens at each event, rounded down each time.
  const Tokens slack = Tokens::micro(static_cast<std::int64_t>(totals_.events) + 16);
  if (w > spec.burst + slack) {
    fail("W exceeds the burst of " + spec.name + " " + bucket.key + " by " +
         std::to_string((w - spec.burst).as_double()) + " tokens (queue " +
         std::to_string(queue.as_double()) + ") at " +
         std::to_string((now_.time_since_epoch() - base::seconds(1000)).count() / 1000) + " us");
  }
}

std::size_t World::key_ledgers() const {
  std::size_t sum = 0;
  for (std::uint32_t i = 0; i < config_.shards; ++i) {
    const node::Replica* leader = leading(ShardId(i));
    sum += leader != nullptr ? leader->store().key_ledgers() : 0;
  }
  return sum;
}

void World::count_offices() {
  for (const auto& machine : machines_) {
    if (!machine->node) {
      continue;
    }
    for (const auto& [shard, replica] : machine->node->replicas()) {
      if (replica->serves() && replica->core().term().value() > terms_[shard]) {
        terms_[shard] = replica->core().term().value();
        ++totals_.offices;
      }
    }
  }
}

void World::check() {
  note_ledgers();
  if (strict_) {
    note_stamps();
  }
  note_reservations();
  for (const bucket::LimitSpec& spec : specs_) {
    if (!spec.per_key) {
      check_bucket(spec, {.limit = spec.name, .key = {}});
      continue;
    }
    for (const auto& [hash, key] : keys_) {
      check_bucket(spec, {.limit = spec.name, .key = key});
      check_reign(spec, {.limit = spec.name, .key = key});
    }
  }
  count_offices();
  if (totals_.events % 64 == 0) {
    for (const auto& machine : machines_) {
      if (machine->node) {
        machine->node->check_invariants();
      }
    }
    for (auto it = flows_.begin(); it != flows_.end() && flows_.size() > 4096;) {
      it = flows_.erase(it);
    }
  }
}

}  // namespace brigade::sim
