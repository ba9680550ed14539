// What a Raft group stores and says.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "raft/ids.h"

namespace brigade::raft {

enum class EntryKind : std::uint8_t { kCommand, kChangeOne, kChange };

enum class ChangeKind : std::uint8_t { kAddVoter, kAddLearner, kRemove, kTouch };
struct SingleChange {
  ChangeKind kind = ChangeKind::kTouch;
  ReplicaId replica;
  friend bool operator==(const SingleChange&, const SingleChange&) = default;
};
enum class Transition : std::uint8_t { kAuto, kJointImplicit, kJointExplicit };
// A membership change (thesis 4.3); no changes at all means "leave the joint configuration".
struct ConfChange {
  Transition transition = Transition::kAuto;
  std::vector<SingleChange> changes;
  friend bool operator==(const ConfChange&, const ConfChange&) = default;

  [[nodiscard]] bool leaves_joint() const {
    return transition == Transition::kAuto && changes.empty();
  }
  [[nodiscard]] bool enters_joint() const {
    return transition != Transition::kAuto || changes.size() > 1;
  }
};

struct Entry {
  EntryId id;
  EntryKind kind = EntryKind::kCommand;
  base::Bytes data;   // kCommand; opaque
  ConfChange change;  // kChangeOne, kChange
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct ConfState {
  std::set<ReplicaId> voters;
  std::set<ReplicaId> voters_outgoing;  // not empty: joint
  std::set<ReplicaId> learners;
  std::set<ReplicaId> learners_next;
  bool auto_leave = false;
  friend bool operator==(const ConfState&, const ConfState&) = default;
};

struct Snapshot {
  EntryId last;  // the last entry that it covers
  ConfState conf;
  base::Bytes state;  // opaque
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

struct HardState {
  Term term;
  ReplicaId vote;
  Index commit;
  friend bool operator==(const HardState&, const HardState&) = default;
};

// ---- messages (Raft paper, figure 2 and section 7; thesis 6.4, 9.6, 3.10) ----

struct VoteRequest {
  bool pre = false;
  bool transfer = false;  // the old leader asked for it: stickiness does not apply
  EntryId last;
};
struct VoteReply {
  bool pre = false;
  bool reject = false;
  EntryId committed;  // rejected: the last entry that the voter knows to be committed
};
struct Append {
  EntryId prev;
  std::vector<Entry> entries;
  Index commit;
};
struct AppendReply {
  Index index;  // matched up to here, or the probe that was rejected
  bool reject = false;
  EntryId hint;  // rejected: where to probe next
};
struct Heartbeat {
  Index commit;            // at most what the follower is known to match
  std::uint64_t read = 0;  // the latest read round that this heartbeat confirms; 0: none
};
struct HeartbeatReply {
  std::uint64_t read = 0;
};
struct InstallSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
};
struct TimeoutNow {
  Index last;  // the end of the leader's log: anything newer from it takes the offer back
};

using Body = std::variant<VoteRequest, VoteReply, Append, AppendReply, Heartbeat, HeartbeatReply,
                          InstallSnapshot, TimeoutNow>;
struct Message {
  ReplicaId from;
  ReplicaId to;
  Term term;
  Body body;
};

}  // namespace brigade::raft
