// schema/raft.capnp: what replicas of a group say to each other.
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "raft/messages.h"
#include "wire/envelope.h"

namespace brigade::wire {

inline raft::EntryId entry_id(std::uint64_t term, std::uint64_t index, Checks& checks) {
  return {.term = raft::Term(checks.ordinal(term)), .index = raft::Index(checks.ordinal(index))};
}

// ---- log entries ----
template <class Builder>
void put(Pen, Builder to, const raft::SingleChange& change) {
  to.setKind(static_cast<decltype(to.getKind())>(change.kind));
  to.setReplica(change.replica.value());
}
template <class Reader>
void get(Reader from, raft::SingleChange& change, Checks& checks) {
  change.kind = checks.choice(from.getKind(), raft::ChangeKind::kTouch, "membership change");
  change.replica = raft::ReplicaId(from.getReplica());
}

template <class Builder>
void put(Pen pen, Builder to, const raft::ConfChange& change) {
  to.setTransition(static_cast<decltype(to.getTransition())>(change.transition));
  put_each(pen, to.initChanges(size_of(change.changes)), change.changes);
}
template <class Reader>
void get(Reader from, raft::ConfChange& change, Checks& checks) {
  change.transition =
      checks.choice(from.getTransition(), raft::Transition::kJointExplicit, "transition");
  get_each(from.getChanges(), change.changes, checks);
}

template <class Builder>
void put(Pen pen, Builder to, const raft::Entry& entry) {
  to.setTerm(entry.id.term.value());
  to.setIndex(entry.id.index.value());
  switch (entry.kind) {
    case raft::EntryKind::kCommand:
      to.setCommand(blob(entry.data.view()));
      return;
    case raft::EntryKind::kChangeOne:
      return put(pen, to.initChangeOne(), entry.change);
    case raft::EntryKind::kChange:
      return put(pen, to.initChange(), entry.change);
  }
}
template <class Reader>
void get(Reader from, raft::Entry& entry, Checks& checks) {
  using Schema = typename Reader::Reads;
  entry.id = entry_id(from.getTerm(), from.getIndex(), checks);
  switch (from.which()) {
    case Schema::COMMAND:
      entry.kind = raft::EntryKind::kCommand;
      entry.data = base::Bytes(to_blob(from.getCommand()));
      return;
    case Schema::CHANGE_ONE:
      entry.kind = raft::EntryKind::kChangeOne;
      return get(from.getChangeOne(), entry.change, checks);
    case Schema::CHANGE:
      entry.kind = raft::EntryKind::kChange;
      return get(from.getChange(), entry.change, checks);
  }
  checks.refuse_unknown("kind of entry", from.which());
}

// ---- snapshots ----
template <class Builder>
void put(Pen, Builder to, const raft::ConfState& conf) {
  put_ids(to.initVoters(size_of(conf.voters)), conf.voters);
  put_ids(to.initVotersOutgoing(size_of(conf.voters_outgoing)), conf.voters_outgoing);
  put_ids(to.initLearners(size_of(conf.learners)), conf.learners);
  put_ids(to.initLearnersNext(size_of(conf.learners_next)), conf.learners_next);
  to.setAutoLeave(conf.auto_leave);
}
template <class Reader>
void get(Reader from, raft::ConfState& conf, Checks& checks) {
  get_ids(from.getVoters(), conf.voters, checks);
  get_ids(from.getVotersOutgoing(), conf.voters_outgoing, checks);
  get_ids(from.getLearners(), conf.learners, checks);
  get_ids(from.getLearnersNext(), conf.learners_next, checks);
  conf.auto_leave = from.getAutoLeave();
}

template <class Builder>
void put(Pen pen, Builder to, const raft::Snapshot& snapshot) {
  auto last = to.initLast();
  last.setTerm(snapshot.last.term.value());
  last.setIndex(snapshot.last.index.value());
  put(pen, to.initConf(), snapshot.conf);
  to.setState(blob(snapshot.state.view()));
}
template <class Reader>
void get(Reader from, raft::Snapshot& snapshot, Checks& checks) {
  snapshot.last = entry_id(from.getLast().getTerm(), from.getLast().getIndex(), checks);
  get(from.getConf(), snapshot.conf, checks);
  snapshot.state = base::Bytes(to_blob(from.getState()));
}

// ---- bodies ----
template <class Builder>
struct BodyPut {
  Pen pen;
  Builder to;

  void operator()(const raft::VoteRequest& body) {
    auto out = to.initVoteRequest();
    out.setPre(body.pre);
    out.setTransfer(body.transfer);
    out.setLastTerm(body.last.term.value());
    out.setLastIndex(body.last.index.value());
  }
  void operator()(const raft::VoteReply& body) {
    auto out = to.initVoteReply();
    out.setPre(body.pre);
    out.setReject(body.reject);
    out.setCommittedTerm(body.committed.term.value());
    out.setCommittedIndex(body.committed.index.value());
  }
  void operator()(const raft::Append& body) {
    auto out = to.initAppend();
    out.setPrevTerm(body.prev.term.value());
    out.setPrevIndex(body.prev.index.value());
    out.setCommit(body.commit.value());
    put_each(pen, out.initEntries(size_of(body.entries)), body.entries);
  }
  void operator()(const raft::AppendReply& body) {
    auto out = to.initAppendReply();
    out.setIndex(body.index.value());
    out.setReject(body.reject);
    out.setHintTerm(body.hint.term.value());
    out.setHintIndex(body.hint.index.value());
  }
  void operator()(const raft::Heartbeat& body) {
    auto out = to.initHeartbeat();
    out.setCommit(body.commit.value());
    out.setRead(body.read);
  }
  void operator()(const raft::HeartbeatReply& body) { to.initHeartbeatReply().setRead(body.read); }
  // Requires: a snapshot.
  void operator()(const raft::InstallSnapshot& body) {
    put(pen, to.initInstallSnapshot(), *body.snapshot);
  }
  void operator()(const raft::TimeoutNow& body) { to.setTimeoutNow(body.last.value()); }
};

// The entries of an append follow each other and its predecessor, and terms never fall: cores rely
// on it.
inline bool in_sequence(const raft::Append& append) {
  raft::EntryId last = append.prev;
  for (const raft::Entry& entry : append.entries) {
    if (entry.id.index.value() == 0 || entry.id.index != last.index.next() ||
        entry.id.term < last.term) {
      return false;
    }
    last = entry.id;
  }
  return true;
}

template <class Reader>
raft::Append get_append(Reader from, Checks& checks) {
  raft::Append body{.prev = entry_id(from.getPrevTerm(), from.getPrevIndex(), checks),
                    .entries = {},
                    .commit = raft::Index(checks.ordinal(from.getCommit()))};
  get_each(from.getEntries(), body.entries, checks);
  checks.expect(in_sequence(body), "entries out of sequence");
  return body;
}

template <class Reader>
void get_body(Reader from, raft::Body& body, Checks& checks) {
  using Schema = typename Reader::Reads;
  switch (from.which()) {
    case Schema::VOTE_REQUEST: {
      const auto in = from.getVoteRequest();
      body = raft::VoteRequest{.pre = in.getPre(),
                               .transfer = in.getTransfer(),
                               .last = entry_id(in.getLastTerm(), in.getLastIndex(), checks)};
      return;
    }
    case Schema::VOTE_REPLY: {
      const auto in = from.getVoteReply();
      body = raft::VoteReply{
          .pre = in.getPre(),
          .reject = in.getReject(),
          .committed = entry_id(in.getCommittedTerm(), in.getCommittedIndex(), checks)};
      return;
    }
    case Schema::APPEND:
      body = get_append(from.getAppend(), checks);
      return;
    case Schema::APPEND_REPLY: {
      const auto in = from.getAppendReply();
      body = raft::AppendReply{.index = raft::Index(checks.ordinal(in.getIndex())),
                               .reject = in.getReject(),
                               .hint = entry_id(in.getHintTerm(), in.getHintIndex(), checks)};
      return;
    }
    case Schema::HEARTBEAT:
      body = raft::Heartbeat{.commit = raft::Index(checks.ordinal(from.getHeartbeat().getCommit())),
                             .read = from.getHeartbeat().getRead()};
      return;
    case Schema::HEARTBEAT_REPLY:
      body = raft::HeartbeatReply{.read = from.getHeartbeatReply().getRead()};
      return;
    case Schema::INSTALL_SNAPSHOT: {
      auto snapshot = std::make_shared<raft::Snapshot>();
      get(from.getInstallSnapshot(), *snapshot, checks);
      body = raft::InstallSnapshot{.snapshot = std::move(snapshot)};
      return;
    }
    case Schema::TIMEOUT_NOW:
      body = raft::TimeoutNow{.last = raft::Index(checks.ordinal(from.getTimeoutNow()))};
      return;
  }
  checks.refuse_unknown("Raft message", from.which());
}

template <class Builder>
void put(Pen pen, Builder to, const raft::Message& message) {
  to.setFrom(message.from.value());
  to.setTo(message.to.value());
  to.setTerm(message.term.value());
  std::visit(BodyPut<Builder>{pen, to}, message.body);
}
template <class Reader>
void get(Reader from, raft::Message& message, Checks& checks) {
  message.from = raft::ReplicaId(from.getFrom());
  message.to = raft::ReplicaId(from.getTo());
  message.term = raft::Term(checks.ordinal(from.getTerm()));
  get_body(from, message.body, checks);
}

}  // namespace brigade::wire
