#include "raft/core.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"

namespace brigade::raft {

void Actions::clear() {
  sends.clear();
  persist.reset();
  apply.clear();
  accepted.clear();
  refused.clear();
  reads.clear();
  reads_refused.clear();
  role.reset();
  notes.clear();
}

Core::Core(Config config, base::Prng dice, const Restored& restored, TimePoint now)
    : config_(config),
      dice_(dice),
      now_(now),
      hard_(restored.hard),
      log_(restored.snapshot, restored.entries, restored.hard.commit, restored.applied),
      hold_votes_until_(now + (config.hold_votes_after_start ? config.election_min : Duration(0))),
      elapsed_since_(now),
      heartbeat_since_(now) {
  auto members = restore(restored.snapshot.conf, log_.last(),
                         Inflights(config_.inflight_max, config_.inflight_bytes_max));
  if (members) {
    members_ = std::move(members).value();
  }
  // Configurations take effect when applied: those between the snapshot and `applied` did before.
  for (Index i = log_.first(); i <= log_.applied() && i <= log_.last(); i = i.next()) {
    if (log_.at(i).kind != EntryKind::kCommand) {
      on(SwitchConf{.index = i});
    }
  }
  applying_ = log_.applied();
  hard_.commit = log_.committed();
  persisted_ = hard_;
  become_follower(hard_.term, ReplicaId());
  told_ = {.role = role_, .term = hard_.term, .leader = leader_};
}

void Core::step(const Input& input, TimePoint now) {
  BRIGADE_CHECK(now >= now_);
  now_ = now;
  std::visit([this](const auto& one) { on(one); }, input);
}

void Core::send(ReplicaId to, Body body) {
  send_at(to, hard_.term, std::move(body));
}

void Core::send_at(ReplicaId to, Term term, Body body) {
  const bool promises =
      std::holds_alternative<VoteReply>(body) || std::holds_alternative<AppendReply>(body);
  Message message{.from = config_.self, .to = to, .term = term, .body = std::move(body)};
  // A reply that promises something rests on records that may not be durable yet.
  if (promises && config_.plant != Plant::kAckBeforeDurable) {
    after_.push_back(std::move(message));
  } else {
    BRIGADE_CHECK(to != config_.self || config_.plant == Plant::kAckBeforeDurable);
    sends_.push_back(std::move(message));
  }
}

void Core::note(const char* event, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  outbox_.notes.push_back({.event = event, .a = a, .b = b, .c = c});
}

void Core::on(const Message& message) {
  const bool reply = std::holds_alternative<VoteReply>(message.body) ||
                     std::holds_alternative<AppendReply>(message.body) ||
                     std::holds_alternative<HeartbeatReply>(message.body);
  if (reply && message.from != config_.self && !members_.progress.contains(message.from)) {
    note("reply-from-stranger", message.from.value());
    return;
  }
  if (!screen_term(message)) {
    return;
  }
  if (const auto* vote = std::get_if<VoteRequest>(&message.body)) {
    on_vote_request(message, *vote);
  } else if (const auto* answer = std::get_if<VoteReply>(&message.body)) {
    on_vote_reply(message, *answer);
  } else if (const auto* append = std::get_if<Append>(&message.body)) {
    on_append(message.from, *append);
  } else if (const auto* accepted = std::get_if<AppendReply>(&message.body)) {
    on_append_reply(message.from, *accepted);
  } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message.body)) {
    on_heartbeat(message.from, *heartbeat);
  } else if (const auto* beat = std::get_if<HeartbeatReply>(&message.body)) {
    on_heartbeat_reply(message.from, *beat);
  } else if (const auto* install = std::get_if<InstallSnapshot>(&message.body)) {
    on_snapshot(message.from, *install);
  } else if (const auto* offer = std::get_if<TimeoutNow>(&message.body)) {
    on_timeout_now(*offer);
  }
}

void Core::on(const Timeout&) {
  if (role_ == Role::kLeader) {
    if (now_ - elapsed_since_ >= config_.election_min) {
      elapsed_since_ = now_;
      if (config_.check_quorum) {
        check_quorum();
      }
      if (role_ == Role::kLeader) {
        abort_transfer();
      }
    }
    if (role_ == Role::kLeader && now_ - heartbeat_since_ >= config_.heartbeat) {
      // On a grid that all groups of a node share: they beat in one turn, and what goes to one
      // node leaves together.
      heartbeat_since_ = base::grid_before(now_, config_.heartbeat);
      broadcast_heartbeat();
    }
  } else if (promotable() && now_ - elapsed_since_ >= election_timeout_) {
    elapsed_since_ = now_;
    hup(false);
  }
}

std::optional<TimePoint> Core::next_deadline() const {
  if (role_ == Role::kLeader) {
    return std::min(elapsed_since_ + config_.election_min, heartbeat_since_ + config_.heartbeat);
  }
  if (!promotable()) {
    return std::nullopt;
  }
  return elapsed_since_ + election_timeout_;
}

void Core::on(const Campaign&) {
  hup(false);
}

void Core::on(const Propose& input) {
  Entry entry{.kind = EntryKind::kCommand, .data = input.data};
  if (role_ != Role::kLeader || !members_.progress.contains(config_.self) || transferee_ ||
      !append_entry(std::move(entry), input.ticket)) {
    outbox_.refused.push_back({.ticket = input.ticket});
    return;
  }
  broadcast_append();
}

void Core::on(const ProposeConf& input) {
  if (role_ != Role::kLeader || !members_.progress.contains(config_.self) || transferee_) {
    outbox_.refused.push_back({.ticket = input.ticket});
    return;
  }
  propose_conf(input.change, input.single ? EntryKind::kChangeOne : EntryKind::kChange,
               input.ticket);
}

void Core::on(const ReadIndex& input) {
  start_read(input.ticket);
}

void Core::on(const ForgetLeader&) {
  if (role_ == Role::kFollower && leader_ && !config_.lease_reads) {
    note("forget-leader", leader_.value());
    leader_ = ReplicaId();
  }
}

void Core::on(const Stored& input) {
  if (input.term > hard_.term) {
    return;
  }
  // After a newer term's truncation the same indexes may hold other entries: only the match by term
  // and a report from this very term count (etcd's "append ABA race").
  if (input.term == hard_.term && input.last.index != Index()) {
    log_.durable_to(input.last);
  }
  if (input.snapshot != Index()) {
    log_.snapshot_durable(input.snapshot);
    on(Applied{.index = input.snapshot});
  }
}

void Core::on(const SwitchConf& input) {
  if (input.index < log_.first() || input.index > log_.last()) {
    return;
  }
  const Entry& entry = log_.at(input.index);
  const Changer changer(members_, log_.last(),
                        Inflights(config_.inflight_max, config_.inflight_bytes_max));
  if (entry.kind == EntryKind::kCommand) {
    return;
  }
  if (auto next = changer.apply(entry.change)) {
    switch_membership(std::move(next).value());
  } else {
    note("conf-change-impossible", input.index.value());
  }
}

void Core::on(const Applied& input) {
  const Index index = std::max(input.index, log_.applied());
  std::size_t bytes = 0;
  for (Index i = std::max(log_.applied().next(), log_.first()); i <= index && i <= log_.last();
       i = i.next()) {
    bytes += log_.at(i).data.size();
  }
  uncommitted_bytes_ -= std::min(uncommitted_bytes_, bytes);
  log_.apply_to(index);
  applying_ = std::max(applying_, index);
  if (members_.auto_leave && index >= pending_conf_ && role_ == Role::kLeader && !transferee_) {
    note("leave-joint");
    propose_conf(ConfChange{}, EntryKind::kChange, 0);
  }
}

void Core::on(const SnapshotTaken& input) {
  if (input.index > log_.applied() && input.index > applying_) {
    return;
  }
  const auto term = log_.term(input.index);
  if (!term) {
    return;
  }
  log_.snapshot_taken(
      std::make_shared<const Snapshot>(Snapshot{.last = {.term = *term, .index = input.index},
                                                .conf = members_.conf(),
                                                .state = input.state}));
}

void Core::on(const CompactTo& input) {
  log_.compact(std::min({input.index, log_.applied(), log_.snapshot()->last.index}));
}

bool Core::committed_in_term() const {
  return log_.term(log_.committed()).value_or(Term()) == hard_.term;
}

bool Core::pending() const {
  const RoleChange role{.role = role_, .term = hard_.term, .leader = leader_};
  const bool apply =
      !log_.has_incoming_snapshot() &&
      applying_ <
          std::min(log_.committed(), config_.apply_before_durable ? log_.last() : log_.durable());
  const HardState hard{.term = hard_.term, .vote = hard_.vote, .commit = log_.committed()};
  return !sends_.empty() || !after_.empty() || log_.has_unoffered() ||
         log_.has_unoffered_snapshot() || hard != persisted_ || apply || role != told_ ||
         !outbox_.accepted.empty() || !outbox_.refused.empty() || !outbox_.reads.empty() ||
         !outbox_.reads_refused.empty();
}

void Core::flush(Actions& out) {
  const auto move_all = [](auto& from, auto& to) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    from.clear();
  };
  const RoleChange role{.role = role_, .term = hard_.term, .leader = leader_};
  if (role != told_) {
    out.role = told_ = role;
  }
  // Applying is decided before storage is asked: what becomes durable by this flush counts only
  // where the driver persists first.
  const Index ready = config_.apply_before_durable ? log_.last() : log_.durable();
  Persist persist{.entries = log_.take_unoffered(), .snapshot = log_.take_unoffered_snapshot()};
  const HardState hard{.term = hard_.term, .vote = hard_.vote, .commit = log_.committed()};
  if (hard != persisted_) {
    persist.hard = hard;
    if (config_.plant == Plant::kForgetVote) {
      persist.hard->vote = ReplicaId();
    }
  }
  persist.sync = !persist.entries.empty() || hard.term != persisted_.term ||
                 hard.vote != persisted_.vote || persist.snapshot != nullptr;
  persisted_ = hard;
  persist.then = std::move(after_);
  after_.clear();
  if (log_.has_volatile() || persist.snapshot) {
    persist.acknowledge =
        Stored{.term = hard_.term,
               .last = log_.has_volatile() ? log_.last_id() : EntryId{},
               .snapshot = persist.snapshot ? persist.snapshot->last.index : Index()};
  }
  if (persist.hard || !persist.entries.empty() || persist.snapshot || !persist.then.empty()) {
    out.persist = std::move(persist);
  }
  if (!log_.has_incoming_snapshot() && applying_ < std::min(ready, log_.committed())) {
    auto entries =
        log_.slice(applying_.next(), std::min(ready, log_.committed()), config_.apply_bytes_max);
    applying_ = entries.back().id.index;
    move_all(entries, out.apply);
  }
  move_all(sends_, out.sends);
  move_all(outbox_.accepted, out.accepted);
  move_all(outbox_.refused, out.refused);
  move_all(outbox_.reads, out.reads);
  move_all(outbox_.reads_refused, out.reads_refused);
  move_all(outbox_.notes, out.notes);
}

void Core::check_invariants() const {
  log_.check_invariants();
  BRIGADE_CHECK(applying_ >= log_.applied() || log_.has_incoming_snapshot());
  BRIGADE_CHECK(role_ != Role::kLeader || leader_ == config_.self);
  for (const ReplicaId id : members_.learners) {
    BRIGADE_CHECK(!members_.voters.incoming.voters().contains(id));
  }
  if (role_ == Role::kLeader) {
    for (const auto& [id, progress] : members_.progress) {
      BRIGADE_CHECK(progress.match() < progress.next());
      BRIGADE_CHECK(progress.match() <= log_.last());
    }
  }
}

}  // namespace brigade::raft
