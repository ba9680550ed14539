// What a follower does with a leader's messages (paper 5.3, 7).
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "raft/core.h"

namespace brigade::raft {

// True when `from` is this term's leader and we follow it from here on.
bool Core::heed_leader(ReplicaId from) {
  if (role_ == Role::kLeader) {
    // A second leader in our own term cannot be; whoever says so is broken. Do not obey.
    note("rival-leader", from.value());
    return false;
  }
  if (role_ != Role::kFollower) {
    become_follower(hard_.term, from);
  }
  elapsed_since_ = now_;
  leader_ = from;
  return true;
}

void Core::on_append(ReplicaId from, const Append& append) {
  if (!heed_leader(from)) {
    return;
  }
  if (append.prev.index < log_.committed()) {
    send(from, AppendReply{.index = log_.committed()});
    return;
  }
  const Index end = append.prev.index.next(append.entries.size());
  if (log_.try_append(append.prev, append.entries, config_.plant == Plant::kTruncateOnAnyAppend)) {
    // Only what this message verified may be committed (NuRaft 57).
    const Index verified = config_.plant == Plant::kCommitBeyondVerified ? log_.last() : end;
    log_.commit_to(std::min(append.commit, verified));
    send(from, AppendReply{.index = end});
    return;
  }
  COVERED("an append with a gap or conflict is rejected with a hint");
  const EntryId hint =
      log_.conflict_hint(std::min(append.prev.index, log_.last()), append.prev.term);
  send(from, AppendReply{.index = append.prev.index, .reject = true, .hint = hint});
}

void Core::on_heartbeat(ReplicaId from, const Heartbeat& heartbeat) {
  if (!heed_leader(from)) {
    return;
  }
  // The leader cuts this at what we match; a stray one may still be ahead of a log that lost
  // nothing.
  log_.commit_to(std::min(heartbeat.commit, log_.last()));
  send(from, HeartbeatReply{.read = heartbeat.read});
}

void Core::on_snapshot(ReplicaId from, const InstallSnapshot& install) {
  if (!heed_leader(from) || !install.snapshot) {
    return;
  }
  const bool restored = restore_snapshot(install.snapshot);
  send(from, AppendReply{.index = restored ? log_.last() : log_.committed()});
}

bool Core::restore_snapshot(const std::shared_ptr<const Snapshot>& snapshot) {
  if (snapshot->last.index <= log_.committed() || role_ != Role::kFollower) {
    return false;
  }
  // It may well be older than the change that made us a member: that change follows in the log.
  // Refusing it would leave us, and with us a group that waits for us, stuck until the next one.
  const ConfState& conf = snapshot->conf;
  if (log_.matches(snapshot->last)) {
    COVERED("a snapshot of entries that we have only moves the commit index");
    log_.commit_to(snapshot->last.index);
    return false;
  }
  auto members = restore(conf, snapshot->last.index,
                         Inflights(config_.inflight_max, config_.inflight_bytes_max));
  if (!members) {
    note("snapshot-conf-impossible", snapshot->last.index.value());
    return false;
  }
  log_.restore(snapshot);
  switch_membership(std::move(members).value());
  return true;
}

}  // namespace brigade::raft
