#include "sim/cluster/world.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "sim/cluster/machine.h"

namespace brigade::sim {
namespace {

using node::NodeId;
using node::ShardId;

constexpr Duration kGossipEvery = base::milliseconds(500);
constexpr std::uint64_t kAtOnceMax = 100'000;  // events without time passing
constexpr Duration kPauseMax = base::seconds(6);
constexpr Duration kDownMax = base::seconds(8);
constexpr Duration kCutMax = base::seconds(10);
constexpr const char* kUntouched = "untouched";

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x100000001b3ULL;
}

}  // namespace

World::World(const WorldConfig& config, const node::Codec& codec)
    : config_(config), codec_(codec), dice_(config_.seed) {
  totals_.places.resize(config_.machines);
  for (std::size_t i = 0; i < config_.machines; ++i) {
    auto machine = std::make_unique<Machine>();
    machine->number = i;
    machine->id = NodeId(i + 1);
    machine->name = "n" + std::to_string(i + 1);
    if (config_.faults.drift) {
      // Two clocks of one machine, both honest: the slow line is the slower, the fast the faster.
      const auto a = static_cast<std::int64_t>(dice_.below(1999)) - 999;
      const auto b = static_cast<std::int64_t>(dice_.below(1999)) - 999;
      machine->slow_ppm = std::min(a, b);
      machine->fast_ppm = std::max(a, b);
    }
    found(*machine);
    machines_.push_back(std::move(machine));
  }
  for (auto& machine : machines_) {
    boot(*machine);
  }
  at(now_ + kGossipEvery, [this] { gossip(); });
  inject_faults();
}

World::~World() = default;

void World::at(TimePoint when, std::function<void()> act) {
  events_.push_back({.at = when, .order = order_++, .act = std::move(act)});
  std::push_heap(events_.begin(), events_.end(), std::greater<>());
}

Instant World::clock(const Machine& machine) const {
  // Fits for a hundred days of true time.
  const std::int64_t true_ns = now_.time_since_epoch().count();
  const auto line = [&](std::int64_t ppm) {
    return TimePoint(Duration(true_ns + true_ns * ppm / 1'000'000));
  };
  return {.slow = line(machine.slow_ppm), .fast = line(machine.fast_ppm)};
}

TimePoint World::truly(const Machine& machine, TimePoint local) const {
  // When the slow line will show `local`; a nanosecond late rather than early.
  if (local == base::kNever) {
    return base::kNever;
  }
  const TimePoint shown = clock(machine).slow;
  // What is always due may be the least of all times: no distance to it fits.
  const Duration ahead = std::max(local, shown) - shown;
  return now_ + ahead + ahead / 500 + Duration(1);
}

Duration World::exponential(Duration mean) {
  const double uniform = (static_cast<double>(dice_.below(1U << 30U)) + 1) / (1U << 30U);
  return Duration(
      static_cast<std::int64_t>(-std::log(uniform) * static_cast<double>(mean.count())));
}

// ---- machines ----

void World::boot(Machine& machine) {
  ++machine.life;
  machine.committing = false;
  machine.to_write.clear();
  const Instant now = clock(machine);
  node::NodeConfig config{.id = machine.id,
                          .boot = {dice_.next(), dice_.next()},
                          .name = machine.name,
                          .shards = config_.shards,
                          .bms_term = config_.bms_term};
  config.session.start = machine.life;
  config.snapshot_every = 200;
  config.snapshot_part = 700;  // so that every snapshot takes several
  config.replace_after = config_.replace_after;
  config.session.tau = config.steward.tau = config_.tau;
  config.steward.predicts = config_.predicts;
  config.session.plant = config.steward.plant = config.trade.plant = config_.plant;
  machine.node.begin(
      std::make_unique<node::Node>(std::move(config), codec_, Prng(dice_.next()), now));
  boot_replicas(machine, now);
  meet(machine);
  settle(machine);
}

void World::crash(std::size_t number) {
  Machine& machine = *machines_[number];
  machine.node.end();
  ++machine.life;
  const auto asked = [&](const auto& one) { return one.first.borrower == machine.id; };
  std::erase_if(flows_, asked);
  std::erase_if(borrows_as_, asked);
  spend_reservations_of(machine);
}

void World::restart(std::size_t number) {
  if (!machines_[number]->node && machines_[number]->fate.empty()) {
    boot(*machines_[number]);
  }
}

void World::isolate(std::size_t number, bool cut) {
  machines_[number]->cut = cut;
}

void World::settle(Machine& machine) {
  if (!machine.node || now_ < machine.paused_until) {
    return;
  }
  const Instant now = clock(machine);
  node::Actions actions = std::move(actions_);
  actions.clear();
  machine.node->settle(now, actions);
  perform(machine, actions, now);
  actions_ = std::move(actions);
  if (machine.node->left() || machine.node->removed()) {
    end(machine, machine.node->left() ? "left" : "dead");
    return;
  }
  wake(machine);
}

void World::wake(Machine& machine) {
  const TimePoint due = truly(machine, machine.node->next_deadline(clock(machine)));
  if (due == base::kNever ||
      (machine.wakes != base::kNever && machine.wakes > now_ && machine.wakes <= due)) {
    return;
  }
  machine.wakes = due;
  at(due, [this, &machine, life = machine.life] {
    if (machine.life != life || !machine.node) {
      return;
    }
    if (now_ < machine.paused_until) {
      machine.wakes = machine.paused_until;
      at(machine.paused_until, [this, &machine, life] {
        if (machine.life == life) {
          settle(machine);
        }
      });
      return;
    }
    settle(machine);
  });
}

void World::perform(Machine& machine, node::Actions& actions, Instant now) {
  for (node::Send& send : actions.sends) {
    if (now.fast >= send.expires) {
      continue;
    }
    if (const auto* loan = std::get_if<node::Loan>(&send.message);
        loan != nullptr && loan->granted > Tokens{}) {
      totals_.lent += loan->granted;
      Tokens& most = flows_[{
          .borrower = send.to, .ledger = loan->ledger, .account = loan->account, .seq = loan->seq}];
      most = std::max(most, loan->granted);
    }
    if (const auto* borrow = std::get_if<node::Borrow>(&send.message)) {
      note_borrow(machine.id, *borrow);
    }
    note_decisions(machine.id, send);
    deliver(machine.id, send.to, Kind::kNode,
            [from = machine.id, message = std::move(send.message)](Machine& to, Instant when) {
              to.node->received(from, message, when);
            });
  }
  for (node::RaftSend& send : actions.raft) {
    deliver(machine.id, send.to, Kind::kRaft,
            [shard = send.shard, message = std::move(send.message)](Machine& to, Instant when) {
              to.node->received(shard, message, when);
            });
  }
  if (!actions.writes.empty()) {
    store(machine, std::move(actions.writes));
    actions.writes.clear();
  }
  for (const node::SettleAnswer& answer : actions.settled) {
    note_settled(answer.reply);
  }
  for (const node::Answer& answer : actions.answers) {
    if (end_together(machine, answer)) {
      continue;
    }
    if (answer.ticket == look_ticket_) {
      looked_ = answer.decision.remaining;
    }
    const auto parked = parked_.find(answer.ticket);
    if (parked == parked_.end()) {
      continue;
    }
    if (answer.decision.admitted() && clock(machine).fast < answer.decision.valid_until) {
      const auto& [bucket, cost, priority] = parked->second;
      admitted(machine, bucket, cost);
      // What another node decided was spent there and then.
      if (!answer.decision.decided_by) {
        spent_by(priority, bucket, cost);
      }
    }
    parked_.erase(parked);
  }
  for (const base::Note& note : actions.notes) {
    totals_.hash = mix(totals_.hash, note.a ^ note.b);
  }
}

// One storage thread: what comes while it commits waits, and is one commit after that.
void World::store(Machine& machine, std::vector<node::GroupWrite> writes) {
  machine.takes = Duration(1 + static_cast<std::int64_t>(dice_.below(
                                   static_cast<std::uint64_t>(config_.faults.disk_max.count()))));
  std::move(writes.begin(), writes.end(), std::back_inserter(machine.to_write));
  if (!machine.committing) {
    commit(machine);
  }
}

void World::commit(Machine& machine) {
  machine.committing = true;
  at(now_ + machine.takes,
     [this, &machine, life = machine.life, writes = std::exchange(machine.to_write, {})] {
       if (machine.life != life) {
         return;  // the process died first: nothing of it is durable
       }
       machine.committing = false;
       if (!machine.to_write.empty()) {
         commit(machine);
       }
       for (const node::GroupWrite& write : writes) {
         machine.disk.write(write);
         if (!write.persists.empty()) {
           machine.node->persisted(write, clock(machine));
         }
       }
       settle(machine);
     });
}

// `act` is what the receiver does when it comes.
template <class Act>
void World::deliver(NodeId from, NodeId to, Kind kind, Act act) {
  if (!to || to.value() > machines_.size()) {
    return;
  }
  Machine& sender = *machines_[from.value() - 1];
  Machine& receiver = *machines_[to.value() - 1];
  if (sender.cut || receiver.cut || receiver.deaf_to.contains(sender.number) ||
      dice_.below(1000) < config_.faults.loss_permille) {
    return;
  }
  if (dice_.below(1000) < config_.faults.double_permille) {
    carry(receiver, kind, act);
  }
  carry(receiver, kind, std::move(act));
}

template <class Act>
void World::carry(Machine& receiver, Kind kind, Act act) {
  const bool slow = dice_.below(1000) < config_.faults.slow_permille &&
                    (kind == Kind::kNode || config_.faults.slow_raft);
  const Duration most = slow ? config_.faults.slow_max : config_.faults.delay_max;
  const Duration delay = config_.faults.delay_min + receiver.late + some(most);
  at(now_ + delay, [this, &receiver, act = std::move(act)] {
    if (!receiver.node) {
      return;
    }
    if (now_ < receiver.paused_until) {
      at(receiver.paused_until, [this, &receiver, act, life = receiver.life] {
        if (receiver.life == life && receiver.node) {
          act(receiver, clock(receiver));
          settle(receiver);
        }
      });
      return;
    }
    act(receiver, clock(receiver));
    settle(receiver);
  });
}

void World::gossip() {
  for (const auto& machine : machines_) {
    if (!machine->node || now_ < machine->paused_until) {
      continue;
    }
    const node::NodeDigest digest = machine->node->digest(clock(*machine));
    for (const auto& other : machines_) {
      if (other != machine) {
        deliver(machine->id, other->id, Kind::kNode,
                [id = machine->id, digest](Machine& to, Instant when) {
                  to.node->heard(id, digest, when);
                });
      }
    }
  }
  at(now_ + kGossipEvery, [this] { gossip(); });
}

// ---- faults ----

void World::every(Duration mean, const std::function<void()>& act) {
  if (mean > Duration::zero()) {
    at(now_ + exponential(mean), [this, mean, act] {
      if (!well_) {
        act();
        every(mean, act);
      }
    });
  }
}

void World::end_faults() {
  well_ = true;
  config_.faults = Faults{};
  for (const auto& machine : machines_) {
    machine->cut = false;
    machine->deaf_to.clear();
    machine->late = Duration{0};
    machine->paused_until = now_;
    restart(machine->number);
  }
}

Duration World::some(Duration most) {
  return Duration(static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(most.count()))));
}

void World::inject_faults() {
  const auto pick = [this] { return static_cast<std::size_t>(dice_.below(machines_.size())); };
  every(config_.faults.crash_every, [this, pick] {
    const std::size_t victim = pick();
    if (machines_[victim]->node) {
      crash(victim);
      at(now_ + some(kDownMax), [this, victim] { restart(victim); });
    }
  });
  every(config_.faults.partition_every, [this, pick] {
    Machine& machine = *machines_[pick()];
    const std::size_t other = pick();
    const bool one_way = dice_.below(2) == 0;
    if (one_way) {
      machine.deaf_to.insert(other);
    } else {
      machine.cut = true;
    }
    at(now_ + some(kCutMax), [&machine, other, one_way] {
      if (one_way) {
        machine.deaf_to.erase(other);
      } else {
        machine.cut = false;
      }
    });
  });
  every(config_.faults.pause_every, [this, pick] {
    Machine& machine = *machines_[pick()];
    machine.paused_until = std::max(machine.paused_until, now_ + some(kPauseMax));
  });
}

// ---- clients ----

void World::load(const Demand& demand) {
  if (!demand.key.empty()) {
    keys_[node::KeySpace(demand.limit).hash(demand.key)] = {.limit = demand.limit,
                                                            .key = demand.key};
  }
  for (const Demand& part : demand.with) {
    keys_[node::KeySpace(part.limit).hash(part.key)] = {.limit = part.limit, .key = part.key};
  }
  at(std::max(now_, demand.from), [this, &one = demands_.emplace_back(demand)] { arrive(one); });
}

void World::arrive(Demand& demand) {
  if (now_ >= demand.until) {
    return;
  }
  at(now_ + exponential(Duration(static_cast<std::int64_t>(1e9 / demand.per_second))),
     [this, &demand] { arrive(demand); });
  const std::size_t number = demand.machine;
  demand.machine = (number + (demand.around ? 1 : 0)) % machines_.size();
  Machine& machine = *machines_[number];
  ++totals_.requests;
  totals_.offered += demand.cost;
  totals_.places.at(number).offered += demand.cost;
  totals_.limits[demand.limit].offered += demand.cost;
  const Bucket bucket{.limit = demand.limit, .key = demand.key};
  offer_central(bucket, demand.cost, demand.wait);
  if (!machine.node || now_ < machine.paused_until) {
    return;
  }
  if (demand.reserve || !demand.with.empty()) {
    arrive_with_others(demand, machine);
    settle(machine);
    return;
  }
  const Instant now = clock(machine);
  const node::Ticket ticket = next_ticket_++;
  const auto decision = machine.node->acquire({.limit = demand.limit,
                                               .key = demand.key,
                                               .cost = demand.cost,
                                               .wait = demand.wait,
                                               .priority = demand.priority},
                                              ticket, now);
  if (!decision) {
    parked_[ticket] = {.bucket = bucket, .cost = demand.cost, .priority = demand.priority};
  } else if (decision->admitted() && now.fast < decision->valid_until) {
    admitted(machine, bucket, demand.cost);
    spent_by(demand.priority, bucket, demand.cost);
    if (!bucket.key.empty() && decision->source == node::Source::kBorrowed) {
      totals_.in_advance += demand.cost;
    }
  }
  settle(machine);
}

// What one bucket without any delay would have admitted of the same requests. Who waits may have
// what will be minted until then: it is as if the bucket held that much more for it alone.
void World::offer_central(const Bucket& bucket, Tokens cost, Duration wait) {
  const bucket::LimitSpec* spec = spec_of(bucket.limit);
  if (spec == nullptr) {
    return;
  }
  const Duration most = spec->queue.max_wait;
  const Tokens size = spec->burst + spec->rate.over(most);
  const auto [it, fresh] =
      central_.try_emplace(bucket, bucket::TokenBucket(spec->rate, size, size, now_));
  it->second.mint(now_);
  if (it->second.take(cost, spec->rate.over(most - std::min(wait, most)))) {
    totals_.central += cost;
    totals_.limits[bucket.limit].central += cost;
  }
}

const bucket::LimitSpec* World::spec_of(const std::string& limit) const {
  const auto spec = std::find_if(specs_.begin(), specs_.end(),
                                 [&](const auto& one) { return one.name == limit; });
  return spec == specs_.end() ? nullptr : &*spec;
}

// A decision of a shard's leader counts when it is taken, which is when it leaves.
void World::note_decisions(NodeId from, const node::Send& send) {
  const auto ask = [&](const node::Ask& one) {
    if (one.reserve || one.peek) {
      return;  // counts by what its leader keeps
    }
    const auto known = keys_.find(one.ledger.key);
    const std::string key = known == keys_.end() ? std::string() : known->second.key;
    asked_[{from, one.ticket}] = {.bucket = {.limit = one.ledger.limit, .key = key},
                                  .cost = one.cost};
  };
  const auto tell = [&](const node::Told& one) {
    const auto asked = asked_.find({send.to, one.ticket});
    if (asked != asked_.end() && one.verdict == node::Verdict::kAdmitted && !one.elsewhere &&
        !one.unknown) {
      spent(asked->second.bucket, asked->second.cost);
    }
  };
  if (const auto* one = std::get_if<node::Ask>(&send.message)) {
    ask(*one);
  } else if (const auto* asks = std::get_if<node::AskBatch>(&send.message)) {
    std::for_each(asks->asks.begin(), asks->asks.end(), ask);
  } else if (const auto* told = std::get_if<node::Told>(&send.message)) {
    tell(*told);
  } else if (const auto* tolds = std::get_if<node::ToldBatch>(&send.message)) {
    std::for_each(tolds->tolds.begin(), tolds->tolds.end(), tell);
  } else if (const auto* quantum = std::get_if<node::Quantum>(&send.message)) {
    note_quantum(send.to, *quantum);
  }
}

void World::note_quantum(NodeId to, const node::Quantum& quantum) {
  const Machine& asker = *machines_[to.value() - 1];
  const node::KeyHash* key = asker.node ? asker.node->tills().asked(quantum.ticket) : nullptr;
  if (key != nullptr) {
    quanta_[{to, quantum.ticket}] = {.key = *key, .quantum = quantum};
  }
}

void World::spent(const Bucket& bucket, Tokens cost) {
  queues_[bucket].add(now_, cost);
}

void World::admitted(Machine& machine, const Bucket& bucket, Tokens cost) {
  totals_.admitted += cost;
  totals_.places.at(machine.number).admitted += cost;
  totals_.limits[bucket.limit].admitted += cost;
  totals_.hash = mix(totals_.hash, machine.id.value() ^
                                       static_cast<std::uint64_t>(now_.time_since_epoch().count()));
}

std::size_t World::ready() const {
  std::size_t count = 0;
  for (const auto& machine : machines_) {
    count += machine->node && machine->node->ready(clock(*machine)) ? 1 : 0;
  }
  return count;
}

void World::declare(bucket::LimitSpec spec) {
  if (spec.mode == bucket::Mode::kStrict) {
    strict_ = true;
    queues_.emplace(Bucket{.limit = spec.name, .key = {}}, VirtualQueue(kLate));
  }
  if (spec.per_key) {
    // What nobody asks for is nobody's either.
    keys_[node::KeySpace(spec.name).hash(kUntouched)] = {.limit = spec.name, .key = kUntouched};
  }
  specs_.push_back(std::move(spec));
}

// Again until somebody serves them: the first try may meet a crash.
void World::declare_all() {
  Machine& machine = *machines_[dice_.below(machines_.size())];
  if (machine.node && now_ >= machine.paused_until) {
    if (machine.node->limits().size() >= specs_.size()) {
      return;
    }
    machine.node->admin(node::PutLimits{.limits = specs_, .prune = false},
                        (node::Ticket{1} << 40U) + next_ticket_++, clock(machine));
    settle(machine);
  }
  at(now_ + base::seconds(1), [this] { declare_all(); });
}

bool World::run(TimePoint until) {
  if (!declared_) {
    declared_ = true;
    declare_all();
  }
  watch();
  while (!events_.empty() && events_.front().at <= until && broken_.empty()) {
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    const Event event = std::move(events_.back());
    events_.pop_back();
    now_ = std::max(now_, event.at);
    event.act();
    ++totals_.events;
    at_once_ = now_ - last_step_ > std::chrono::microseconds(1) ? 0 : at_once_ + 1;
    last_step_ = now_;
    if (at_once_ > kAtOnceMax) {
      fail("time stands still: a deadline is always due");
    }
    check();
  }
  return broken_.empty();
}

}  // namespace brigade::sim
