// The checker, after every event: W = V + Phi <= b, accounts exist, one leader decides.
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
        books.sessions = replica->store().sessions();
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
    if (!books.sessions.contains(purse.account())) {
      fail(machine->name + " may spend of " + id.limit + " from account " +
           std::to_string(purse.account().value()) + ", which has ended");
    }
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
    sum += coming(*machine, id);
  }
  return sum;
}

// Loans on their way into the open sequence of a borrower.
Tokens World::coming(const Machine& machine, const node::LedgerId& id) const {
  const node::Purse& purse = machine.node->held(id)->purse();
  if (!purse.borrow()) {
    return Tokens{};
  }
  const auto flow = flows_.find({.borrower = machine.id,
                                 .ledger = id,
                                 .account = purse.account(),
                                 .seq = purse.borrow()->seq});
  return flow == flows_.end() ? Tokens{} : std::min(flow->second, purse.borrow()->held);
}

// A sequence that was closed is never opened again.
void World::forget_closed_borrows() {
  std::erase_if(flows_, [&](const auto& one) {
    const Borrow& borrow = one.first;
    const Machine& machine = *machines_[borrow.borrower.value() - 1];
    const node::SharedLimit* limit = machine.node ? machine.node->held(borrow.ledger) : nullptr;
    return limit == nullptr || limit->purse().account() != borrow.account ||
           !limit->purse().borrow() || limit->purse().borrow()->seq != borrow.seq;
  });
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

void World::check_bucket(const bucket::LimitSpec& spec, const Bucket& bucket, base::Rate rate) {
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

// What is not in the log is decided by one leader at a time.
void World::check_authority() {
  for (std::uint32_t i = 0; i < config_.shards; ++i) {
    const Machine* first = nullptr;
    for (const auto& machine : machines_) {
      if (!machine->node || !machine->node->replicas().contains(ShardId(i))) {
        continue;
      }
      const node::HomeDesk* desk = machine->node->replicas().at(ShardId(i))->home();
      if (desk == nullptr || !desk->in_authority(clock(*machine))) {
        continue;
      }
      if (first != nullptr) {
        fail(first->name + " and " + machine->name + " both decide the keys of shard " +
             std::to_string(i));
      }
      first = machine.get();
    }
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
  check_authority();
  for (const bucket::LimitSpec& spec : specs_) {
    if (!spec.per_key) {
      check_bucket(spec, {.limit = spec.name, .key = {}}, spec.rate);
      continue;
    }
    const base::Rate rate = effective_rate(spec);
    for (const auto& [hash, bucket] : keys_) {
      if (bucket.limit == spec.name) {
        check_bucket(spec, bucket, rate);
        check_reign(spec, bucket);
      }
    }
  }
  count_offices();
  if (totals_.events % 64 == 0) {
    for (const auto& machine : machines_) {
      if (machine->node) {
        machine->node->check_invariants();
      }
    }
    forget_closed_borrows();
  }
}

}  // namespace brigade::sim
