#include "node/replica.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"

namespace brigade::node {

Replica::Replica(ReplicaConfig config, const Codec& codec, base::Prng dice,
                 const ReplicaState& state, Instant now)
    : config_(config),
      codec_(codec),
      core_(config_.raft, dice, state.raft, now.slow),
      store_(config_.shard, config_.shards, config_.timing.plant),
      ferry_(config_.shard, config_.snapshot_part) {
  BRIGADE_CHECK(state.records.empty() || store_.restore(state.records));
  if (core_.log().applied() != raft::Index()) {
    // Slow followers may need what was compacted away: the state as of now stands for it.
    mark_snapshot(now);
  }
}

void Replica::step(const raft::Input& input, Instant now) {
  core_.step(input, now.slow);
}

void Replica::persisted(std::vector<raft::Persist> persists, Instant now) {
  for (raft::Persist& persist : persists) {
    for (const raft::Message& message : persist.then) {
      if (message.to == core_.self()) {
        core_.step(message, now.slow);
      }
    }
    if (persist.acknowledge) {
      core_.step(*persist.acknowledge, now.slow);
      if (persist.acknowledge->snapshot != raft::Index()) {
        mark_snapshot(now);  // its bytes are needed no more
      }
    }
  }
}

void Replica::on(NodeId from, const OpenAsk& ask) {
  steward_->on(from, ask, work_);
}

void Replica::on(NodeId from, const Renew& renew, Instant now) {
  steward_->on(from, renew, now.slow, work_);
}

void Replica::on(NodeId from, const ShrunkNotice& notice) {
  steward_->on(from, notice, work_);
}

void Replica::expire_overrides(std::int64_t wall_ms) {
  if (steward_) {
    steward_->expire_overrides(wall_ms, work_);
  }
}

void Replica::on(NodeId from, const Submit& submit, Instant now) {
  Command command = submit.command;
  const Stamp stamp = steward_->stamp(now.slow);
  if (auto* configure = std::get_if<Configure>(&command)) {
    configure->stamp = stamp;
  } else if (auto* returned = std::get_if<ReturnSession>(&command)) {
    returned->stamp = stamp;
  } else if (auto* remove = std::get_if<RemoveNode>(&command)) {
    remove->stamp = stamp;
  } else if (std::holds_alternative<ChangeShares>(command) ||
             std::holds_alternative<StrictBatch>(command) ||
             std::holds_alternative<ReclaimSession>(command) ||
             std::holds_alternative<SpendAhead>(command) ||
             std::holds_alternative<Handover>(command) ||
             std::holds_alternative<OpenLedger>(command) ||
             std::holds_alternative<CloseLedger>(command) ||
             std::holds_alternative<CancelHandover>(command)) {
    COVERED("a command that only a leader may issue is refused");
    sends_.push_back(
        {.to = from,
         .message = Submitted{.ticket = submit.ticket, .outcome = {.applied = Applied::kRefused}}});
    return;
  }
  propose(std::move(command),
          {.submitted = Origin{.from = from, .ticket = submit.ticket},
           .takes = {},
           .term = {},
           .opens = {}},
          now);
}

void Replica::on(NodeId from, const Ask& ask, Instant now) {
  const bool holds = !serves() || rotation_ != Rotation::kNone;
  if (!holds) {
    decide_or_hold(from, ask, now);
  } else if (held_.size() < kHeldMax) {
    held_.insert_or_assign({from, ask.ticket}, ask);
  }
}

void Replica::on(NodeId from, const QuantumAsk& ask, Instant now) {
  if (rotation_ != Rotation::kNone || !home_->in_authority(now)) {
    return;
  }
  const Quantum quantum = home_->lend(from, ask, now);
  if (!ask.closing) {
    sends_.push_back({.to = from, .message = quantum, .expires = home_->until()});
  }
}

void Replica::decide_or_hold(NodeId from, const Ask& ask, Instant now) {
  const ConfigRecord* config = store_.limit(ask.ledger.limit);
  if (config != nullptr && config->spec.mode == bucket::Mode::kStrict) {
    const Tokens floor = config->spec.burst.scaled(config->spec.reserved(ask.priority), 1000);
    strict_.emplace_back(Taken{.from = from, .ticket = ask.ticket},
                         StrictTake{.ledger = ask.ledger,
                                    .id = ask.id,
                                    .cost = ask.cost,
                                    .floor = floor,
                                    .peek = ask.peek,
                                    .reserve = ask.reserve,
                                    .holder = ask.ticket});
    return;
  }
  if (store_.key_ledgers() > 0 && store_.ledger(ask.ledger) != nullptr) {
    passed_on_.emplace_back(from, ask);
    return;
  }
  home_->want(now);
  if (!home_->in_authority(now) || home_->letting_go(ask.ledger)) {
    if (held_.size() < kHeldMax) {
      held_.insert_or_assign({from, ask.ticket}, ask);
    }
    return;
  }
  decide_home(from, ask, now);
}

void Replica::on(NodeId from, const SettleAsk& ask, Instant now) {
  const ConfigRecord* config = store_.limit(ask.ledger.limit);
  const bool strict = config != nullptr && config->spec.mode == bucket::Mode::kStrict;
  if (!strict) {
    home_->want(now);
  }
  const bool ready = strict ? settles_.size() < kHeldMax : home_->in_authority(now);
  if (rotation_ != Rotation::kNone || !ready) {
    sends_.push_back({.to = from,
                      .message = SettleTold{
                          .ticket = ask.ticket, .unknown = true, .leader = node_of(core_.self())}});
    return;
  }
  if (strict) {
    settles_.emplace_back(
        Taken{.from = from, .ticket = ask.ticket},
        StrictSettle{
            .ledger = ask.ledger, .id = ask.id, .actual = ask.actual, .holder = ask.holder});
    return;
  }
  sends_.push_back({.to = from, .message = home_->settle(ask, now)});
}

// ---- proposals ----

void Replica::propose(Command command, Proposal proposal, Instant now) {
  if (rotation_ != Rotation::kNone && !proposal.rotation) {
    refuse(proposal, false);  // nothing may follow a Handover
    if (proposal.opens) {
      home_->keep(*proposal.opens, now);
    }
    return;
  }
  if (const auto* configure = std::get_if<Configure>(&command)) {
    proposal.held = home_->begin_change(*configure);
  }
  const std::uint64_t ticket = next_ticket_++;
  proposal.term = core_.term();
  proposed_.emplace(ticket, std::move(proposal));
  core_.step(raft::Propose{.data = base::Bytes(codec_.encode(command)), .ticket = ticket},
             now.slow);
}

void Replica::refuse(const Proposal& proposal, bool unknown) {
  const NodeId leader = hint();
  if (proposal.submitted) {
    sends_.push_back({.to = proposal.submitted->from,
                      .message = Submitted{.ticket = proposal.submitted->ticket,
                                           .elsewhere = !unknown,
                                           .unknown = unknown,
                                           .leader = leader}});
  }
  for (const Taken& take : proposal.takes) {
    sends_.push_back(
        {.to = take.from,
         .message = Told{
             .ticket = take.ticket, .elsewhere = !unknown, .unknown = unknown, .leader = leader}});
  }
  for (const Taken& one : proposal.settles) {
    sends_.push_back(
        {.to = one.from,
         .message = SettleTold{
             .ticket = one.ticket, .elsewhere = !unknown, .unknown = unknown, .leader = leader}});
  }
  if (home_) {
    home_->end_change(proposal.held);
  }
  strict_in_flight_ = strict_in_flight_ && proposal.takes.empty() && proposal.settles.empty();
  if (proposal.ahead) {
    refuse_waiting();
  }
}

void Replica::answer(const Proposal& proposal, const Outcome& outcome) {
  if (proposal.submitted) {
    sends_.push_back(
        {.to = proposal.submitted->from,
         .message = Submitted{.ticket = proposal.submitted->ticket, .outcome = outcome}});
  }
  for (std::size_t i = 0; i < proposal.takes.size() && i < outcome.answers.size(); ++i) {
    const StrictAnswer& one = outcome.answers[i];
    Told told{.ticket = proposal.takes[i].ticket,
              .verdict = one.admitted ? Verdict::kAdmitted : Verdict::kRefused,
              .remaining = one.remaining,
              .retry_after = one.retry_after,
              .again = one.applied == Applied::kDuplicate};
    if (one.applied == Applied::kRefused) {
      told.verdict = Verdict::kUnknownLimit;
    } else if (one.applied == Applied::kExpired) {
      told.verdict = Verdict::kBadRequest;
    }
    sends_.push_back({.to = proposal.takes[i].from, .message = told});
  }
  for (std::size_t i = 0; i < proposal.settles.size() && i < outcome.settled.size(); ++i) {
    sends_.push_back({.to = proposal.settles[i].from,
                      .message = SettleTold{.ticket = proposal.settles[i].ticket,
                                            .settled = outcome.settled[i]}});
  }
  if (!proposal.takes.empty() || !proposal.settles.empty()) {
    strict_in_flight_ = false;
  }
}

bool Replica::open_ledger(const LedgerId& id, Account account, Instant now) {
  const ConfigRecord* config = store_.limit(id.limit);
  if (!serves() || rotation_ != Rotation::kNone || !home_->in_authority(now) || config == nullptr ||
      home_->letting_go(id) || store_.ledger(id) != nullptr ||
      store_.key_ledgers() >= TokenStore::kMaxKeyLedgers) {
    return false;
  }
  const auto level = home_->let_go(id, now);
  if (!level) {
    return false;
  }
  OpenLedger command{.stamp = steward_->stamp(now.slow),
                     .ledger = id,
                     .created = config->created,
                     .account = account,
                     .level = *level};
  Proposal proposal;
  proposal.opens = id;
  propose(std::move(command), std::move(proposal), now);
  return true;
}

void Replica::flush_strict(Instant now) {
  if (strict_in_flight_ || (strict_.empty() && settles_.empty()) || rotation_ != Rotation::kNone) {
    return;
  }
  StrictBatch batch{.stamp = steward_->stamp(now.slow)};
  Proposal proposal;
  while (!strict_.empty() && batch.takes.size() < kBatchMax) {
    proposal.takes.push_back(strict_.front().first);
    StrictTake take = std::move(strict_.front().second);
    take.issued = batch.stamp;
    batch.takes.push_back(std::move(take));
    strict_.pop_front();
  }
  while (!settles_.empty() && batch.settles.size() < kBatchMax) {
    proposal.settles.push_back(settles_.front().first);
    batch.settles.push_back(std::move(settles_.front().second));
    settles_.pop_front();
  }
  strict_in_flight_ = true;
  propose(std::move(batch), std::move(proposal), now);
}

// ---- applying ----

void Replica::apply_one(const raft::Entry& entry, Instant now) {
  uncompacted_bytes_ += entry.data.size();
  if (handover_ && handover_->index.next() < entry.id.index &&
      config_.timing.plant != Plant::kStaleHandover) {
    handover_.reset();
  }
  Proposal ours;
  if (const auto mine = accepted_.find(entry.id.index); mine != accepted_.end()) {
    ours = std::move(mine->second);
    accepted_.erase(mine);
    if (ours.term != entry.id.term) {
      COVERED("another leader's entry took our proposal's place");
      refuse(ours, false);
      ours = Proposal{};
    }
  }
  if (entry.kind != raft::EntryKind::kCommand) {
    switch_conf(entry, now);
    return;
  }
  if (entry.data.empty()) {
    return;  // a leader's first entry
  }
  Command command;
  if (!codec_.decode(entry.data.view(), command)) {
    // Every replica fails alike on the same bytes: an entry of a newer version changes nothing.
    answer(ours, {.applied = Applied::kRefused, .reason = "unknown command"});
    return;
  }
  const std::size_t ledgers = store_.ledgers().size();
  const Outcome outcome = store_.apply(entry.id.index.value(), command);
  answer(ours, outcome);
  if (ours.rotation) {
    rotation_applied(command, now);
  }
  if (ours.ahead) {
    spent_ahead(command, outcome, now);
  }
  if (auto* handover = std::get_if<Handover>(&command)) {
    handover_ = LastHandover{.index = entry.id.index, .command = std::move(*handover)};
    return;
  }
  if (steward_) {
    steward_->applied(entry.id.index.value(), command, outcome, now.slow, work_);
  }
  if (home_ && std::holds_alternative<Configure>(command)) {
    home_->follow(now);
    home_->end_change(ours.held);
  } else if (home_ && store_.ledgers().size() != ledgers) {
    home_->follow_ledgers(now);
  }
  if (ours.opens && home_) {
    home_->keep(*ours.opens, now);  // it was refused; else there is nothing left to keep
  }
}

void Replica::apply(const std::vector<raft::Entry>& entries, Instant now, Actions& out) {
  if (entries.empty()) {
    return;
  }
  for (const raft::Entry& entry : entries) {
    apply_one(entry, now);
  }
  const raft::Index last = entries.back().id.index;
  core_.step(raft::Applied{.index = last}, now.slow);
  GroupWrite& group = write(out);
  auto records = store_.take_writes();
  group.records.insert(group.records.end(), std::make_move_iterator(records.begin()),
                       std::make_move_iterator(records.end()));
  group.applied = last.value();
  if (std::exchange(conf_changed_, false)) {
    mark_snapshot(now);  // an older one would not name those who are new
  }
  take_office(now);
}

void Replica::restore(const raft::Snapshot& snapshot) {
  std::vector<StateRecord> records;
  // Checked before Raft got to see it.
  const bool unpacked = unpack_records(snapshot.state.view(), codec_, records);
  BRIGADE_CHECK(unpacked && store_.restore(records));
  (void)store_.take_writes();
}

GroupWrite& Replica::write(Actions& out) {
  const auto mine = std::find_if(out.writes.begin(), out.writes.end(),
                                 [&](const GroupWrite& one) { return one.shard == config_.shard; });
  return mine != out.writes.end()
             ? *mine
             : out.writes.emplace_back(GroupWrite{.shard = config_.shard, .replica = core_.self()});
}

// ---- turns ----

void Replica::do_work(Instant now) {
  std::vector<Command> proposals = std::move(work_.proposals);
  std::vector<Send> sends = std::move(work_.sends);
  std::vector<std::uint64_t> reads = std::move(work_.reads);
  work_.clear();
  for (Command& command : proposals) {
    propose(std::move(command), {}, now);
  }
  for (Send& send : sends) {
    sends_.push_back(std::move(send));
  }
  for (const std::uint64_t token : reads) {
    const std::uint64_t ticket = next_ticket_++;
    rounds_[ticket] = {.token = token, .started = now, .ready = {}};
    core_.step(raft::ReadIndex{.ticket = ticket}, now.slow);
  }
}

void Replica::hear_core(Instant now, Actions& out) {
  for (raft::Message& message : raft_.sends) {
    if (std::holds_alternative<raft::InstallSnapshot>(message.body)) {
      send_snapshot(message, now);
      continue;
    }
    const NodeId to = node_of(message.to);
    out.raft.push_back({.to = to, .shard = config_.shard, .message = std::move(message)});
  }
  for (const raft::Accepted& one : raft_.accepted) {
    if (auto node = proposed_.extract(one.ticket)) {
      node.mapped().term = one.id.term;
      accepted_.insert_or_assign(one.id.index, std::move(node.mapped()));
    }
  }
  for (const raft::Refused& one : raft_.refused) {
    if (auto node = proposed_.extract(one.ticket)) {
      refuse(node.mapped(), false);
      if (node.mapped().opens && home_) {
        home_->keep(*node.mapped().opens, now);
      }
      if (node.mapped().rotation) {
        rotation_refused(now);
      }
    }
  }
  for (const raft::ReadReady& one : raft_.reads) {
    if (const auto round = rounds_.find(one.ticket); round != rounds_.end()) {
      round->second.ready = one.index;
    }
  }
  for (const raft::ReadRefused& one : raft_.reads_refused) {
    if (auto node = rounds_.extract(one.ticket)) {
      home_round_open_ = home_round_open_ && node.mapped().token != 0;
      if (steward_ && node.mapped().token != 0) {
        steward_->read_refused(node.mapped().token);
      }
    }
  }
  out.notes.insert(out.notes.end(), raft_.notes.begin(), raft_.notes.end());
  if (raft_.role) {
    on_role(*raft_.role, now);
  }
}

void Replica::keep(raft::Persist persist, Actions& out) {
  GroupWrite& group = write(out);
  if (persist.snapshot) {
    COVERED("a replica starts over from a snapshot");
    restore(*persist.snapshot);
    group.replace = true;
    group.records.clear();
    for (StateRecord& record : store_.records()) {
      const std::string key = record_key(record);
      group.records.push_back({.key = key, .dropped = false, .record = std::move(record)});
    }
    group.applied = persist.snapshot->last.index.value();
    group.compacted = {.last = persist.snapshot->last, .conf = persist.snapshot->conf};
  }
  group.persists.push_back(std::move(persist));
}

void Replica::flush_core(Instant now, Actions& out) {
  while (core_.pending()) {
    raft_.clear();
    core_.flush(raft_);
    hear_core(now, out);
    if (raft_.persist) {
      keep(std::move(*raft_.persist), out);
    }
    const std::vector<raft::Entry> entries = std::move(raft_.apply);
    apply(entries, now, out);
  }
}

void Replica::settle(Instant now, Actions& out) {
  const auto due = core_.next_deadline();
  if (due && now.slow >= *due) {
    core_.step(raft::Timeout{}, now.slow);
  }
  run_ferry(now);
  // Bounded: each pass either hands consensus new input or ends.
  for (int pass = 0; pass < 8; ++pass) {
    flush_core(now, out);
    finish_reads(now);
    if (steward_) {
      steward_->tick(now.slow, work_);
      do_work(now);
      flush_strict(now);
      run_home(now);
      flush_ahead(now);
      rotate(now);
    }
    if (!core_.pending()) {
      break;
    }
  }
  compact(now, out);
  flush_core(now, out);
  for (Send& send : sends_) {
    out.sends.push_back(std::move(send));
  }
  sends_.clear();
}

base::TimePoint Replica::next_deadline(Instant now) const {
  base::TimePoint next =
      std::min(core_.next_deadline().value_or(base::kNever), ferry_.next_deadline());
  if (steward_) {
    next = std::min(next, steward_->next_deadline());
  }
  if (steward_ && rotation_ == Rotation::kNone) {
    next = std::min(next, ahead_deadline(now));
    if (home_->wanted(now) && !home_round_open_) {
      next = std::min(next, next_home_round_);
    }
  }
  return next;
}

// ---- views ----

ReplicaReport Replica::report(Instant now) const {
  ReplicaReport view{.shard = config_.shard,
                     .term = core_.term().value(),
                     .leads = steward_.has_value(),
                     .commit = core_.log().committed().value(),
                     .applied = core_.log().applied().value()};
  if (steward_) {
    view.leader_for = now.slow - leader_since_;
  }
  const raft::JointQuorum& quorum = core_.membership().voters;
  for (const raft::ReplicaId id : quorum.incoming.voters()) {
    view.voters.push_back(node_of(id));
  }
  for (const raft::ReplicaId id : quorum.outgoing.voters()) {
    if (!quorum.incoming.voters().contains(id)) {
      view.outgoing.push_back(node_of(id));
    }
  }
  for (const raft::ReplicaId id : core_.membership().learners) {
    view.learners.push_back(node_of(id));
  }
  return view;
}

std::vector<PoolReport> Replica::pools(Instant now) const {
  std::vector<PoolReport> views;
  if (!steward_) {
    return views;
  }
  for (const auto& [id, ledger] : store_.ledgers()) {
    if (id.key != KeyHash{}) {
      continue;  // of one key among many
    }
    const FairnessMeter::Figures fairness = steward_->fairness(id);
    views.push_back({.ledger = id,
                     .rate = ledger.pool().rate,
                     .size = ledger.pool().size,
                     .level = ledger.level_at(steward_->stamp(now.slow)),
                     .effective_rate = ledger.effective_rate(),
                     .effective_burst = ledger.effective_burst(),
                     .jain = fairness.jain,
                     .max_min_gap = fairness.max_min_gap});
  }
  return views;
}

void Replica::check_invariants() const {
  core_.check_invariants();
  store_.check_invariants();
  if (home_) {
    home_->check_invariants();
  }
}

}  // namespace brigade::node
