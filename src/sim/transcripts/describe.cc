#include "sim/transcripts/describe.h"

#include <array>
#include <set>

namespace brigade::sim {
namespace {

using raft::ReplicaId;

std::string join(const std::set<ReplicaId>& ids) {
  std::string text;
  for (const ReplicaId id : ids) {
    text += (text.empty() ? "" : " ") + std::to_string(id.value());
  }
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "\"";
}

char letter_of(raft::ChangeKind kind) {
  switch (kind) {
    case raft::ChangeKind::kAddVoter:
      return 'v';
    case raft::ChangeKind::kAddLearner:
      return 'l';
    case raft::ChangeKind::kRemove:
      return 'r';
    case raft::ChangeKind::kTouch:
      return 'u';
  }
  return '?';
}

// "Log:t/i" and what else a message carries, in the transcripts' flat form.
struct Flat {
  std::string kind;
  std::uint64_t log_term = 0;
  std::uint64_t index = 0;
  bool reject = false;
  std::uint64_t hint = 0;
  std::uint64_t commit = 0;
  std::string entries;
  std::string snapshot;
};

Flat flatten(const raft::Message& message) {
  Flat flat;
  if (const auto* vote = std::get_if<raft::VoteRequest>(&message.body)) {
    flat.kind = vote->pre ? "MsgPreVote" : "MsgVote";
    flat.log_term = vote->last.term.value();
    flat.index = vote->last.index.value();
  } else if (const auto* answer = std::get_if<raft::VoteReply>(&message.body)) {
    flat.kind = answer->pre ? "MsgPreVoteResp" : "MsgVoteResp";
    flat.reject = answer->reject;
  } else if (const auto* append = std::get_if<raft::Append>(&message.body)) {
    flat.kind = "MsgApp";
    flat.log_term = append->prev.term.value();
    flat.index = append->prev.index.value();
    flat.commit = append->commit.value();
    flat.entries = entries_of(append->entries);
  } else if (const auto* reply = std::get_if<raft::AppendReply>(&message.body)) {
    flat.kind = "MsgAppResp";
    flat.index = reply->index.value();
    flat.reject = reply->reject;
    flat.hint = reply->hint.index.value();
    flat.log_term = reply->reject ? reply->hint.term.value() : 0;
  } else if (const auto* heartbeat = std::get_if<raft::Heartbeat>(&message.body)) {
    flat.kind = "MsgHeartbeat";
    flat.commit = heartbeat->commit.value();
  } else if (std::holds_alternative<raft::HeartbeatReply>(message.body)) {
    flat.kind = "MsgHeartbeatResp";
  } else if (const auto* install = std::get_if<raft::InstallSnapshot>(&message.body)) {
    flat.kind = "MsgSnap";
    flat.snapshot = "\n  Snapshot: " + describe(*install->snapshot);
  } else {
    flat.kind = "MsgTimeoutNow";
  }
  return flat;
}

}  // namespace

std::string describe(const raft::Entry& entry) {
  std::string text =
      std::to_string(entry.id.term.value()) + "/" + std::to_string(entry.id.index.value()) + " ";
  if (entry.kind == raft::EntryKind::kCommand) {
    return text + "EntryNormal " + quoted(entry.data.view());
  }
  text += entry.kind == raft::EntryKind::kChangeOne ? "EntryConfChange" : "EntryConfChangeV2";
  for (const raft::SingleChange& change : entry.change.changes) {
    text += std::string(" ") + letter_of(change.kind) + std::to_string(change.replica.value());
  }
  return text;
}

std::string entries_of(const std::vector<raft::Entry>& entries) {
  if (entries.empty()) {
    return "";
  }
  if (entries.size() == 1) {
    return " Entries:[" + describe(entries.front()) + "]";
  }
  std::string text = " Entries:[";
  for (const raft::Entry& entry : entries) {
    text += "\n  " + describe(entry);
  }
  return text + "\n]";
}

std::string describe(const raft::ConfState& conf) {
  return "Voters:[" + join(conf.voters) + "] VotersOutgoing:[" + join(conf.voters_outgoing) +
         "] Learners:[" + join(conf.learners) + "] LearnersNext:[" + join(conf.learners_next) +
         "] AutoLeave:" + (conf.auto_leave ? "true" : "false");
}

std::string describe(const raft::Snapshot& snapshot) {
  return "Index:" + std::to_string(snapshot.last.index.value()) +
         " Term:" + std::to_string(snapshot.last.term.value()) +
         " ConfState:" + describe(snapshot.conf);
}

std::string kind_of(const raft::Message& message) {
  return flatten(message).kind;
}

std::string describe(const raft::Message& message) {
  const Flat flat = flatten(message);
  std::string text = std::to_string(message.from.value()) + "->" +
                     std::to_string(message.to.value()) + " " + flat.kind +
                     " Term:" + std::to_string(message.term.value()) +
                     " Log:" + std::to_string(flat.log_term) + "/" + std::to_string(flat.index);
  if (flat.reject) {
    text += " Rejected (Hint: " + std::to_string(flat.hint) + ")";
  }
  if (flat.commit != 0) {
    text += " Commit:" + std::to_string(flat.commit);
  }
  return text + flat.entries + flat.snapshot;
}

std::string describe(const raft::Progress& progress) {
  static constexpr std::array<const char*, 3> kStates{"StateProbe", "StateReplicate",
                                                      "StateSnapshot"};
  std::string text = kStates.at(static_cast<std::size_t>(progress.state()));
  text += " match=" + std::to_string(progress.match().value()) +
          " next=" + std::to_string(progress.next().value());
  text += progress.learner() ? " learner" : "";
  text += progress.paused() ? " paused" : "";
  if (progress.pending_snapshot().value() != 0) {
    text += " pendingSnap=" + std::to_string(progress.pending_snapshot().value());
  }
  text += progress.active() ? "" : " inactive";
  if (progress.inflights().count() > 0) {
    text += " inflight=" + std::to_string(progress.inflights().count());
    text += progress.inflights().full() ? "[full]" : "";
  }
  return text;
}

std::string describe(const raft::ProgressMap& map) {
  std::string text;
  for (const auto& [id, progress] : map) {
    text += std::to_string(id.value()) + ": " + describe(progress) + "\n";
  }
  return text;
}

std::string describe(const raft::Membership& membership) {
  std::string text = "voters=(" + join(membership.voters.incoming.voters()) + ")";
  if (membership.voters.joint()) {
    text += "&&(" + join(membership.voters.outgoing.voters()) + ")";
  }
  if (!membership.learners.empty()) {
    text += " learners=(" + join(membership.learners) + ")";
  }
  if (!membership.learners_next.empty()) {
    text += " learners_next=(" + join(membership.learners_next) + ")";
  }
  return text + (membership.auto_leave ? " autoleave" : "");
}

std::string describe(raft::Role role) {
  static constexpr std::array<const char*, 4> kRoles{"StateFollower", "StatePreCandidate",
                                                     "StateCandidate", "StateLeader"};
  return kRoles.at(static_cast<std::size_t>(role));
}

}  // namespace brigade::sim
