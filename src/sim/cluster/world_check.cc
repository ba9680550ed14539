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

// ---- what is looked up before it is checked ----

// What was declared, and is asked for, from now on.
void World::watch() {
  watched_.clear();
  deciders_.resize(config_.shards);
  const auto add = [&](std::size_t spec, const Bucket& bucket) {
    const node::KeySpace keys(bucket.limit);
    const node::KeyHash key = keys.hash(bucket.key);
    const ShardId home = keys.home(key, config_.shards);
    const Books& books = books_[home];
    const node::LedgerId at_home{.limit = bucket.limit, .key = key};
    const node::LedgerId whole{.limit = bucket.limit, .key = {}};
    watched_.push_back({.number = watched_.size(),
                        .spec = spec,
                        .bucket = bucket,
                        .id = specs_[spec].per_key ? at_home : whole,
                        .at_home = at_home,
                        .home = home,
                        .queue = &queues_[bucket],
                        .books = &books});
    look_up(watched_.back());
  };
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    const std::string& limit = specs_[i].name;
    if (!specs_[i].per_key) {
      add(i, {.limit = limit, .key = {}});
      continue;
    }
    for (const auto& [key, bucket] : keys_) {
      if (bucket.limit == limit) {
        add(i, bucket);
      }
    }
  }
  for (const auto& machine : machines_) {
    machine->applied.clear();
    look_at(*machine);
  }
}

// As of the last entry that anybody applied; what was minted since is counted with the next one.
void World::look_up(Watched& one) {
  const auto ledger = one.books->ledgers.find(one.id);
  one.ledger = ledger == one.books->ledgers.end() ? nullptr : &ledger->second;
  const auto strict = one.books->strict.find(one.id);
  one.strictly = strict == one.books->strict.end() ? Tokens{} : strict->second.level;
  for (const auto& [id, reservation] : one.books->reservations) {
    if (reservation.bucket.limit == one.id.limit) {
      one.strictly += reservation.refundable;
    }
  }
}

// What an event may have changed of a process, or whether there is one.
void World::look_at(Machine& machine) {
  const Process& node = std::as_const(machine).node;
  machine.sights.assign(watched_.size(), {});
  machine.replicas.assign(config_.shards, nullptr);
  if (node) {
    for (const auto& [shard, replica] : node->replicas()) {
      machine.replicas[shard.value()] = replica.get();
      if (replica->serves() && replica->core().term().value() > terms_[shard]) {
        terms_[shard] = replica->core().term().value();
        ++totals_.offices;
      }
    }
    for (const Watched& one : watched_) {
      Machine::Sight& sight = machine.sights[one.number];
      sight.limit = node->held(one.id);
      if (specs_[one.spec].per_key) {
        sight.till = node->tills().holding(one.id.key);
      }
    }
  }
  note_policies(machine);
  note_books(machine);
}

// They change with the log only.
void World::note_policies(Machine& machine) {
  bool same = machine.applied.size() == config_.shards;
  machine.applied.resize(config_.shards);
  for (std::uint32_t i = 0; i < config_.shards; ++i) {
    std::pair<raft::ReplicaId, raft::Index> applied;
    if (const node::Replica* replica = machine.replicas[i]) {
      applied = {replica->core().self(), replica->core().log().applied()};
    }
    same = same && machine.applied[i] == applied;
    machine.applied[i] = applied;
  }
  if (same) {
    return;
  }
  const auto widen = [](Policy& policy, const Policy& other) {
    policy = {.rate = std::max(policy.rate, other.rate), .slow = policy.slow || other.slow};
  };
  machine.policies.assign(specs_.size(), {});
  policies_.assign(specs_.size(), {});
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    for (const node::Replica* replica : machine.replicas) {
      if (const auto* config =
              replica == nullptr ? nullptr : replica->store().limit(specs_[i].name)) {
        widen(machine.policies[i],
              {.rate = config->spec.rate, .slow = node::logs_ahead(config->spec)});
      }
    }
    for (const auto& one : machines_) {
      widen(policies_[i], one->policies.size() > i ? one->policies[i] : Policy{});
    }
  }
}

// A grant counts from the moment it is committed, also while no machine that is up has applied it.
void World::note_books(const Machine& machine) {
  for (std::uint32_t i = 0; i < config_.shards; ++i) {
    const node::Replica* replica = machine.replicas[i];
    Books& books = books_[ShardId(i)];
    if (replica == nullptr || replica->core().log().applied() <= books.applied) {
      continue;
    }
    books.applied = replica->core().log().applied();
    books.sessions = replica->store().sessions();
    books.ledgers = replica->store().ledgers();
    books.strict = replica->store().strict();
    books.reservations = replica->store().reservations().all();
    for (Watched& one : watched_) {
      if (one.books == &books) {
        look_up(one);
      }
    }
  }
}

// Only where strict limits are reserved: they count from the stamp of their entry.
void World::note_stamps() {
  for (const auto& machine : machines_) {
    for (std::uint32_t i = 0; i < config_.shards; ++i) {
      const node::Replica* replica = machine->replicas[i];
      if (const auto stamp = replica == nullptr ? std::nullopt : replica->stamp(clock(*machine))) {
        auto& times = stamped_[ShardId(i)];
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

// What is not in the log is decided by one leader at a time.
void World::note_deciders() {
  for (std::uint32_t i = 0; i < config_.shards; ++i) {
    std::vector<Decider>& deciders = deciders_[i];
    deciders.clear();
    for (const auto& machine : machines_) {
      const node::Replica* replica = machine->replicas[i];
      if (replica == nullptr || replica->home() == nullptr) {
        continue;
      }
      const Instant now = clock(*machine);
      if (replica->home()->in_authority(now)) {
        deciders.push_back({.machine = machine.get(), .replica = replica, .now = now});
      }
    }
    if (deciders.size() > 1) {
      fail(deciders[0].machine->name + " and " + deciders[1].machine->name +
           " both decide the keys of shard " + std::to_string(i));
    }
  }
}

// An answer to an ask that is closed adds nothing any more.
void World::forget_answered_asks() {
  std::erase_if(quanta_, [&](const auto& one) {
    const auto& [asker, ticket] = one.first;
    const Machine& machine = *machines_[asker.value() - 1];
    return !machine.node || machine.node->tills().asked(ticket) == nullptr;
  });
}

// A sequence that was closed is never opened again.
void World::forget_closed_borrows() {
  const auto closed = [&](const auto& one) {
    const Borrow& borrow = one.first;
    const Machine& machine = *machines_[borrow.borrower.value() - 1];
    const node::SharedLimit* limit = machine.node ? machine.node->held(borrow.ledger) : nullptr;
    return limit == nullptr || limit->purse().account() != borrow.account ||
           !limit->purse().borrow() || limit->purse().borrow()->seq != borrow.seq;
  };
  std::erase_if(flows_, closed);
  std::erase_if(borrows_as_, closed);
}

// ---- Phi ----

Tokens World::spendable(const Watched& one) {
  Tokens sum = one.ledger == nullptr ? Tokens{} : one.ledger->pool().level;
  for (const auto& machine : machines_) {
    const node::SharedLimit* limit = machine->sights[one.number].limit;
    if (limit == nullptr) {
      continue;
    }
    const node::Purse& purse = limit->purse();
    const Instant now = clock(*machine);
    if (!purse.valid(now)) {
      continue;
    }
    if (!one.books->sessions.contains(purse.account())) {
      fail(machine->name + " may spend of " + one.id.limit + " from account " +
           std::to_string(purse.account().value()) + ", which has ended");
    }
    sum += purse.level_at(now) + purse.refundable();
    const auto share = one.ledger == nullptr ? node::Ledger::Shares::const_iterator{}
                                             : one.ledger->shares().find(purse.account());
    if (one.ledger == nullptr || share == one.ledger->shares().end()) {
      continue;
    }
    sum += std::max(Tokens{}, share->second.granted - purse.granted_seen());
    if (purse.shrunk() && share->second.shrinking && share->second.epoch == purse.shrunk()->epoch) {
      sum += purse.shrunk()->surplus;
    }
    sum += coming(*machine, *limit);
  }
  return sum;
}

// Loans on their way into the open sequence of a borrower.
Tokens World::coming(const Machine& machine, const node::SharedLimit& limit) const {
  const node::Purse& purse = limit.purse();
  if (!purse.borrow()) {
    return Tokens{};
  }
  const auto flow = flows_.find({.borrower = machine.id,
                                 .ledger = limit.ledger(),
                                 .account = purse.account(),
                                 .seq = purse.borrow()->seq});
  return flow == flows_.end() ? Tokens{} : std::min(flow->second, purse.borrow()->held);
}

// What tills of a key have, and what answers on their way would add to them if they arrived now.
Tokens World::in_tills(const Watched& one) const {
  Tokens sum;
  for (const auto& machine : machines_) {
    const node::Tills::Taken& till = machine->sights[one.number].till;
    if (till.remaining != Tokens{} && clock(*machine).fast < till.valid_until) {
      sum += till.remaining;
    }
  }
  for (const auto& [ask, answer] : quanta_) {
    if (answer.key == one.at_home.key) {
      const Machine& machine = *machines_[ask.first.value() - 1];
      sum += machine.node->tills().would_add(answer.quantum, clock(machine));
    }
  }
  return sum;
}

// Of one key: what leaders that are in authority could still spend of it, and tills.
Tokens World::spendable_at_home(const Watched& one) const {
  Tokens sum = in_tills(one);
  for (const Decider& decider : deciders_[one.home.value()]) {
    const node::HomeDesk& desk = *decider.replica->home();
    // The desk cuts what is refundable before it touches the key.
    const node::LedgerId& id = one.at_home;
    const Tokens level = desk.level(id, decider.now);
    const Tokens room = specs_[one.spec].burst - desk.lent(id.key) - level;
    sum += level +
           std::min(desk.reservations().refundable(id.limit, id.key), std::max(Tokens{}, room));
  }
  return sum;
}

// ---- W ----

void World::check_bucket(const Watched& one) {
  const bucket::LimitSpec& spec = specs_[one.spec];
  const base::Rate rate = spec.per_key ? std::max(spec.rate, policies_[one.spec].rate) : spec.rate;
  const Tokens queue = one.queue->level(now_, rate);
  Tokens w = queue;
  if (spec.mode == bucket::Mode::kStrict) {
    w += one.strictly;
  } else {
    // A limit that ceases to be one of few tokens, or becomes one, may be in both for a while.
    w += spendable(one) + spendable_at_home(one);
  }
  totals_.worst = std::max(totals_.worst, w - spec.burst);
  // The queue drains in whole micro-tokens at each event, rounded down each time.
  const Tokens slack = Tokens::micro(static_cast<std::int64_t>(totals_.events) + 16);
  if (w > spec.burst + slack) {
    fail("W exceeds the burst of " + spec.name + " " + one.bucket.key + " by " +
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

void World::check() {
  for (const auto& machine : machines_) {
    if (machine->node.touched()) {
      look_at(*machine);
    }
  }
  if (strict_) {
    note_stamps();
  }
  note_reservations();
  note_deciders();
  forget_answered_asks();
  for (const Watched& one : watched_) {
    check_bucket(one);
    check_classes(one);
    if (policies_[one.spec].slow) {
      check_reign(one);
    }
  }
  if (totals_.events % 64 == 0) {
    for (const auto& machine : machines_) {
      if (machine->node) {
        std::as_const(*machine).node->check_invariants();
      }
    }
    forget_closed_borrows();
  }
}

}  // namespace brigade::sim
