// Who belongs to a group, and how that may change: one voter at a time, or through a joint
// configuration (thesis 4.3), applied when committed.
//
// Invariants: learners and voters are disjoint; learners_next is a subset of the outgoing voters; a
// progress exists for exactly the members.
#pragma once

#include <set>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "raft/messages.h"
#include "raft/progress.h"
#include "raft/quorum.h"

namespace brigade::raft {

struct Membership {
  JointQuorum voters;
  std::set<ReplicaId> learners;
  std::set<ReplicaId> learners_next;
  bool auto_leave = false;
  ProgressMap progress;

  [[nodiscard]] ConfState conf() const;
  [[nodiscard]] bool voter(ReplicaId id) const;
};

// Computes a changed membership; the current one stays untouched when the change is refused.
class Changer {
 public:
  // New members start probing at `last_index`; in-flight windows are copies of `inflights`.
  Changer(const Membership& current, Index last_index, Inflights inflights)
      : current_(current), last_index_(last_index), inflights_(std::move(inflights)) {}

  [[nodiscard]] base::Result<Membership> simple(std::span<const SingleChange> changes) const;
  [[nodiscard]] base::Result<Membership> enter_joint(bool auto_leave,
                                                     std::span<const SingleChange> changes) const;
  [[nodiscard]] base::Result<Membership> leave_joint() const;
  // Whichever of the three a change asks for.
  [[nodiscard]] base::Result<Membership> apply(const ConfChange& change) const;

 private:
  base::Status apply_all(Membership& to, std::span<const SingleChange> changes) const;
  void make_voter(Membership& to, ReplicaId id) const;
  void make_learner(Membership& to, ReplicaId id) const;
  static void remove(Membership& to, ReplicaId id);

  const Membership& current_;
  Index last_index_;
  Inflights inflights_;
};

// The membership that a stored configuration describes.
base::Result<Membership> restore(const ConfState& conf, Index last_index,
                                 const Inflights& inflights);

}  // namespace brigade::raft
