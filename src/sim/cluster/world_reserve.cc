// Clients that reserve and settle, or acquire several limits at once, and what that counts in V: an
// acquire costs what was used of it, known only at the end, from when it was taken. What may still
// be refunded is in Phi as long as it is not in V.
#include <algorithm>
#include <utility>

#include "sim/cluster/machine.h"
#include "sim/cluster/world.h"

namespace brigade::sim {
namespace {

constexpr Duration kUseMax = base::seconds(2);
constexpr Duration kPatienceMax = base::milliseconds(60);
// What no leader has known for so long is spent.
constexpr Duration kLostAfter = std::chrono::minutes(2);

}  // namespace

// ---- clients ----

void World::arrive_with_others(const Demand& demand, Machine& machine) {
  Together together{.machine = machine.number, .life = machine.life, .parts = {}, .kept = {}};
  std::vector<node::AcquireRequest> requests;
  requests.reserve(1 + demand.with.size());
  together.parts.push_back(demand);
  together.parts.insert(together.parts.end(), demand.with.begin(), demand.with.end());
  for (const Demand& part : together.parts) {
    requests.push_back(
        {.limit = part.limit, .key = part.key, .cost = part.cost, .reserve = part.reserve});
  }
  const node::Ticket ticket = next_ticket_++;
  const Instant now = clock(machine);
  auto decision = requests.size() == 1 ? machine.node->acquire(requests.front(), ticket, now)
                                       : machine.node->acquire_all(requests, ticket, now);
  together_.emplace(ticket, std::move(together));
  if (decision) {
    end_together(machine, {.ticket = ticket, .decision = std::move(*decision)});
    return;
  }
  if (dice_.below(8) == 0) {
    at(now_ + some(kPatienceMax), [this, ticket] { go_away(ticket); });
  }
}

// The client does not wait any longer.
void World::go_away(node::Ticket ticket) {
  const auto found = together_.find(ticket);
  if (found == together_.end()) {
    return;
  }
  Machine& machine = *machines_[found->second.machine];
  if (machine.node && machine.life == found->second.life && now_ >= machine.paused_until) {
    machine.node->abandon(ticket, clock(machine));
    for (const node::ReservationId& id : found->second.kept) {
      end_kept_here(machine, id.sequence, Tokens{});
    }
    together_.erase(found);
    settle(machine);
  }
}

bool World::end_together(Machine& machine, const node::Answer& answer) {
  auto found = together_.extract(answer.ticket);
  if (!found) {
    return false;
  }
  const Together& together = found.mapped();
  const node::Decision& decision = answer.decision;
  const bool holds = decision.admitted() && clock(machine).fast < decision.valid_until;
  for (std::size_t i = 0; i < together.parts.size(); ++i) {
    const Demand& part = together.parts[i];
    const Bucket bucket{.limit = part.limit, .key = part.key};
    const std::uint64_t kept = i < together.kept.size() ? together.kept[i].sequence : 0;
    if (!decision.admitted()) {
      end_kept_here(machine, kept, Tokens{});
      continue;
    }
    const node::ReservationId id =
        (decision.each.empty() ? decision : decision.each[i]).reservation;
    if (!elsewhere(part.limit) && id.sequence != 0) {
      keep_here(machine, part, id);
    } else if (!elsewhere(part.limit) && !end_kept_here(machine, kept, part.cost)) {
      spent(bucket, part.cost);
    }
    if (holds) {
      admitted(machine, bucket, part.cost);
    }
    if (id.sequence != 0) {
      use(machine, part, id);
    }
  }
  return true;
}

// What was charged to a bucket of this machine counts from when it was.
void World::keep_here(const Machine& machine, const Demand& part, const node::ReservationId& id) {
  const Here here{machine.number, machine.life, id.sequence};
  if (!kept_here_.contains(here)) {
    const Bucket bucket{.limit = part.limit, .key = part.key};
    kept_here_[here] = {
        .bucket = bucket, .entry = queues_[bucket].open(now_, part.cost), .reserved = part.cost};
  }
}

bool World::end_kept_here(const Machine& machine, std::uint64_t sequence, Tokens actual) {
  const auto kept = kept_here_.find({machine.number, machine.life, sequence});
  if (kept == kept_here_.end()) {
    return false;
  }
  VirtualQueue& queue = queues_[kept->second.bucket];
  queue.set(kept->second.entry, std::min(kept->second.reserved, actual));
  queue.close(kept->second.entry);
  kept_here_.erase(kept);
  return true;
}

// Uses some of it, less or more than was reserved, and settles; a few never do.
void World::use(Machine& machine, const Demand& part, const node::ReservationId& id) {
  if (dice_.below(16) == 0) {
    return;
  }
  const Tokens actual = part.cost.scaled(static_cast<std::int64_t>(dice_.below(1300)), 1000);
  const int times = dice_.below(8) == 0 ? 2 : 1;
  for (int i = 0; i < times; ++i) {
    at(now_ + some(kUseMax), [this, &machine, life = machine.life, id, actual] {
      if (machine.node && machine.life == life && now_ >= machine.paused_until) {
        settle_with(machine, id, actual);
      }
    });
  }
}

void World::settle_with(Machine& machine, const node::ReservationId& id, Tokens actual) {
  if (const auto reply =
          machine.node->settle_reservation(id, actual, next_ticket_++, clock(machine))) {
    note_settled(*reply);
    end_kept_here(machine, id.sequence, actual);
  }
  settle(machine);
}

void World::note_settled(const node::SettleReply& reply) {
  if (reply.verdict == node::SettleVerdict::kSettled) {
    ++totals_.settled;
    totals_.refunded += reply.refunded;
  }
}

// Its process is gone, and what was not settled is spent.
void World::spend_reservations_of(const Machine& machine) {
  std::erase_if(together_, [&](const auto& one) { return one.second.machine == machine.number; });
  for (auto it = kept_here_.begin(); it != kept_here_.end();) {
    if (std::get<0>(it->first) != machine.number) {
      ++it;
      continue;
    }
    queues_[it->second.bucket].set(it->second.entry, it->second.reserved);
    queues_[it->second.bucket].close(it->second.entry);
    it = kept_here_.erase(it);
  }
}

bool World::elsewhere(const std::string& limit) const {
  const bucket::LimitSpec* spec = spec_of(limit);
  return spec != nullptr && !spec->divided();
}

// ---- what reservations count after every event ----

// A number that changes whenever a leader's reservations, or its authority over them, do.
std::uint64_t World::reservations_now() {
  std::uint64_t seen = 0;
  const auto mix = [&](std::uint64_t value) { seen = (seen ^ value) * 0x100000001b3ULL; };
  for (const auto& machine : machines_) {
    for (const node::Replica* replica : machine->replicas) {
      if (const node::HomeDesk* desk = replica == nullptr ? nullptr : replica->home()) {
        mix(machine->number);
        mix(machine->life);
        mix(replica->core().term().value());
        mix(desk->reservations().revision() * 2 + (desk->in_authority(clock(*machine)) ? 1 : 0));
      }
    }
  }
  for (const auto& [shard, books] : books_) {
    mix(books.reservations.empty() ? 0 : books.applied.value());
  }
  return seen;
}

void World::note_reservations() {
  note_together();
  note_kept_here();
  if (const std::uint64_t seen = reservations_now(); seen != reservations_seen_) {
    reservations_seen_ = seen;
    note_leaders_reservations();
  }
}

void World::note_leaders_reservations() {
  for (auto& [id, one] : kept_) {
    one.known = false;
  }
  for (const auto& machine : machines_) {
    const Instant now = clock(*machine);
    for (const node::Replica* replica : machine->replicas) {
      if (const node::HomeDesk* desk = replica == nullptr ? nullptr : replica->home()) {
        const Keeper keeper{.machine = machine->number,
                            .life = machine->life,
                            .term = replica->core().term().value()};
        for (const auto& [id, one] : desk->reservations().all()) {
          const bool fresh = one.since == now.slow.time_since_epoch();
          note_reservation(keeper, one, fresh, desk->in_authority(now));
        }
      }
    }
  }
  for (const auto& [shard, books] : books_) {
    for (const auto& [id, one] : books.reservations) {
      note_reservation({}, one, false, true);
    }
  }
  for (auto it = kept_.begin(); it != kept_.end();) {
    Kept& one = it->second;
    VirtualQueue& queue = queues_[one.bucket];
    if (!one.known) {
      queue.set(one.entry, one.reserved);
    }
    one.seen = one.known ? now_ : one.seen;
    const bool lost = now_ - one.seen > kLostAfter;
    if (lost || one.settled) {
      queue.close(one.entry);
    }
    it = lost ? kept_.erase(it) : std::next(it);
  }
}

// One that a leader, or the log of a shard, keeps. `fresh`: it was charged in this event.
void World::note_reservation(const Keeper& keeper, const node::Reservation& one, bool fresh,
                             bool counts) {
  if (one.reserved == Tokens{}) {
    return;
  }
  auto known = kept_.find(one.id);
  const bool logged = keeper == Keeper{};
  if (known == kept_.end() && !fresh && !logged) {
    return;  // lost long ago
  }
  const bool charged = known == kept_.end() || (fresh && known->second.keeper != keeper);
  if (charged) {
    if (known != kept_.end()) {  // another leader charged it before: that stays spent
      queues_[known->second.bucket].set(known->second.entry, known->second.reserved);
      queues_[known->second.bucket].close(known->second.entry);
    }
    const auto key = keys_.find(one.bucket.key);
    const Bucket bucket{.limit = one.bucket.limit,
                        .key = key == keys_.end() ? std::string() : key->second.key};
    // What is in the log was decided when it was stamped.
    const TimePoint taken = logged ? stamped(bucket.limit, one.since) : now_;
    known = kept_
                .insert_or_assign(one.id, Kept{.bucket = bucket,
                                               .entry = queues_[bucket].open(taken, one.reserved),
                                               .reserved = one.reserved,
                                               .seen = now_})
                .first;
  }
  Kept& kept = known->second;
  kept.keeper = keeper;
  if (!counts) {
    return;
  }
  kept.known = true;
  kept.settled = one.settled;
  queues_[kept.bucket].set(
      kept.entry, one.settled ? std::min(one.reserved, one.actual) : one.reserved - one.refundable);
}

// The parts here of acquires that are asking for the others.
void World::note_together() {
  for (auto& [ticket, one] : together_) {
    const Machine& machine = *machines_[one.machine];
    if (!one.kept.empty() || !machine.node || machine.life != one.life) {
      continue;
    }
    one.kept = machine.node->keeping(ticket);
    for (std::size_t i = 0; i < one.kept.size(); ++i) {
      if (one.kept[i].sequence != 0) {
        keep_here(machine, one.parts[i], one.kept[i]);
      }
    }
  }
}

// Reservations on shared limits. The purse knows what is refundable of all together; it counts for
// the newest first.
void World::note_kept_here() {
  std::map<const node::SharedLimit*, Tokens> left;
  for (auto it = kept_here_.rbegin(); it != kept_here_.rend(); ++it) {
    const auto& [place, life, sequence] = it->first;
    const Machine& machine = *machines_[place];
    Tokens refundable;
    const node::SharedLimit* limit = machine.node && machine.life == life
                                         ? machine.node->shared(it->second.bucket.limit)
                                         : nullptr;
    if (limit != nullptr && limit->purse().valid(clock(machine))) {
      const auto one = limit->reservations().find(sequence);
      if (one != limit->reservations().end() && one->second.account == limit->purse().account()) {
        Tokens& rest = left.try_emplace(limit, limit->purse().refundable()).first->second;
        refundable = std::min(rest, one->second.refundable);
        rest -= refundable;
      }
    }
    queues_[it->second.bucket].set(it->second.entry, it->second.reserved - refundable);
  }
}

}  // namespace brigade::sim
