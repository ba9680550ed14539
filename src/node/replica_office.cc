// What a replica does in office: taking and leaving it, the home desk's authority, rotation.
#include <algorithm>
#include <utility>

#include "node/replica.h"

namespace brigade::node {
namespace {

constexpr base::Duration kHomeRoundEvery = base::milliseconds(100);

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
  steward_.emplace(config_.shard, config_.timing, store_, now.slow);
  home_.emplace(store_, core_.first_of_term().value(), config_.timing.drift);
  next_home_round_ = now.slow;
  next_rotation_ =
      config_.bms_term > base::Duration::zero() ? now.slow + config_.bms_term : base::kNever;
}

void Replica::leave_office() {
  steward_.reset();
  home_.reset();
  work_.clear();
  next_rotation_ = base::kNever;
  auto proposed = std::exchange(proposed_, {});
  auto accepted = std::exchange(accepted_, {});
  for (const auto& [ticket, proposal] : proposed) {
    refuse(proposal, true);
  }
  for (const auto& [index, proposal] : accepted) {
    refuse(proposal, true);
  }
  const NodeId leader = node_of(core_.leader());
  for (const auto& [taken, take] : strict_) {
    sends_.push_back(
        {.to = taken.from,
         .message = Told{.ticket = taken.ticket, .elsewhere = true, .leader = leader}});
  }
  for (const auto& [from, ask] : home_asks_) {
    sends_.push_back(
        {.to = from, .message = Told{.ticket = ask.ticket, .elsewhere = true, .leader = leader}});
  }
  strict_.clear();
  strict_in_flight_ = false;
  home_asks_.clear();
  rounds_.clear();
  home_round_open_ = false;
}

void Replica::run_home(Instant now, Actions& out) {
  const bool wanted = home_->wanted(now) || !home_asks_.empty();
  if (wanted && !home_round_open_ && now.slow >= next_home_round_ && !core_.transferring()) {
    const std::uint64_t ticket = next_ticket_++;
    rounds_[ticket] = {.token = 0, .started = now, .ready = {}};
    home_round_open_ = true;
    next_home_round_ = now.slow + kHomeRoundEvery;
    core_.step(raft::ReadIndex{.ticket = ticket}, now.slow);
  }
  if (!home_asks_.empty() && home_->in_authority(now)) {
    auto asks = std::exchange(home_asks_, {});
    for (const auto& [from, ask] : asks) {
      out.sends.push_back(
          {.to = from, .message = home_->decide(ask, now), .expires = home_->until()});
    }
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
      home_->confirmed(round.started);
    } else {
      steward_->read_ready(round.token, now.slow, work_);
    }
  }
}

void Replica::rotate(Instant now) {
  if (now.slow < next_rotation_) {
    return;
  }
  next_rotation_ = now.slow + config_.bms_term;
  move_on(now);
}

void Replica::move_on(Instant now) {
  if (!steward_ || core_.transferring()) {
    return;
  }
  // The next voter in order that is not far behind.
  const auto ids = core_.membership().voters.ids();
  std::vector<raft::ReplicaId> order(ids.upper_bound(core_.self()), ids.end());
  order.insert(order.end(), ids.begin(), ids.lower_bound(core_.self()));
  for (const raft::ReplicaId id : order) {
    const auto progress = core_.membership().progress.find(id);
    if (progress != core_.membership().progress.end() && progress->second.active() &&
        progress->second.match() >= core_.log().committed()) {
      home_->suspend(now);
      core_.step(raft::TransferTo{.replica = id}, now.slow);
      return;
    }
  }
}

}  // namespace brigade::node
