#include "raft/membership.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace brigade::raft {

using base::Error;
using base::Result;
using base::Status;

ConfState Membership::conf() const {
  return {.voters = voters.incoming.voters(),
          .voters_outgoing = voters.outgoing.voters(),
          .learners = learners,
          .learners_next = learners_next,
          .auto_leave = auto_leave};
}

bool Membership::voter(ReplicaId id) const {
  return voters.incoming.voters().contains(id) || voters.outgoing.voters().contains(id);
}

void Changer::make_voter(Membership& to, ReplicaId id) const {
  const auto known = to.progress.find(id);
  if (known == to.progress.end()) {
    Progress fresh(std::max(last_index_, Index(1)), inflights_, false);
    // Without this a quorum check right after the change could depose the leader.
    fresh.set_active(true);
    to.progress.emplace(id, fresh);
  } else {
    known->second.set_learner(false);
  }
  to.learners.erase(id);
  to.learners_next.erase(id);
  to.voters.incoming.voters().insert(id);
}

void Changer::make_learner(Membership& to, ReplicaId id) const {
  const auto known = to.progress.find(id);
  if (known == to.progress.end()) {
    Progress fresh(std::max(last_index_, Index(1)), inflights_, true);
    fresh.set_active(true);
    to.progress.emplace(id, fresh);
    to.learners.insert(id);
    return;
  }
  if (known->second.learner()) {
    return;
  }
  Progress kept = known->second;
  remove(to, id);
  // A voter of the outgoing half stays one until the joint configuration is left.
  if (to.voters.outgoing.voters().contains(id)) {
    to.learners_next.insert(id);
  } else {
    kept.set_learner(true);
    to.learners.insert(id);
  }
  to.progress.insert_or_assign(id, kept);
}

void Changer::remove(Membership& to, ReplicaId id) {
  if (!to.progress.contains(id)) {
    return;
  }
  to.voters.incoming.voters().erase(id);
  to.learners.erase(id);
  to.learners_next.erase(id);
  if (!to.voters.outgoing.voters().contains(id)) {
    to.progress.erase(id);
  }
}

Status Changer::apply_all(Membership& to, std::span<const SingleChange> changes) const {
  for (const SingleChange& change : changes) {
    if (!change.replica) {
      continue;
    }
    switch (change.kind) {
      case ChangeKind::kAddVoter:
        make_voter(to, change.replica);
        break;
      case ChangeKind::kAddLearner:
        make_learner(to, change.replica);
        break;
      case ChangeKind::kRemove:
        remove(to, change.replica);
        break;
      case ChangeKind::kTouch:
        break;
    }
  }
  if (to.voters.incoming.voters().empty()) {
    return Error{"removed all voters"};
  }
  return base::ok();
}

Result<Membership> Changer::simple(std::span<const SingleChange> changes) const {
  if (current_.voters.joint()) {
    return Error{"can't apply simple config change in joint config"};
  }
  Membership next = current_;
  if (auto status = apply_all(next, changes); !status) {
    return status.error();
  }
  const auto& before = current_.voters.incoming.voters();
  const auto& after = next.voters.incoming.voters();
  std::vector<ReplicaId> changed;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                std::back_inserter(changed));
  if (changed.size() > 1) {
    return Error{"more than one voter changed without entering joint config"};
  }
  return next;
}

Result<Membership> Changer::enter_joint(bool auto_leave,
                                        std::span<const SingleChange> changes) const {
  if (current_.voters.joint()) {
    return Error{"config is already joint"};
  }
  if (current_.voters.incoming.voters().empty()) {
    return Error{"can't make a zero-voter config joint"};
  }
  Membership next = current_;
  next.voters.outgoing = next.voters.incoming;
  if (auto status = apply_all(next, changes); !status) {
    return status.error();
  }
  next.auto_leave = auto_leave;
  return next;
}

Result<Membership> Changer::leave_joint() const {
  if (!current_.voters.joint()) {
    return Error{"can't leave a non-joint config"};
  }
  Membership next = current_;
  for (const ReplicaId id : next.learners_next) {
    next.learners.insert(id);
    next.progress.at(id).set_learner(true);
  }
  next.learners_next.clear();
  for (const ReplicaId id : next.voters.outgoing.voters()) {
    if (!next.voters.incoming.voters().contains(id) && !next.learners.contains(id)) {
      next.progress.erase(id);
    }
  }
  next.voters.outgoing = Majority();
  next.auto_leave = false;
  return next;
}

Result<Membership> Changer::apply(const ConfChange& change) const {
  if (change.leaves_joint()) {
    return leave_joint();
  }
  if (change.enters_joint()) {
    return enter_joint(change.transition != Transition::kJointExplicit, change.changes);
  }
  return simple(change.changes);
}

Result<Membership> restore(const ConfState& conf, Index last_index, const Inflights& inflights) {
  std::vector<SingleChange> outgoing;
  std::vector<SingleChange> incoming;
  for (const ReplicaId id : conf.voters_outgoing) {
    outgoing.push_back({ChangeKind::kAddVoter, id});
    incoming.push_back({ChangeKind::kRemove, id});
  }
  for (const ReplicaId id : conf.voters) {
    incoming.push_back({ChangeKind::kAddVoter, id});
  }
  for (const ReplicaId id : conf.learners) {
    incoming.push_back({ChangeKind::kAddLearner, id});
  }
  for (const ReplicaId id : conf.learners_next) {
    incoming.push_back({ChangeKind::kAddLearner, id});
  }
  // One by one: a simple change moves at most one voter.
  Membership current;
  for (const SingleChange& change : outgoing.empty() ? incoming : outgoing) {
    auto next = Changer(current, last_index, inflights).simple(std::span(&change, 1));
    if (!next) {
      return next.error();
    }
    current = std::move(next).value();
  }
  if (outgoing.empty()) {
    return current;
  }
  return Changer(current, last_index, inflights).enter_joint(conf.auto_leave, incoming);
}

}  // namespace brigade::raft
