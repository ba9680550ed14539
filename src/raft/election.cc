// Terms, roles and votes (paper 5.1, 5.2, 5.4.1; thesis 9.6 pre-vote, 4.2.3 stickiness, 3.10
// transfer).

#include "base/coverage.h"
#include "raft/core.h"

namespace brigade::raft {

bool Core::sticky() const {
  const bool hears_leader =
      config_.check_quorum && leader_ && now_ - elapsed_since_ < config_.election_min;
  return hears_leader || now_ < hold_votes_until_;
}

bool Core::screen_term(const Message& message) {
  if (message.term < hard_.term) {
    answer_stale(message);
    return false;
  }
  if (message.term == hard_.term) {
    return true;
  }
  const auto* request = std::get_if<VoteRequest>(&message.body);
  if (request != nullptr && !request->transfer && sticky()) {
    COVERED("a voter that hears from a leader ignores a candidate");
    note("vote-ignored", message.from.value(), message.term.value());
    return false;
  }
  if (request != nullptr && request->pre) {
    return true;  // a pre-vote never moves our term
  }
  const auto* reply = std::get_if<VoteReply>(&message.body);
  if (reply != nullptr && reply->pre && !reply->reject) {
    return true;  // granted for the term that we would have
  }
  const bool leads = std::holds_alternative<Append>(message.body) ||
                     std::holds_alternative<Heartbeat>(message.body) ||
                     std::holds_alternative<InstallSnapshot>(message.body);
  become_follower(message.term, leads ? message.from : ReplicaId());
  return true;
}

void Core::answer_stale(const Message& message) {
  const bool leads = std::holds_alternative<Append>(message.body) ||
                     std::holds_alternative<Heartbeat>(message.body);
  const auto* request = std::get_if<VoteRequest>(&message.body);
  if (leads && (config_.check_quorum || config_.pre_vote)) {
    // A leader cut off for a while never hears of our term otherwise: we do not campaign against
    // it, and it would ignore our votes.
    COVERED("a stale leader is told of the newer term");
    send(message.from, AppendReply{});
  } else if (request != nullptr && request->pre) {
    send(message.from, VoteReply{.pre = true, .reject = true});
  }
}

void Core::reset(Term term) {
  if (hard_.term != term) {
    hard_.term = term;
    hard_.vote = ReplicaId();
  }
  leader_ = ReplicaId();
  elapsed_since_ = now_;
  heartbeat_since_ = now_;
  election_timeout_ = dice_.between(config_.election_min, config_.election_max);
  abort_transfer();
  votes_.clear();
  for (auto& [id, progress] : members_.progress) {
    progress =
        Progress(log_.last().next(), Inflights(config_.inflight_max, config_.inflight_bytes_max),
                 progress.learner());
    if (id == config_.self) {
      progress.set_match(log_.last());
    }
  }
  pending_conf_ = Index();
  first_of_term_ = Index();
  uncommitted_bytes_ = 0;
  refuse_reads();
}

void Core::become_follower(Term term, ReplicaId leader) {
  reset(term);
  leader_ = leader;
  role_ = Role::kFollower;
  note("follower", term.value(), leader.value());
}

void Core::become_pre_candidate() {
  // Neither term nor vote moves: a pre-candidate has promised nothing.
  votes_.clear();
  leader_ = ReplicaId();
  role_ = Role::kPreCandidate;
  note("pre-candidate", hard_.term.value());
}

void Core::become_candidate() {
  reset(Term(hard_.term.value() + 1));
  hard_.vote = config_.self;
  role_ = Role::kCandidate;
  note("candidate", hard_.term.value());
}

void Core::become_leader() {
  reset(hard_.term);
  leader_ = config_.self;
  role_ = Role::kLeader;
  Progress& mine = members_.progress.at(config_.self);
  mine.become_replicate();
  mine.set_active(true);
  // Conservatively: some entry in our log may be an unapplied change.
  pending_conf_ = log_.last();
  first_of_term_ = log_.last().next();
  note("leader", hard_.term.value());
  append_entry(Entry{}, 0);  // paper 8: commits what earlier terms left
}

bool Core::promotable() const {
  const auto mine = members_.progress.find(config_.self);
  return mine != members_.progress.end() && !mine->second.learner() &&
         !log_.has_incoming_snapshot();
}

void Core::hup(bool transfer) {
  if (role_ == Role::kLeader || !promotable()) {
    return;
  }
  // Two leaders in one term are possible when a committed change is not in force here yet
  // (etcd-io/raft 456).
  if (config_.plant != Plant::kCampaignWithPendingConf &&
      log_.has_conf_change(log_.applied(), log_.committed())) {
    COVERED("no campaign while a committed configuration change is not applied");
    return;
  }
  campaign(config_.pre_vote && !transfer, transfer);
}

void Core::on_timeout_now(const TimeoutNow& offer) {
  // An offer that was late: the leader gave it up and went on. Taking it now would unseat a leader
  // that may be serving on the strength of a quorum's promise to ignore candidates.
  if (log_.last_id().term == hard_.term && log_.last() > offer.last) {
    COVERED("a transfer that was taken back is ignored");
    return;
  }
  if (role_ == Role::kFollower) {
    hup(true);
  }
}

void Core::campaign(bool pre, bool transfer) {
  if (pre) {
    become_pre_candidate();
  } else {
    become_candidate();
  }
  const Term term(hard_.term.value() + (pre ? 1 : 0));
  for (const ReplicaId voter : members_.voters.ids()) {
    if (voter == config_.self) {
      // Our own vote counts once it is durable, like anybody's.
      send_at(voter, term, VoteReply{.pre = pre});
    } else {
      send_at(voter, term, VoteRequest{.pre = pre, .transfer = transfer, .last = log_.last_id()});
    }
  }
}

void Core::on_vote_request(const Message& message, const VoteRequest& request) {
  const bool may_vote = hard_.vote == message.from || (!hard_.vote && !leader_) ||
                        (request.pre && message.term > hard_.term);
  if (may_vote && log_.up_to_date(request.last)) {
    // The answer carries the term asked for: the asker of a pre-vote ignores lower ones.
    send_at(message.from, message.term, VoteReply{.pre = request.pre});
    if (!request.pre) {
      elapsed_since_ = now_;
      hard_.vote = message.from;
    }
    // A pre-vote refreshes nothing (hashicorp/raft 609).
  } else {
    const Index committed = log_.committed();
    send(message.from, VoteReply{.pre = request.pre,
                                 .reject = true,
                                 .committed = {.term = log_.term(committed).value_or(Term()),
                                               .index = committed}});
  }
}

// A leader that applied its own removal may be the only one left that knows it committed, with the
// longest log: the others then ask for its vote in the old configuration, for ever (etcd 12359).
// What it says of committed entries that we have too is true whoever says it.
bool Core::learn_committed(const EntryId& committed) {
  if (committed.index <= log_.committed() || !log_.matches(committed)) {
    return false;
  }
  COVERED("a candidate learns from a refusal what is committed");
  log_.commit_to(committed.index);
  return log_.has_conf_change(log_.applied(), log_.committed());
}

void Core::on_vote_reply(const Message& message, const VoteReply& reply) {
  const bool counts_anyway = config_.plant == Plant::kPreVoteCountsAsVote;
  const bool mine = (role_ == Role::kCandidate && (!reply.pre || counts_anyway)) ||
                    (role_ == Role::kPreCandidate && reply.pre);
  if (!mine) {
    return;  // an answer to an earlier campaign
  }
  if (reply.reject && learn_committed(reply.committed)) {
    become_follower(hard_.term, ReplicaId());  // this campaign is under a configuration of the past
    return;
  }
  votes_.emplace(message.from, !reply.reject);
  switch (members_.voters.result(votes_)) {
    case VoteResult::kWon:
      if (role_ == Role::kPreCandidate) {
        campaign(false, false);
      } else {
        become_leader();
        broadcast_append();
      }
      break;
    case VoteResult::kLost:
      become_follower(hard_.term, ReplicaId());
      break;
    case VoteResult::kPending:
      break;
  }
}

}  // namespace brigade::raft
