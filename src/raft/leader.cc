// Replication, commitment, membership changes and transfer on the leader (paper 5.3, 5.4;
// thesis 3.10, 4.3, 10.2.1).
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "raft/core.h"

namespace brigade::raft {

Progress* Core::followed(ReplicaId id) {
  const auto found = members_.progress.find(id);
  return role_ == Role::kLeader && found != members_.progress.end() ? &found->second : nullptr;
}

bool Core::append_entry(Entry entry, std::uint64_t ticket) {
  const std::size_t bytes = entry.data.size();
  // An empty entry never counts: leaving a joint configuration cannot be refused for its size.
  if (bytes > 0 && uncommitted_bytes_ > 0 &&
      uncommitted_bytes_ + bytes > config_.uncommitted_bytes_max) {
    COVERED("a proposal beyond the uncommitted bound is refused");
    return false;
  }
  uncommitted_bytes_ += bytes;
  entry.id = {.term = hard_.term, .index = log_.last().next()};
  if (ticket != 0) {
    outbox_.accepted.push_back({.ticket = ticket, .id = entry.id});
  }
  std::vector<Entry> entries;
  entries.push_back(std::move(entry));
  log_.append(std::move(entries));
  // We count ourselves only once it is durable here.
  send(config_.self, AppendReply{.index = log_.last()});
  return true;
}

void Core::propose_conf(const ConfChange& change, EntryKind kind, std::uint64_t ticket) {
  const bool pending = pending_conf_ > log_.applied();
  const bool joint = members_.voters.joint();
  const bool leave = change.changes.empty();
  const bool refused = pending || (joint && !leave) || (!joint && leave);
  Entry entry{.kind = kind, .change = change};
  if (refused && config_.check_conf_changes) {
    COVERED("a configuration change that may not start becomes an empty entry");
    entry = Entry{};
    if (ticket != 0) {
      outbox_.refused.push_back({.ticket = ticket});
      ticket = 0;
    }
  } else {
    pending_conf_ = log_.last().next();
  }
  append_entry(std::move(entry), ticket);
  broadcast_append();
}

void Core::broadcast_append() {
  for (const auto& [id, progress] : members_.progress) {
    if (id != config_.self) {
      send_append(id, true);
    }
  }
}

void Core::broadcast_heartbeat() {
  for (auto& [id, progress] : members_.progress) {
    if (id != config_.self) {
      if (config_.snapshot_timeout > Duration::zero() &&
          progress.state() == ProgressState::kSnapshot &&
          now_ - progress.snapshot_since() >= config_.snapshot_timeout) {
        COVERED("a snapshot that nobody acknowledged is given up");
        progress.snapshot_failed();
      }
      const Index commit = std::min(progress.match(), log_.committed());
      send(id, Heartbeat{.commit = commit, .read = reads_.empty() ? 0 : reads_.back().round});
      progress.sent_commit(commit);
    }
  }
}

bool Core::send_append(ReplicaId to, bool even_if_empty) {
  Progress& progress = members_.progress.at(to);
  if (progress.paused()) {
    return false;
  }
  const Index previous = progress.next().previous();
  const auto previous_term = log_.term(previous);
  if (!previous_term) {
    return send_snapshot(to, progress);
  }
  Append append{.prev = {.term = *previous_term, .index = previous}, .commit = log_.committed()};
  // A full window still sends empty appends: if all that filled it was lost, nothing else would
  // ever wake the stream (etcd 14633).
  if (progress.state() != ProgressState::kReplicate || !progress.inflights().full()) {
    append.entries = log_.slice(progress.next(), log_.last(), config_.append_bytes_max);
  }
  if (append.entries.empty() && !even_if_empty) {
    return false;
  }
  progress.sent_entries(append.entries.size(), payload_bytes(append.entries));
  progress.sent_commit(log_.committed());
  send(to, std::move(append));
  return true;
}

bool Core::send_snapshot(ReplicaId to, Progress& progress) {
  const auto& snapshot = log_.snapshot();
  if (!progress.active() || snapshot->last.index == Index()) {
    return false;
  }
  COVERED("a follower behind the compacted log is sent a snapshot");
  progress.become_snapshot(snapshot->last.index, now_);
  note("send-snapshot", to.value(), snapshot->last.index.value());
  send(to, InstallSnapshot{.snapshot = snapshot});
  return true;
}

bool Core::maybe_commit() {
  const auto matched = [this](ReplicaId id) -> std::optional<Index> {
    const auto progress = members_.progress.find(id);
    if (progress == members_.progress.end()) {
      return std::nullopt;
    }
    return progress->second.match();
  };
  const Index index = config_.plant == Plant::kJointByHalf
                          ? members_.voters.incoming.committed(matched)
                          : members_.voters.committed(matched);
  if (index <= log_.committed() || index > log_.last()) {
    return false;
  }
  // Entries of earlier terms are committed only by one of ours after them (paper 5.4.2, figure 8).
  if (log_.term(index) != hard_.term && config_.plant != Plant::kCommitPriorTermByCount) {
    return false;
  }
  log_.commit_to(index);
  return true;
}

void Core::on_append_reply(ReplicaId from, const AppendReply& reply) {
  Progress* const follower = followed(from);
  if (follower == nullptr) {
    return;
  }
  Progress& progress = *follower;
  progress.set_active(true);
  if (!reply.reject) {
    if (reply.index <= log_.last()) {  // a peer cannot match what we never had
      on_accepted_append(from, progress, reply.index);
    }
    return;
  }
  Index probe = reply.hint.index;
  if (reply.hint.term) {
    probe = log_.conflict_hint(std::min(probe, log_.last()), reply.hint.term).index;
  }
  if (progress.decrease(reply.index, probe)) {
    if (progress.state() == ProgressState::kReplicate) {
      progress.become_probe();
    }
    send_append(from, true);
  }
}

void Core::on_accepted_append(ReplicaId from, Progress& progress, Index index) {
  const bool recovers = progress.match() == index && progress.state() == ProgressState::kProbe;
  if (!progress.update(index) && !recovers) {
    return;
  }
  if (progress.state() == ProgressState::kProbe) {
    progress.become_replicate();
  } else if (progress.state() == ProgressState::kSnapshot &&
             progress.match().next() >= log_.first()) {
    progress.become_probe();
    progress.become_replicate();
  } else if (progress.state() == ProgressState::kSnapshot &&
             progress.match() >= progress.pending_snapshot()) {
    // It has what it was sent, and we compacted past that meanwhile: nothing is under way to it, so
    // it is sent the next one at once.
    COVERED("a follower has installed a snapshot that the log has left behind");
    progress.become_probe();
  } else if (progress.state() == ProgressState::kReplicate) {
    progress.inflights().free_through(index);
  }
  if (maybe_commit()) {
    if (committed_in_term() && !early_reads_.empty()) {
      const auto early = std::move(early_reads_);
      early_reads_.clear();
      for (const std::uint64_t ticket : early) {
        start_read(ticket);
      }
    }
    broadcast_append();
  } else if (from != config_.self && progress.can_bump_commit(log_.committed())) {
    send_append(from, true);
  }
  if (from != config_.self) {
    while (send_append(from, false)) {
    }
  }
  if (from == transferee_ && progress.match() == log_.last()) {
    send(from, TimeoutNow{.last = log_.last()});
  }
}

void Core::on_heartbeat_reply(ReplicaId from, const HeartbeatReply& reply) {
  Progress* const follower = followed(from);
  if (follower == nullptr) {
    return;
  }
  Progress& progress = *follower;
  progress.set_active(true);
  progress.pause_flow(false);
  if (progress.match() < log_.last() || progress.state() == ProgressState::kProbe) {
    send_append(from, true);
  }
  if (reply.read != 0 && reply.read <= read_round_) {
    progress.ack_read(config_.plant == Plant::kReadByEarlierRound ? read_round_ : reply.read);
    confirm_reads();
  }
}

bool Core::quorum_active() const {
  Votes votes;
  for (const auto& [id, progress] : members_.progress) {
    if (!progress.learner()) {
      votes.emplace(id, id == config_.self || progress.active());
    }
  }
  return members_.voters.result(votes) == VoteResult::kWon;
}

void Core::check_quorum() {
  if (!quorum_active()) {
    COVERED("a leader without a quorum of recent contact steps down");
    become_follower(hard_.term, ReplicaId());
    return;
  }
  for (auto& [id, progress] : members_.progress) {
    if (id != config_.self) {
      progress.set_active(false);
    }
  }
}

void Core::on(const TransferTo& input) {
  const Progress* const heir = followed(input.replica);
  if (heir == nullptr || heir->learner() || transferee_ == input.replica) {
    return;
  }
  abort_transfer();
  if (input.replica == config_.self) {
    return;
  }
  elapsed_since_ = now_;  // it must be done within one election timeout
  transferee_ = input.replica;
  if (heir->match() == log_.last()) {
    send(input.replica, TimeoutNow{.last = log_.last()});
  } else {
    send_append(input.replica, true);
  }
}

void Core::on(const Unreachable& input) {
  Progress* const progress = followed(input.replica);
  if (progress != nullptr && progress->state() == ProgressState::kReplicate) {
    progress->become_probe();
  }
}

void Core::on(const SnapshotSent& input) {
  Progress* const progress = followed(input.replica);
  if (progress == nullptr || progress->state() != ProgressState::kSnapshot) {
    return;
  }
  if (input.delivered) {
    progress->become_probe();
  } else {
    COVERED("a snapshot that failed is sent again");
    progress->snapshot_failed();
  }
  progress->pause_flow(true);  // until it answers, or for a heartbeat
}

void Core::switch_membership(Membership next) {
  members_ = std::move(next);
  note("membership", members_.voters.incoming.voters().size(),
       members_.voters.outgoing.voters().size(), members_.learners.size());
  const auto mine = members_.progress.find(config_.self);
  if (role_ != Role::kLeader) {
    return;
  }
  if (mine == members_.progress.end() || mine->second.learner()) {
    if (config_.step_down_on_removal) {
      become_follower(hard_.term, ReplicaId());
    }
    return;
  }
  if (maybe_commit()) {
    broadcast_append();
  } else {
    for (const auto& [id, progress] : members_.progress) {
      if (id != config_.self) {
        send_append(id, false);
      }
    }
  }
  if (transferee_ && !members_.voters.ids().contains(transferee_)) {
    abort_transfer();
  }
}

}  // namespace brigade::raft
