// What a replica does in office: taking and leaving it, the home desk's authority, rotation.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/coverage.h"
#include "node/replica.h"

namespace brigade::node {
namespace {

constexpr base::Duration kHomeRoundEvery = base::milliseconds(100);
// A rotation that must wait is tried again this often.
constexpr base::Duration kLeaveAgain = base::milliseconds(200);
// Quanta that were called in are looked for this often.
constexpr base::Duration kCallInAgain = base::milliseconds(10);

}  // namespace

void Replica::on_role(const raft::RoleChange& role, Instant now) {
  if (role.role != raft::Role::kLeader || role.term != term_) {
    leave_office();
  }
  term_ = role.term;
  if (role.role == raft::Role::kLeader) {
    leader_since_ = now.slow;
    take_office(now);
  }
}

void Replica::take_office(Instant now) {
  if (steward_ || core_.role() != raft::Role::kLeader ||
      core_.log().applied() < core_.first_of_term()) {
    return;
  }
  // It counts only directly before our own first entry: else its leader may have gone on since.
  const bool counts = handover_ && (handover_->index.next() == core_.first_of_term() ||
                                    config_.timing.plant == Plant::kStaleHandover);
  const Handover* handover = counts ? &handover_->command : nullptr;
  steward_.emplace(config_.shard, config_.timing, store_, handover, now.slow);
  home_.emplace(store_,
                HomeTerm{.begins = core_.first_of_term().value(),
                         .handover = handover,
                         .drift = config_.timing.drift,
                         .plant = config_.timing.plant},
                now);
  next_home_round_ = now.slow;
  // Not at once: it was handed over by one that had not heard yet that this node drains.
  next_rotation_ = leaving_ ? now.slow + kLeaveAgain : term_end(now);
  answer_held(now);
}

base::TimePoint Replica::term_end(Instant now) const {
  return config_.bms_term > base::Duration::zero() ? now.slow + config_.bms_term : base::kNever;
}

NodeId Replica::hint() const {
  return node_of(core_.leader() ? core_.leader() : successor_);
}

void Replica::leave_office() {
  refuse_waiting();
  steward_.reset();
  home_.reset();
  work_.clear();
  next_rotation_ = base::kNever;
  rotation_ = Rotation::kNone;
  auto proposed = std::exchange(proposed_, {});
  auto accepted = std::exchange(accepted_, {});
  for (const auto& [ticket, proposal] : proposed) {
    refuse(proposal, true);
  }
  for (const auto& [index, proposal] : accepted) {
    refuse(proposal, true);
  }
  const NodeId leader = hint();
  for (const auto& [taken, take] : strict_) {
    sends_.push_back(
        {.to = taken.from,
         .message = Told{.ticket = taken.ticket, .elsewhere = true, .leader = leader}});
  }
  for (const auto& [taken, settle] : std::exchange(settles_, {})) {
    sends_.push_back(
        {.to = taken.from,
         .message = SettleTold{.ticket = taken.ticket, .elsewhere = true, .leader = leader}});
  }
  for (const auto& [who, ask] : std::exchange(held_, {})) {
    sends_.push_back({.to = who.first,
                      .message = Told{.ticket = ask.ticket, .elsewhere = true, .leader = leader}});
  }
  strict_.clear();
  strict_in_flight_ = false;
  rounds_.clear();
  home_round_open_ = false;
  successor_ = raft::ReplicaId();
}

// ---- the home desk's authority ----

void Replica::run_home(Instant now) {
  const bool wanted = home_->wanted(now) || !held_.empty();
  if (wanted && !home_round_open_ && now.slow >= next_home_round_ && rotation_ == Rotation::kNone) {
    const std::uint64_t ticket = next_ticket_++;
    rounds_[ticket] = {.token = 0, .started = now, .ready = {}};
    home_round_open_ = true;
    next_home_round_ = now.slow + kHomeRoundEvery;
    core_.step(raft::ReadIndex{.ticket = ticket}, now.slow);
    home_->sweep(now);
  }
  if (!held_.empty() && home_->in_authority(now)) {
    answer_held(now);
  }
}

void Replica::answer_held(Instant now) {
  for (const auto& [who, ask] : std::exchange(held_, {})) {
    decide_or_hold(who.first, ask, now);
  }
}

void Replica::finish_reads(Instant now) {
  for (auto it = rounds_.begin(); it != rounds_.end();) {
    const Round round = it->second;
    if (!round.ready || core_.log().applied() < *round.ready || !steward_) {
      ++it;
      continue;
    }
    it = rounds_.erase(it);
    if (round.token == 0) {
      home_round_open_ = false;
      home_->confirmed(round.started, now);
    } else {
      steward_->read_ready(round.token, now.slow, work_);
    }
  }
}

// ---- planned rotation ----

std::optional<raft::ReplicaId> Replica::successor() const {
  // The next voter in order that is fit and not far behind.
  const auto ids = core_.membership().voters.ids();
  std::vector<raft::ReplicaId> order(ids.upper_bound(core_.self()), ids.end());
  order.insert(order.end(), ids.begin(), ids.lower_bound(core_.self()));
  for (const raft::ReplicaId id : order) {
    const auto progress = core_.membership().progress.find(id);
    if (!unfit_.contains(node_of(id)) && progress != core_.membership().progress.end() &&
        progress->second.active() && progress->second.match() >= core_.log().committed()) {
      return id;
    }
  }
  return std::nullopt;
}

void Replica::move_on(Instant now) {
  leaving_ = true;
  if (steward_) {
    next_rotation_ = now.slow;
  }
}

void Replica::stay(Instant now) {
  leaving_ = false;
  if (steward_) {
    next_rotation_ = term_end(now);
  }
}

void Replica::rotate(Instant now) {
  if (rotation_ == Rotation::kTransferring && !core_.transferring()) {
    COVERED("a transfer of leadership failed");
    cancel_rotation(now);
  }
  if (rotation_ != Rotation::kNone || now.slow < next_rotation_ || home_->ahead().in_flight()) {
    return;
  }
  const bool possible = successor() && !core_.changing_conf();
  if (possible && !home_->call_in(now)) {
    // The next leader would know nothing of the quanta that are out; decisions go on meanwhile.
    next_rotation_ = now.slow + kCallInAgain;
    return;
  }
  // No other entry may follow a Handover: a change of configuration goes first.
  const bool soon = leaving_ || core_.changing_conf();
  next_rotation_ = soon ? now.slow + kLeaveAgain : term_end(now);
  if (possible) {
    begin_rotation(now);
  }
}

void Replica::begin_rotation(Instant now) {
  Handover handover = steward_->hand_over(now.slow);
  home_->hand_over(handover, now);
  rotation_ = Rotation::kHandingOver;
  propose(std::move(handover),
          {.submitted = {}, .takes = {}, .term = {}, .opens = {}, .rotation = true}, now);
}

void Replica::rotation_applied(const Command& command, Instant now) {
  if (std::holds_alternative<CancelHandover>(command)) {
    rotation_ = Rotation::kNone;
    successor_ = raft::ReplicaId();
    steward_->resume();
    home_->resume(now);
    answer_held(now);
    return;
  }
  const auto next = successor();
  if (!next) {
    cancel_rotation(now);
    return;
  }
  rotation_ = Rotation::kTransferring;
  successor_ = *next;
  core_.step(raft::TransferTo{.replica = *next}, now.slow);
}

void Replica::cancel_rotation(Instant now) {
  rotation_ = Rotation::kCancelling;
  if (config_.timing.plant == Plant::kResumeUncancelled) {
    rotation_applied(CancelHandover{}, now);
    return;
  }
  propose(CancelHandover{},
          {.submitted = {}, .takes = {}, .term = {}, .opens = {}, .rotation = true}, now);
}

void Replica::rotation_refused(Instant now) {
  if (rotation_ == Rotation::kCancelling) {
    rotation_ = Rotation::kTransferring;  // tried again in the next turn
  } else if (rotation_ == Rotation::kHandingOver) {
    // It is in no log: nobody can ever believe it.
    rotation_applied(CancelHandover{}, now);
  }
}

}  // namespace brigade::node
