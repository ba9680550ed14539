// What is asked of the group and what is done to it.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/endian.h"
#include "sim/raft/machine.h"

namespace brigade::sim {
namespace {

using raft::ChangeKind;
using raft::ConfChange;
using raft::Index;
using raft::ReplicaId;
using raft::Transition;

constexpr Duration kDownMax = base::seconds(4);
constexpr Duration kCutMax = base::seconds(5);
constexpr Duration kPauseMax = base::seconds(3);
constexpr Duration kStallMax = base::seconds(3);
constexpr std::size_t kVotersMin = 3;  // one may stay down for good
constexpr std::size_t kMembersMax = 7;
constexpr std::size_t kMachinesMax = 24;

template <class Set>
ReplicaId pick(const Set& from, Prng& dice) {
  return *std::next(from.begin(), static_cast<std::ptrdiff_t>(dice.below(from.size())));
}

}  // namespace

Duration RaftWorld::some(Duration most) {
  return most <= Duration::zero() ? Duration::zero()
                                  : Duration(static_cast<std::int64_t>(
                                        dice_.below(static_cast<std::uint64_t>(most.count()))));
}

Duration RaftWorld::exponential(Duration mean) {
  const double uniform = (static_cast<double>(fault_dice_.below(1U << 30U)) + 1) / (1U << 30U);
  return Duration(
      static_cast<std::int64_t>(-std::log(uniform) * static_cast<double>(mean.count())));
}

void RaftWorld::every(Duration mean, const std::function<void()>& act) {
  if (mean > Duration::zero()) {
    call(now_ + exponential(mean), [this, mean, act] {
      if (faulty_) {
        act();
        every(mean, act);
      }
    });
  }
}

void RaftWorld::start_clients() {
  every(setup_.propose_every, [this] { propose(); });
  every(setup_.read_every, [this] { read(); });
  every(setup_.reconfigure_every, [this] { reconfigure(); });
  every(setup_.transfer_every, [this] { transfer(); });
}

void RaftWorld::start_faults() {
  const auto victim = [this]() -> Machine& {
    return *machines_[static_cast<std::size_t>(fault_dice_.below(machines_.size()))];
  };
  every(setup_.faults.crash_every, [this, victim] {
    Machine& machine = victim();
    crash(machine);
    call(now_ + some(kDownMax), [this, &machine] {
      if (!machine.core && faulty_) {
        boot(machine);
      }
    });
  });
  every(setup_.faults.partition_every, [this] { partition(); });
  every(setup_.faults.pause_every,
        [this, victim] { victim().paused_until = now_ + some(kPauseMax); });
  every(setup_.faults.disk_stall_every,
        [this, victim] { victim().disk_stalled_until = now_ + some(kStallMax); });
}

// One machine cut off, one direction of one path, or the world in two.
void RaftWorld::partition() {
  const std::uint64_t all = (std::uint64_t{1} << machines_.size()) - 1;
  std::uint64_t side = std::uint64_t{1} << fault_dice_.below(machines_.size());
  const auto kind = fault_dice_.below(3);
  if (kind == 2) {
    side = fault_dice_.next() & all;
  }
  std::vector<std::pair<std::size_t, std::uint64_t>> cuts;
  if (kind == 1) {
    cuts.emplace_back(fault_dice_.below(machines_.size()), side);
  } else {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      const bool inside = (side >> i & 1U) != 0;
      cuts.emplace_back(i, inside ? all & ~side : side);
    }
  }
  for (const auto& [machine, deaf] : cuts) {
    machines_[machine]->deaf_to |= deaf;
  }
  call(now_ + some(kCutMax), [this, cuts] {
    for (const auto& [machine, deaf] : cuts) {
      machines_[machine]->deaf_to &= ~deaf;
    }
  });
}

// Somebody who believes to lead; not always the right one.
RaftWorld::Machine* RaftWorld::some_leader() {
  const std::size_t first = client_dice_.below(machines_.size());
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    Machine& machine = *machines_[(first + i) % machines_.size()];
    if (awake(machine) && machine.core->role() == raft::Role::kLeader) {
      return &machine;
    }
  }
  return nullptr;
}

bool RaftWorld::propose() {
  Machine* leader = some_leader();
  if (leader == nullptr) {
    return false;
  }
  std::string data;
  base::append_le(data, totals_.proposed++);
  if (client_dice_.below(16) == 0) {
    data.append(client_dice_.below(400), 'x');
  }
  step(*leader, raft::Propose{.data = base::Bytes(std::move(data)), .ticket = next_ticket_++});
  return true;
}

void RaftWorld::read() {
  Machine* leader = some_leader();
  if (leader == nullptr) {
    return;
  }
  const std::uint64_t ticket = next_ticket_++;
  leader->reads[ticket] = {
      .floor = chronicle_->last_committed(), .asked = now_, .applied = leader->machined.applied};
  step(*leader, raft::ReadIndex{.ticket = ticket});
}

void RaftWorld::transfer() {
  Machine* leader = some_leader();
  if (leader == nullptr) {
    return;
  }
  const ReplicaId to = pick(leader->core->membership().voters.ids(), client_dice_);
  if (to != leader->id) {
    chronicle_->transfer_asked(leader->core->term(), leader->core->log().last());
    step(*leader, raft::TransferTo{.replica = to});
  }
}

std::optional<ConfChange> RaftWorld::draw_change(const raft::ConfState& conf) {
  if (!conf.voters_outgoing.empty()) {
    return conf.auto_leave ? std::nullopt : std::optional(ConfChange{});
  }
  Prng& dice = client_dice_;
  const auto transition =
      dice.below(2) == 0 ? Transition::kJointImplicit : Transition::kJointExplicit;
  const std::size_t members = conf.voters.size() + conf.learners.size();
  switch (dice.below(5)) {
    case 0:
      if (members < kMembersMax && machines_.size() < kMachinesMax) {
        Machine& fresh = add_machine();
        boot(fresh);
        return ConfChange{.transition = Transition::kAuto,
                          .changes = {{ChangeKind::kAddLearner, fresh.id}}};
      }
      break;
    case 1:
      if (!conf.learners.empty()) {
        return ConfChange{.transition = Transition::kAuto,
                          .changes = {{ChangeKind::kAddVoter, pick(conf.learners, dice)}}};
      }
      break;
    case 2:
      if (!conf.learners.empty()) {
        return ConfChange{.transition = transition,
                          .changes = {{ChangeKind::kAddVoter, pick(conf.learners, dice)},
                                      {ChangeKind::kRemove, pick(conf.voters, dice)}}};
      }
      break;
    case 3:
      if (conf.voters.size() > kVotersMin) {
        return ConfChange{.transition = Transition::kAuto,
                          .changes = {{ChangeKind::kRemove, pick(conf.voters, dice)}}};
      }
      break;
    default:
      if (!conf.learners.empty()) {
        return ConfChange{.transition = transition,
                          .changes = {{ChangeKind::kAddVoter, pick(conf.learners, dice)},
                                      {ChangeKind::kAddLearner, pick(conf.voters, dice)}}};
      }
      break;
  }
  return std::nullopt;
}

void RaftWorld::reconfigure() {
  Machine* leader = some_leader();
  if (leader == nullptr) {
    return;
  }
  if (const auto change = draw_change(leader->core->membership().conf())) {
    step(*leader, raft::ProposeConf{.change = *change, .single = false, .ticket = 0});
  }
}

// It runs, in the newest configuration.
bool RaftWorld::member(const Machine& machine) const {
  const raft::ConfState& conf = chronicle_->conf_at(chronicle_->last_committed());
  return machine.core && (conf.voters.contains(machine.id) || conf.learners.contains(machine.id));
}

// Every member has applied this much.
bool RaftWorld::agreed(Index through) const {
  return std::all_of(machines_.begin(), machines_.end(), [&](const auto& machine) {
    return !member(*machine) || machine->machined.applied >= through;
  });
}

// The tightest windows let one entry pass per round trip: in a slow world a long log takes minutes.
Duration RaftWorld::catching_up() const {
  Index longest = chronicle_->last_committed();
  Index shortest = longest;
  for (const auto& machine : machines_) {
    if (member(*machine)) {
      longest = std::max(longest, machine->core->log().last());
      shortest = std::min(shortest, machine->machined.applied);
    }
  }
  const Duration round_trip =
      2 * (setup_.faults.delay_min + setup_.faults.delay_max) + setup_.faults.disk_max;
  return round_trip * static_cast<std::int64_t>(longest.distance(shortest));
}

bool RaftWorld::converge(Duration within) {
  faulty_ = false;
  const raft::ConfState conf = chronicle_->conf_at(chronicle_->last_committed());
  const ReplicaId dead = fault_dice_.below(2) == 0 ? pick(conf.voters, fault_dice_) : ReplicaId();
  for (const auto& machine : machines_) {
    machine->deaf_to = 0;
    machine->paused_until = std::min(machine->paused_until, now_);
    if (machine->id == dead) {
      crash(*machine);
    } else if (!machine->core) {
      boot(*machine);
    }
  }
  const TimePoint until = now_ + within + catching_up();
  const Index before = chronicle_->last_committed();
  Index more;
  while (now_ < until && broken().empty()) {
    if (Machine* leader = some_leader(); leader != nullptr &&
                                         leader->core->membership().voters.joint() &&
                                         !leader->core->membership().auto_leave) {
      step(*leader, raft::ProposeConf{.change = {}, .single = false, .ticket = 0});
    }
    last_acknowledged_ = Index();
    propose();
    run_for(base::milliseconds(200));
    if (more == Index() && last_acknowledged_ > before) {
      more = last_acknowledged_;
    }
    const bool joint = !chronicle_->conf_at(chronicle_->last_committed()).voters_outgoing.empty();
    if (more != Index() && !joint && agreed(more)) {
      return broken().empty();
    }
  }
  return false;
}

}  // namespace brigade::sim
