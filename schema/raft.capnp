@0xf582854d4264c959;
# What replicas of one Raft group say to each other.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("brigade::schema");

struct EntryId {
  term @0 :UInt64;
  index @1 :UInt64;
}

enum ChangeKind {
  addVoter @0;
  addLearner @1;
  remove @2;
  touch @3;
}

enum Transition {
  auto @0;
  jointImplicit @1;
  jointExplicit @2;
}

struct ConfChange {
  transition @0 :Transition;
  changes @1 :List(Single);

  struct Single {
    kind @0 :ChangeKind;
    replica @1 :UInt64;
  }
}

struct Entry {
  term @0 :UInt64;
  index @1 :UInt64;
  union {
    command @2 :Data;
    changeOne @3 :ConfChange;
    change @4 :ConfChange;
  }
}

struct ConfState {
  voters @0 :List(UInt64);
  votersOutgoing @1 :List(UInt64);
  learners @2 :List(UInt64);
  learnersNext @3 :List(UInt64);
  autoLeave @4 :Bool;
}

struct Snapshot {
  last @0 :EntryId;
  conf @1 :ConfState;
  state @2 :Data;
}

struct RaftMessage {
  from @0 :UInt64;
  to @1 :UInt64;
  term @2 :UInt64;
  union {
    voteRequest @3 :VoteRequest;
    voteReply @4 :VoteReply;
    append @5 :Append;
    appendReply @6 :AppendReply;
    heartbeat @7 :Heartbeat;
    heartbeatReply @8 :HeartbeatReply;
    installSnapshot @9 :Snapshot;
    timeoutNow @10 :UInt64;  # the last index of the log that leadership goes with
  }

  struct VoteRequest {
    pre @0 :Bool;
    transfer @1 :Bool;
    lastTerm @2 :UInt64;
    lastIndex @3 :UInt64;
  }
  struct VoteReply {
    pre @0 :Bool;
    reject @1 :Bool;
    committedTerm @2 :UInt64;
    committedIndex @3 :UInt64;
  }
  struct Append {
    prevTerm @0 :UInt64;
    prevIndex @1 :UInt64;
    commit @2 :UInt64;
    entries @3 :List(Entry);
  }
  struct AppendReply {
    index @0 :UInt64;
    reject @1 :Bool;
    hintTerm @2 :UInt64;
    hintIndex @3 :UInt64;
  }
  struct Heartbeat {
    commit @0 :UInt64;
    read @1 :UInt64;
  }
  struct HeartbeatReply {
    read @0 :UInt64;
  }
}
