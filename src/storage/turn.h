// What one turn of a node makes durable, and what a restart finds again.
//
// Storage knows Raft's log and hard state by their types; identities and records are bytes to it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "raft/core.h"
#include "raft/messages.h"

namespace brigade::storage {

// A record of a group's state machine, under its order-preserving key.
struct Record {
  std::string key;
  std::string value;
  friend bool operator==(const Record&, const Record&) = default;
};
// Puts a record, or erases it when there is no value.
struct RecordWrite {
  std::string key;
  std::optional<std::string> value;
};

// The last entry that the log has forgotten, and the configuration in force right after it. A
// restarted core starts its log behind it.
struct SnapshotMark {
  raft::EntryId last;
  raft::ConfState conf;
  friend bool operator==(const SnapshotMark&, const SnapshotMark&) = default;
};

// A snapshot from a leader (or the first state of a founded group): replaces the whole log and all
// records; `applied` becomes the mark's index.
struct Install {
  SnapshotMark mark;
  std::vector<Record> records;
};

// One group's part of a turn, done in the order of the fields. Several of one group in a turn are
// done one after the other.
struct GroupTurn {
  base::ShardId group;
  // Forgets everything of this group.
  bool drop = false;
  // Its term must be at least that of any entry and mark written until now or in this turn, its
  // commit at most the last entry of this turn.
  std::optional<raft::HardState> hard;
  std::optional<Install> install;
  // Replace everything from the first one's index on. Requires: consecutive indices, the first at
  // most one behind the last entry kept.
  std::vector<raft::Entry> entries;
  // Forgets entries up to the mark. Requires: an index already applied.
  std::optional<SnapshotMark> compact;
  // Changes of the state machine together with the index that they bring it to. They may be held
  // back until a later turn (the log can redo them), but never parted from each other.
  std::vector<RecordWrite> records;
  std::optional<raft::Index> applied;
  // False: a power failure may undo this part, together with everything that was committed after
  // the last part that must last. For what the log can redo, and for how far it is committed.
  bool must_last = true;
};

// A fact about the node itself; an empty value erases it.
struct IdentityWrite {
  std::string name;
  base::Bytes value;
};

struct Turn {
  std::vector<IdentityWrite> identity;
  std::vector<GroupTurn> groups;
};

// What a restarted group needs. `raft` is complete but for snapshot.state, which is always empty:
// the records are that state, as of raft.applied.
struct GroupContents {
  raft::Restored raft;
  std::vector<Record> records;  // in the order of their keys
};

struct Contents {
  std::map<std::string, base::Bytes> identity;
  std::map<base::ShardId, GroupContents> groups;
};

}  // namespace brigade::storage
