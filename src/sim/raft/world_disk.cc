// Durability and applying: what a core hands over becomes durable later or never; entries are
// applied in order, perhaps late.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/endian.h"
#include "sim/raft/machine.h"

namespace brigade::sim {
namespace {

using raft::Term;

constexpr Duration kUnsynced = std::chrono::microseconds(5);

base::Bytes state_bytes(const Machined& machined) {
  std::string state;
  base::append_le(state, machined.hash);
  return base::Bytes(std::move(state));
}

}  // namespace

void RaftWorld::keep(Machine& machine, raft::Persist persist) {
  Term previous;
  for (const raft::Entry& entry : persist.entries) {
    if (previous == Term()) {
      previous = machine.core->log().term(entry.id.index.previous()).value_or(Term());
    }
    chronicle_->kept(entry, previous);
    previous = entry.id.term;
  }
  RaftDisk::Write write{.persist = {}, .machined = {}, .compacted = {}, .sync = persist.sync};
  if (persist.snapshot) {
    ++totals_.snapshots;
    // Whatever was still to be applied is in it.
    machine.applying.clear();
    machine.machined = {.applied = persist.snapshot->last.index,
                        .hash = base::load_le<std::uint64_t>(persist.snapshot->state.view())};
    machine.snapshot_at = persist.snapshot->last.index;
    chronicle_->stands_at(machine.machined);
    if (chronicle_->conf_at(persist.snapshot->last.index) != persist.snapshot->conf) {
      chronicle_->fail("a snapshot carries another configuration than was in force");
    }
    write.machined = machine.machined;
  }
  write.persist = std::move(persist);
  hand_over(machine, std::move(write));
}

void RaftWorld::hand_over(Machine& machine, RaftDisk::Write write) {
  machine.writing.push_back(std::move(write));
  start_disk(machine);
}

// Everything that waits goes in one write: that is how the real thread works.
void RaftWorld::start_disk(Machine& machine) {
  if (machine.batch != 0 || machine.writing.empty()) {
    return;
  }
  machine.batch = machine.writing.size();
  const bool sync = std::any_of(machine.writing.begin(), machine.writing.end(),
                                [](const RaftDisk::Write& one) { return one.sync; });
  Duration takes = kUnsynced;
  if (sync) {
    for (RaftDisk::Write& one : machine.writing) {
      one.sync = true;
    }
    takes += some(setup_.faults.disk_max);
  }
  const TimePoint done = std::max(now_, faulty_ ? machine.disk_stalled_until : now_) + takes;
  push(done, {.kind = Kind::kDisk, .machine = machine.number, .slot = 0, .life = machine.life});
}

void RaftWorld::finish_disk(Machine& machine) {
  for (std::size_t i = 0; i < machine.batch; ++i) {
    machine.disk.write(machine.writing.front());
    if (machine.writing.front().persist) {
      machine.durable.push_back(std::move(*machine.writing.front().persist));
    }
    machine.writing.pop_front();
  }
  machine.batch = 0;
  start_disk(machine);
  // A paused process hears of it when it runs again.
  when_awake(machine, machine.life, [this, &machine] { react(machine); });
}

void RaftWorld::react(Machine& machine) {
  const std::vector<raft::Persist> durable = std::exchange(machine.durable, {});
  for (const raft::Persist& persist : durable) {
    for (const raft::Message& message : persist.then) {
      send(machine, message);
    }
    if (persist.acknowledge) {
      machine.core->step(*persist.acknowledge, now_);
    }
  }
  turn(machine);
}

void RaftWorld::apply_later(Machine& machine, std::vector<raft::Entry> entries) {
  machine.applying.insert(machine.applying.end(), std::make_move_iterator(entries.begin()),
                          std::make_move_iterator(entries.end()));
  if (setup_.faults.apply_lag_max == Duration::zero() || !faulty_) {
    apply_now(machine);
    return;
  }
  if (machine.applies_at > now_) {
    return;  // what comes then takes this along
  }
  machine.applies_at = now_ + some(setup_.faults.apply_lag_max) + Duration(1);
  push(machine.applies_at,
       {.kind = Kind::kApply, .machine = machine.number, .slot = 0, .life = machine.life});
}

// Applies what waits. The caller ends the turn.
void RaftWorld::apply_now(Machine& machine) {
  if (machine.applying.empty()) {
    return;
  }
  for (const raft::Entry& entry : std::exchange(machine.applying, {})) {
    if (entry.id.index != machine.machined.applied.next()) {
      return chronicle_->fail("entries are applied with a gap at index " +
                              std::to_string(entry.id.index.value()));
    }
    chronicle_->applied(entry);
    machine.machined = {.applied = entry.id.index,
                        .hash = next_state(machine.machined.hash, entry)};
    chronicle_->stands_at(machine.machined);
    if (entry.kind != raft::EntryKind::kCommand) {
      ++totals_.conf_changes;
      machine.core->step(raft::SwitchConf{.index = entry.id.index}, now_);
      chronicle_->configured(entry.id.index, machine.core->membership().conf());
    }
    if (const auto mine = machine.proposals.find(entry.id.index); mine != machine.proposals.end()) {
      if (mine->second == entry.id.term) {
        ++totals_.acknowledged;
        last_acknowledged_ = std::max(last_acknowledged_, entry.id.index);
      }
      machine.proposals.erase(mine);
    }
  }
  machine.core->step(raft::Applied{.index = machine.machined.applied}, now_);
  hand_over(machine, {.persist = {}, .machined = machine.machined, .compacted = {}, .sync = false});
  if (machine.machined.applied.value() >= machine.snapshot_at.value() + setup_.snapshot_every) {
    take_snapshot(machine);
  }
}

void RaftWorld::take_snapshot(Machine& machine) {
  raft::Core& core = *machine.core;
  if (core.log().has_incoming_snapshot()) {
    return;
  }
  // Entries since the snapshot before this one stay, for followers that are a little behind; or
  // not, where the world is tight.
  const raft::Snapshot previous = *core.log().snapshot();
  core.step(raft::SnapshotTaken{.index = machine.machined.applied,
                                .state = state_bytes(machine.machined)},
            now_);
  machine.snapshot_at = machine.machined.applied;
  const raft::Snapshot& mark = setup_.snapshot_every < 50 ? *core.log().snapshot() : previous;
  if (mark.last.index >= core.log().first()) {
    core.step(raft::CompactTo{.index = mark.last.index}, now_);
    hand_over(machine, {.persist = {}, .machined = {}, .compacted = mark, .sync = false});
  }
}

}  // namespace brigade::sim
