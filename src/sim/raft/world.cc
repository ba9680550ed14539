#include "sim/raft/world.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/endian.h"
#include "sim/raft/machine.h"

namespace brigade::sim {
namespace {

using raft::EntryId;
using raft::Index;
using raft::ReplicaId;
using raft::Term;

constexpr std::uint64_t kInvariantsEvery = 256;  // events; they walk whole logs
// No group has so much under way at once whose messages do not breed.
constexpr std::size_t kUnderWayMax = 100'000;

}  // namespace

RaftWorld::RaftWorld(const RaftSetup& setup)
    : setup_(setup), dice_(setup_.seed), fault_dice_(dice_.split()), client_dice_(dice_.split()) {
  // Founders start from a snapshot, not from an empty log: whoever joins later needs the
  // configuration that stands before the first entry, and only a snapshot carries it.
  raft::Snapshot first{.last = {.term = Term(1), .index = Index(1)}, .conf = {}, .state = {}};
  for (std::size_t i = 0; i < setup_.replicas; ++i) {
    first.conf.voters.insert(ReplicaId(i + 1));
  }
  std::string state;
  base::append_le(state, std::uint64_t{1});
  first.state = base::Bytes(std::move(state));
  chronicle_ = std::make_unique<Chronicle>(first, 1, setup_.raft.election_min);
  for (std::size_t i = 0; i < setup_.replicas; ++i) {
    add_machine().disk.found(first, {.applied = first.last.index, .hash = 1});
  }
  for (const auto& machine : machines_) {
    boot(*machine);
  }
  start_clients();
  start_faults();
}

RaftWorld::~RaftWorld() = default;

// ---- events ----

void RaftWorld::push(TimePoint when, Event event) {
  event.at = when;
  event.order = order_++;
  events_.push_back(event);
  if (events_.size() > kUnderWayMax) {
    chronicle_->fail("messages breed: there is no end of what is under way");
  }
  std::push_heap(events_.begin(), events_.end(), std::greater<>());
}

void RaftWorld::call(TimePoint when, std::function<void()> act) {
  std::uint32_t slot = 0;
  if (free_calls_.empty()) {
    slot = static_cast<std::uint32_t>(calls_.size());
    calls_.push_back(std::move(act));
  } else {
    slot = free_calls_.back();
    free_calls_.pop_back();
    calls_[slot] = std::move(act);
  }
  push(when, {.kind = Kind::kCall, .slot = slot});
}

void RaftWorld::handle(const Event& event) {
  if (event.kind == Kind::kCall) {
    const std::function<void()> act = std::move(calls_[event.slot]);
    free_calls_.push_back(event.slot);
    act();
    return;
  }
  if (event.kind == Kind::kDeliver) {
    deliver(event);
    return;
  }
  Machine& machine = *machines_[event.machine];
  if (machine.life != event.life || !machine.core) {
    return;
  }
  if (event.kind == Kind::kDisk) {
    finish_disk(machine);
    return;
  }
  if (!awake(machine)) {
    push(machine.paused_until, event);
    return;
  }
  if (event.kind == Kind::kApply) {
    apply_now(machine);
    turn(machine);
    return;
  }
  if (machine.wakes == event.at || machine.wakes <= now_) {
    machine.wakes = base::kNever;
  }
  const auto due = machine.core->next_deadline();
  if (due && *due <= now_) {
    step(machine, raft::Timeout{});
  } else {
    wake_later(machine);
  }
}

bool RaftWorld::run_until(TimePoint until, const std::function<bool()>& done) {
  while (!events_.empty() && events_.front().at <= until && broken().empty()) {
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    const Event event = events_.back();
    events_.pop_back();
    now_ = std::max(now_, event.at);
    mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()) ^
        (static_cast<std::uint64_t>(event.kind) << 60U) ^
        (static_cast<std::uint64_t>(event.machine) << 48U));
    handle(event);
    ++totals_.events;
    if (totals_.events % kInvariantsEvery == 0) {
      for (const auto& machine : machines_) {
        if (machine->core) {
          machine->core->check_invariants();
        }
      }
    }
    if (done && done()) {
      return true;
    }
  }
  now_ = std::max(now_, until);
  return broken().empty() && !done;
}

bool RaftWorld::run_for(Duration span) {
  return run_until(now_ + span, {});
}

// ---- machines ----

RaftWorld::Machine& RaftWorld::add_machine() {
  auto machine = std::make_unique<Machine>();
  machine->number = static_cast<std::uint32_t>(machines_.size());
  machine->id = ReplicaId(machines_.size() + 1);
  machines_.push_back(std::move(machine));
  return *machines_.back();
}

RaftWorld::Machine* RaftWorld::machine_of(ReplicaId id) {
  return id.value() == 0 || id.value() > machines_.size() ? nullptr
                                                          : machines_[id.value() - 1].get();
}

bool RaftWorld::awake(const Machine& machine) const {
  return machine.core != nullptr && now_ >= machine.paused_until;
}

void RaftWorld::when_awake(Machine& machine, std::uint64_t life, const std::function<void()>& act) {
  if (machine.life != life) {
    return;
  }
  if (awake(machine)) {
    act();
    return;
  }
  // By then it may be paused for longer.
  call(machine.paused_until, [this, &machine, life, act] { when_awake(machine, life, act); });
}

void RaftWorld::boot(Machine& machine) {
  ++machine.life;
  raft::Config config = setup_.raft;
  config.self = machine.id;
  const raft::Restored restored = machine.disk.restored(setup_.restart_from_applied);
  if (setup_.restart_from_applied) {
    machine.machined = machine.disk.machined();
  } else {
    machine.machined = {.applied = restored.snapshot.last.index,
                        .hash = restored.snapshot.state.empty()
                                    ? 0
                                    : base::load_le<std::uint64_t>(restored.snapshot.state.view())};
  }
  machine.core = std::make_unique<raft::Core>(config, Prng(dice_.next()), restored, now_);
  machine.commit_seen = machine.core->log().committed();
  machine.led = machine.elected = Term();
  machine.snapshot_at = restored.snapshot.last.index;
  machine.wakes = base::kNever;
  if (machine.machined.applied != Index()) {
    chronicle_->stands_at(machine.machined);
    if (chronicle_->conf_at(machine.machined.applied) != machine.core->membership().conf()) {
      chronicle_->fail("a restart forgot the configuration of replica " +
                       std::to_string(machine.id.value()));
    }
    if (setup_.restart_from_applied && machine.machined.applied > restored.snapshot.last.index) {
      // What was compacted away is gone: the state as of now stands for it.
      take_snapshot(machine);
    }
  }
  turn(machine);
}

void RaftWorld::crash(Machine& machine) {
  if (!machine.core) {
    return;
  }
  // Of the batch under way a first part had reached the disk already.
  const auto reached = fault_dice_.below(machine.batch + 1);
  for (std::size_t i = 0; i < reached; ++i) {
    machine.disk.write(machine.writing[i]);
  }
  machine.disk.crash(fault_dice_);
  chronicle_->stepped_down(machine.led);
  machine.core.reset();
  ++machine.life;
  machine.writing.clear();
  machine.batch = 0;
  machine.durable.clear();
  machine.applying.clear();
  machine.applies_at = now_;
  machine.proposals.clear();
  machine.reads.clear();
  machine.paused_until = now_;
}

void RaftWorld::step(Machine& machine, const raft::Input& input) {
  machine.core->step(input, now_);
  turn(machine);
}

void RaftWorld::turn(Machine& machine) {
  observe(machine);
  while (machine.core->pending() && broken().empty()) {
    raft::Actions actions = std::move(actions_);
    actions.clear();
    machine.core->flush(actions);
    perform(machine, actions);
    actions_ = std::move(actions);
    observe(machine);
  }
  wake_later(machine);
}

// What can be seen of a core between two calls.
void RaftWorld::observe(Machine& machine) {
  const raft::Core& core = *machine.core;
  const Term leads = core.role() == raft::Role::kLeader ? core.term() : Term();
  if (leads != machine.led) {
    chronicle_->stepped_down(machine.led);
    machine.led = leads;
  }
  if (leads != Term() && leads != machine.elected) {
    machine.elected = leads;
    ++totals_.elections;
    chronicle_->elected(core, now_);
  }
  if (core.log().committed() != machine.commit_seen) {
    chronicle_->committed(core, machine.commit_seen, [this](ReplicaId id, const EntryId& entry) {
      const Machine* holder = machine_of(id);
      return holder != nullptr && holder->disk.holds(entry);
    });
    machine.commit_seen = core.log().committed();
  }
}

void RaftWorld::perform(Machine& machine, raft::Actions& actions) {
  for (const raft::Message& message : actions.sends) {
    send(machine, message);
  }
  if (actions.persist) {
    keep(machine, std::move(*actions.persist));
  }
  if (!actions.apply.empty()) {
    apply_later(machine, std::move(actions.apply));
  }
  for (const raft::Accepted& one : actions.accepted) {
    machine.proposals[one.id.index] = one.id.term;
  }
  for (const raft::ReadReady& one : actions.reads) {
    if (const auto read = machine.reads.find(one.ticket); read != machine.reads.end()) {
      ++totals_.reads;
      chronicle_->read_answered(read->second.floor, one.index);
      chronicle_->confirmed(machine.core->term(), read->second.asked, read->second.applied);
      machine.reads.erase(read);
    }
  }
  for (const raft::ReadRefused& one : actions.reads_refused) {
    machine.reads.erase(one.ticket);
  }
  for (const base::Note& note : actions.notes) {
    mix(note.a ^ (note.b << 20U) ^ (note.c << 40U));
  }
}

void RaftWorld::wake_later(Machine& machine) {
  const auto due = machine.core->next_deadline();
  if (!due || machine.wakes <= *due) {
    return;
  }
  machine.wakes = now_ < *due ? *due : now_;
  push(machine.wakes,
       {.kind = Kind::kWake, .machine = machine.number, .slot = 0, .life = machine.life});
}

std::string RaftWorld::describe(const raft::Membership& members) {
  static constexpr const char* kStates[] = {"probed", "streamed to", "sent a snapshot"};
  std::string text;
  for (const auto& [id, progress] : members.progress) {
    text += "    " + std::to_string(id.value());
    text += progress.learner() ? ", learner, " : ", voter, ";
    text += members.voters.outgoing.voters().contains(id) ? "outgoing, " : "";
    text += kStates[static_cast<std::size_t>(progress.state())];
    text += progress.paused() ? ", paused, " : ", ";
    text += "matches " + std::to_string(progress.match().value()) + ", next " +
            std::to_string(progress.next().value()) + "\n";
  }
  return text;
}

std::string RaftWorld::describe() const {
  std::string text;
  for (const auto& machine : machines_) {
    text += "  replica " + std::to_string(machine->id.value());
    if (!machine->core) {
      text += ": down\n";
      continue;
    }
    const raft::Core& core = *machine->core;
    text += core.role() == raft::Role::kLeader ? ": leader" : ": follows ";
    text += core.role() == raft::Role::kLeader ? "" : std::to_string(core.leader().value());
    text += ", term " + std::to_string(core.term().value()) + ", committed " +
            std::to_string(core.log().committed().value()) + " of " +
            std::to_string(core.log().last().value()) + ", applied " +
            std::to_string(machine->machined.applied.value()) + "\n";
    if (core.role() == raft::Role::kLeader) {
      text += describe(core.membership());
    }
  }
  return text;
}

}  // namespace brigade::sim
