// Limits that change while the world runs, and what a new leader must not lose of a slow key.
#include <algorithm>

#include "sim/cluster/machine.h"
#include "sim/cluster/world.h"

namespace brigade::sim {
namespace {

using node::ShardId;

constexpr int kInsistTries = 5;
constexpr Duration kInsistEvery = base::seconds(1);
// A chunk is overdrawn by what a second mints.
constexpr Duration kOverdrawn = base::seconds(1);

}  // namespace

void World::change(const bucket::LimitSpec& spec) {
  const auto known = std::find_if(specs_.begin(), specs_.end(),
                                  [&](const auto& one) { return one.name == spec.name; });
  *known = spec;
  insist_on(node::PutLimits{.limits = {spec}, .prune = false}, kInsistTries);
}

void World::forget(const std::string& limit) {
  insist_on(node::DeleteLimit{.name = limit}, kInsistTries);
}

std::size_t World::holders(const std::string& limit) const {
  return static_cast<std::size_t>(
      std::count_if(machines_.begin(), machines_.end(), [&](const auto& machine) {
        return machine->node && machine->node->shared(limit) != nullptr;
      }));
}

void World::look(const Sight& sight, std::size_t number) {
  Machine& machine = *machines_[number];
  look_ticket_ = next_ticket_++;
  looked_.reset();
  const auto decision = machine.node->acquire(
      {.limit = sight.limit, .key = sight.key, .cost = Tokens::whole(1), .peek = true},
      look_ticket_, clock(machine));
  if (decision) {
    looked_ = decision->remaining;
  }
  settle(machine);
}

std::optional<std::size_t> World::leader(ShardId shard) const {
  for (const auto& machine : machines_) {
    if (leading(shard) != nullptr && machine->node && machine->node->replicas().contains(shard) &&
        machine->node->replicas().at(shard).get() == leading(shard)) {
      return machine->number;
    }
  }
  return std::nullopt;
}

// Late repetitions of an earlier wish may follow a later one: whatever is in force, W must hold.
void World::insist_on(const node::AdminRequest& request, int tries) {
  if (tries > 0) {
    ask(static_cast<std::size_t>(dice_.below(machines_.size())), request);
    at(now_ + kInsistEvery, [this, request, tries] { insist_on(request, tries - 1); });
  }
}

// What entries after this one took of a slow key; nothing when they are compacted away.
std::optional<Tokens> World::logged_since(const node::Replica& replica, raft::Index index,
                                          const node::LedgerId& id) const {
  const raft::Log& log = replica.core().log();
  if (index.next() < log.first()) {
    return std::nullopt;
  }
  Tokens sum;
  for (raft::Index i = index.next(); i <= log.applied(); i = i.next()) {
    node::Command command;
    const raft::Entry& entry = log.at(i);
    if (entry.kind != raft::EntryKind::kCommand || entry.data.empty() ||
        !codec_.decode(entry.data.view(), command)) {
      continue;
    }
    if (const auto* ahead = std::get_if<node::SpendAhead>(&command)) {
      for (const node::AheadSpend& spend : ahead->spends) {
        sum += spend.ledger == id ? std::max(Tokens{}, spend.amount) : Tokens{};
      }
    }
  }
  return sum;
}

// A new leader has what the last one had, but for its credit, which is a chunk or two; what was on
// its way to the log for whoever waited; and what was minted in time that the new one does not know
// of: the shard's goes on from the last stamp in its log.
void World::check_reign(const Watched& one) {
  for (const Decider& decider : deciders_[one.home.value()]) {
    const node::Replica& replica = *decider.replica;
    const auto* config = replica.store().limit(one.id.limit);
    if (config == nullptr || !node::logs_ahead(config->spec)) {
      continue;
    }
    const Tokens left = replica.home()->level(one.at_home, decider.now);
    Reign& last = reigns_[one.bucket];
    const Tokens chunk = std::max(Tokens::whole(1), config->spec.burst.scaled(5, 100));
    const node::Stamp stamp = replica.stamp(decider.now).value_or(node::Stamp{});
    if (last.version == config->version && last.term != replica.core().term()) {
      totals_.worst_loss = std::max(totals_.worst_loss, last.left - left);
      const Duration unknown = std::max(Duration::zero(), Duration(last.stamp - stamp));
      const auto logged = logged_since(replica, last.applied, one.at_home);
      const Tokens may_lose = chunk + chunk + logged.value_or(config->spec.burst) +
                              config->spec.rate.over(kOverdrawn + unknown);
      if (last.left - left > may_lose) {
        fail("a new leader lost " + std::to_string((last.left - left).as_double()) + " tokens of " +
             one.id.limit + " " + one.bucket.key);
      }
    }
    last = {.term = replica.core().term(),
            .version = config->version,
            .stamp = stamp,
            .applied = replica.core().log().applied(),
            .left = left};
  }
}

}  // namespace brigade::sim
