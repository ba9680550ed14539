#include "sim/transcripts/interaction.h"

#include <algorithm>
#include <utility>

#include "sim/transcripts/describe.h"
#include "sim/transcripts/functions.h"

namespace brigade::sim {
namespace {

using raft::Index;
using raft::ReplicaId;
using raft::Term;

// The transcripts count in ticks: an election timeout is three heartbeats.
constexpr base::Duration kTick = base::milliseconds(100);
constexpr int kElectionTicks = 3;

std::string soft_state(const raft::RoleChange& role) {
  return "Lead:" + std::to_string(role.leader.value()) + " State:" + describe(role.role) + "\n";
}

std::string hard_state(const raft::HardState& hard) {
  std::string text = "HardState Term:" + std::to_string(hard.term.value());
  if (hard.vote) {
    text += " Vote:" + std::to_string(hard.vote.value());
  }
  return text + " Commit:" + std::to_string(hard.commit.value()) + "\n";
}

std::string list_entries(const char* title, const std::vector<raft::Entry>& entries) {
  if (entries.empty()) {
    return "";
  }
  std::string text = std::string(title) + ":\n";
  for (const raft::Entry& entry : entries) {
    text += describe(entry) + "\n";
  }
  return text;
}

std::string indented(const std::string& text, const std::string& indent) {
  std::string out;
  for (const std::string& line : split_lines(text)) {
    out += indent + line + "\n";
  }
  return out;
}

bool flag(const Directive& directive, const std::string& key) {
  return directive.value(key).value_or("false") == "true";
}

std::size_t number(const Directive& directive, const std::string& key, std::size_t otherwise) {
  const auto text = directive.value(key);
  return text ? std::stoull(*text) : otherwise;
}

std::set<ReplicaId> ids_of(const Directive& directive, const std::string& key) {
  std::set<ReplicaId> ids;
  for (const std::string& text : directive.values(key)) {
    ids.insert(ReplicaId(std::stoull(text)));
  }
  return ids;
}

raft::Config config_of(const Directive& directive, ReplicaId self) {
  raft::Config config;
  config.self = self;
  config.election_min = kElectionTicks * kTick;
  config.election_max = (2 * kElectionTicks - 1) * kTick;
  config.heartbeat = kTick;
  config.pre_vote = flag(directive, "prevote");
  config.check_quorum = flag(directive, "checkquorum");
  config.hold_votes_after_start = false;
  config.step_down_on_removal = flag(directive, "step-down-on-removal");
  config.check_conf_changes = !flag(directive, "disable-conf-change-validation");
  config.apply_before_durable = !flag(directive, "async-storage-writes");
  config.lease_reads = directive.value("read-only").value_or("safe") == "lease-based";
  config.inflight_max = number(directive, "inflight", 1U << 30U);
  config.inflight_bytes_max = 0;
  config.append_bytes_max = SIZE_MAX;
  config.apply_bytes_max = number(directive, "max-committed-size-per-ready", SIZE_MAX);
  config.uncommitted_bytes_max = SIZE_MAX / 2;
  return config;
}

}  // namespace

std::string Interaction::run(const Directive& directive) {
  out_.clear();
  indent_.clear();
  if (directive.command == "log-level") {
    const std::string level =
        directive.arguments.empty() ? "debug" : directive.arguments.front().key;
    silent_ = level == "none";
    return "ok\n";
  }
  const bool was_silent = silent_;
  if (const auto level = directive.value("log-level")) {
    silent_ = *level == "none";
  }
  dispatch(directive);
  for (const auto& node : nodes_) {
    node->core->check_invariants();
  }
  const bool quiet = silent_;
  silent_ = was_silent;
  return quiet || out_.empty() ? "ok\n" : out_;
}

void Interaction::dispatch(const Directive& directive) {
  const std::string& command = directive.command;
  const auto first = [&]() -> TranscriptNode& { return *nodes_.at(targets(directive).at(0)); };
  if (command == "add-nodes") {
    add_nodes(directive);
  } else if (command == "campaign") {
    step(first(), raft::Campaign{});
  } else if (command == "propose") {
    propose(directive);
  } else if (command == "propose-conf-change") {
    propose_conf(directive);
  } else if (command == "process-ready") {
    process_ready_all(directive);
  } else if (command == "process-append-thread" || command == "process-apply-thread") {
    process_thread(directive, command == "process-append-thread");
  } else if (command == "deliver-msgs") {
    deliver(directive);
  } else if (command == "stabilize") {
    stabilize(directive);
  } else if (command == "tick-election") {
    tick(directive, kElectionTicks);
  } else if (command == "tick-heartbeat") {
    tick(directive, 1);
  } else if (command == "set-randomized-election-timeout") {
    first().core->set_election_timeout(
        static_cast<int>(number(directive, "timeout", kElectionTicks)) * kTick);
  } else if (command == "compact") {
    compact(directive);
  } else if (command == "send-snapshot") {
    send_snapshot(directive);
  } else if (command == "report-unreachable") {
    const auto ids = targets(directive);
    step(*nodes_.at(ids.at(0)), raft::Unreachable{.replica = ReplicaId(ids.at(1) + 1)});
  } else if (command == "transfer-leadership") {
    step(node_of(ReplicaId(number(directive, "from", 1))),
         raft::TransferTo{.replica = ReplicaId(number(directive, "to", 1))});
  } else if (command == "forget-leader") {
    step(first(), raft::ForgetLeader{});
  } else if (command == "raft-log") {
    raft_log(directive);
  } else if (command == "raft-state") {
    raft_state();
  } else if (command == "status") {
    status(directive);
  } else if (command != "_breakpoint") {
    print("unknown command\n");
  }
}

Interaction::Ids Interaction::targets(const Directive& directive) const {
  Ids ids;
  for (const int id : directive.numbers()) {
    ids.push_back(static_cast<std::size_t>(id) - 1);
  }
  if (ids.empty()) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      ids.push_back(i);
    }
  }
  return ids;
}

void Interaction::print(const std::string& text) {
  out_ += indented(text, indent_);
}

void Interaction::step(TranscriptNode& node, const raft::Input& input) {
  node.core->step(input, node.now);
}

void Interaction::add_nodes(const Directive& directive) {
  const int count = directive.numbers().empty() ? 1 : directive.numbers().front();
  raft::Restored restored;
  restored.snapshot.conf.voters = ids_of(directive, "voters");
  restored.snapshot.conf.learners = ids_of(directive, "learners");
  restored.snapshot.last.index = Index(number(directive, "index", 0));
  if (restored.snapshot.last.index != Index()) {
    restored.snapshot.last.term = Term(1);
  }
  const std::string content = directive.value("content").value_or("");
  restored.snapshot.state = base::Bytes(content);
  restored.hard.commit = restored.applied = restored.snapshot.last.index;
  for (int i = 0; i < count; ++i) {
    auto node = std::make_unique<TranscriptNode>();
    node->id = ReplicaId(nodes_.size() + 1);
    node->async = flag(directive, "async-storage-writes");
    node->stored_after = restored.snapshot.last;
    node->hard = restored.hard;
    node->state = content;
    node->core = std::make_unique<raft::Core>(config_of(directive, node->id),
                                              base::Prng(node->id.value()), restored, node->now);
    nodes_.push_back(std::move(node));
  }
}

void Interaction::propose(const Directive& directive) {
  TranscriptNode& node = *nodes_.at(static_cast<std::size_t>(directive.numbers().at(0)) - 1);
  const std::string data =
      directive.arguments.size() > 1 ? directive.arguments.at(1).key : std::string();
  const bool leads = node.core->role() == raft::Role::kLeader;
  const bool member = node.core->membership().progress.contains(node.id);
  if (!leads || !member || node.core->transferring()) {
    print("raft proposal dropped\n");
    return;
  }
  step(node, raft::Propose{.data = base::Bytes(data)});
}

void Interaction::propose_conf(const Directive& directive) {
  TranscriptNode& node = *nodes_.at(static_cast<std::size_t>(directive.numbers().at(0)) - 1);
  raft::ConfChange change;
  if (!parse_changes(directive.input, change.changes)) {
    print("unknown input\n");
    return;
  }
  const std::string transition = directive.value("transition").value_or("auto");
  change.transition = transition == "implicit"   ? raft::Transition::kJointImplicit
                      : transition == "explicit" ? raft::Transition::kJointExplicit
                                                 : raft::Transition::kAuto;
  if (node.core->role() != raft::Role::kLeader || node.core->transferring() ||
      !node.core->membership().progress.contains(node.id)) {
    print("raft proposal dropped\n");
    return;
  }
  const bool single = directive.has("v1") && directive.value("v1").value_or("true") == "true";
  step(node, raft::ProposeConf{.change = change, .single = single});
}

// ---- what is ready ----

void Interaction::describe_ready(TranscriptNode& node, const raft::Actions& actions) {
  std::string text;
  if (actions.role && soft_state(*actions.role) != node.soft) {
    node.soft = soft_state(*actions.role);
    text += node.soft;
  }
  std::string messages;
  bool must_sync = false;
  if (const auto& persist = actions.persist) {
    if (persist->hard) {
      text += hard_state(*persist->hard);
      must_sync = persist->hard->term != node.hard.term || persist->hard->vote != node.hard.vote;
    }
    must_sync = must_sync || !persist->entries.empty();
    text += list_entries("Entries", persist->entries);
    if (persist->snapshot) {
      text += "Snapshot " + describe(*persist->snapshot) + "\n";
    }
  }
  text += list_entries("CommittedEntries", actions.apply);
  for (const raft::Message& message : actions.sends) {
    messages += describe(message) + "\n";
  }
  if (actions.persist && !node.async) {
    for (const raft::Message& message : actions.persist->then) {
      messages += message.to == node.id ? "" : describe(message) + "\n";
    }
  }
  if (actions.persist && node.async) {
    messages += describe_append(node, *actions.persist, true) + "\n";
  }
  if (!actions.apply.empty() && node.async) {
    messages += describe_apply(node, actions.apply, true) + "\n";
  }
  print("Ready MustSync=" + std::string(must_sync ? "true" : "false") + ":\n" + text +
        (messages.empty() ? "" : "Messages:\n" + messages));
}

void Interaction::process_ready(std::size_t index) {
  TranscriptNode& node = *nodes_.at(index);
  if (!node.core->pending()) {
    print("<empty Ready>\n");
    return;
  }
  raft::Actions actions;
  node.core->flush(actions);
  describe_ready(node, actions);
  for (const raft::Message& message : actions.sends) {
    parcels_.push_back({.to = message.to,
                        .kind = kind_of(message),
                        .text = describe(message),
                        .content = message});
  }
  if (node.async) {
    if (actions.persist) {
      node.append_work.push_back({.persist = *actions.persist});
    }
    if (!actions.apply.empty()) {
      node.apply_work.push_back({.applied = actions.apply});
    }
    return;
  }
  std::vector<raft::Message> mine;
  if (actions.persist) {
    persist(node, *actions.persist);
    for (const raft::Message& message : actions.persist->then) {
      if (message.to == node.id) {
        mine.push_back(message);
      } else {
        parcels_.push_back({.to = message.to,
                            .kind = kind_of(message),
                            .text = describe(message),
                            .content = message});
      }
    }
  }
  apply(node, actions.apply);
  for (const raft::Message& message : mine) {
    step(node, message);
  }
  if (actions.persist && actions.persist->acknowledge) {
    step(node, *actions.persist->acknowledge);
  }
  if (!actions.apply.empty()) {
    step(node, raft::Applied{.index = actions.apply.back().id.index});
  }
}

void Interaction::process_ready_all(const Directive& directive) {
  const Ids ids = targets(directive);
  for (const std::size_t id : ids) {
    if (ids.size() > 1) {
      print("> " + std::to_string(id + 1) + " handling Ready\n");
      indent_ = "  ";
    }
    process_ready(id);
    indent_.clear();
  }
}

void Interaction::persist(TranscriptNode& node, const raft::Persist& work) {
  if (work.hard) {
    node.hard = *work.hard;
  }
  if (work.snapshot) {
    node.stored.clear();
    node.stored_after = work.snapshot->last;
    node.state = std::string(work.snapshot->state.view());
  }
  if (!work.entries.empty()) {
    const Index from = work.entries.front().id.index;
    std::erase_if(node.stored, [&](const raft::Entry& entry) { return entry.id.index >= from; });
    node.stored.insert(node.stored.end(), work.entries.begin(), work.entries.end());
  }
}

void Interaction::apply(TranscriptNode& node, const std::vector<raft::Entry>& entries) {
  for (const raft::Entry& entry : entries) {
    if (entry.kind == raft::EntryKind::kCommand) {
      node.state += std::string(entry.data.view());
    } else {
      step(node, raft::SwitchConf{.index = entry.id.index});
    }
    // The script's snapshots are of the latest applied entry.
    step(node, raft::SnapshotTaken{.index = entry.id.index, .state = base::Bytes(node.state)});
  }
}

// ---- the two threads ----

std::vector<Parcel> Interaction::responses_of(const TranscriptNode& node,
                                              const raft::Persist& work) const {
  std::vector<Parcel> out;
  for (const raft::Message& message : work.then) {
    out.push_back({.to = message.to,
                   .kind = kind_of(message),
                   .local = message.to == node.id,
                   .text = describe(message),
                   .content = message});
  }
  if (work.acknowledge) {
    const raft::Stored& stored = *work.acknowledge;
    std::string text = "AppendThread->" + std::to_string(node.id.value()) +
                       " MsgStorageAppendResp Term:" + std::to_string(stored.term.value()) +
                       " Log:" + std::to_string(stored.last.term.value()) + "/" +
                       std::to_string(stored.last.index.value());
    if (work.snapshot) {
      text += "\n  Snapshot: " + describe(*work.snapshot);
    }
    out.push_back({.to = node.id,
                   .kind = "MsgStorageAppendResp",
                   .local = true,
                   .text = text,
                   .content = stored});
  }
  return out;
}

Parcel Interaction::response_of(const TranscriptNode& node,
                                const std::vector<raft::Entry>& entries) const {
  return {.to = node.id,
          .kind = "MsgStorageApplyResp",
          .local = true,
          .text = "ApplyThread->" + std::to_string(node.id.value()) +
                  " MsgStorageApplyResp Term:0 Log:0/0" + entries_of(entries),
          .content = raft::Applied{.index = entries.back().id.index}};
}

std::string Interaction::describe_append(const TranscriptNode& node, const raft::Persist& work,
                                         bool responses) const {
  const raft::HardState hard = work.hard.value_or(raft::HardState{});
  std::string text = std::to_string(node.id.value()) +
                     "->AppendThread MsgStorageAppend Term:" + std::to_string(hard.term.value()) +
                     " Log:0/0";
  if (hard.commit != Index()) {
    text += " Commit:" + std::to_string(hard.commit.value());
  }
  if (hard.vote) {
    text += " Vote:" + std::to_string(hard.vote.value());
  }
  text += entries_of(work.entries);
  if (work.snapshot) {
    text += "\n  Snapshot: " + describe(*work.snapshot);
  }
  const auto answers = responses_of(node, work);
  if (responses && !answers.empty()) {
    text += " Responses:[\n";
    for (const Parcel& parcel : answers) {
      text += indented(parcel.text, "  ");
    }
    text += "]";
  }
  return text;
}

std::string Interaction::describe_apply(const TranscriptNode& node,
                                        const std::vector<raft::Entry>& entries,
                                        bool responses) const {
  std::string text = std::to_string(node.id.value()) +
                     "->ApplyThread MsgStorageApply Term:0 Log:0/0" + entries_of(entries);
  if (responses) {
    text += " Responses:[\n" + indented(response_of(node, entries).text, "  ") + "]";
  }
  return text;
}

void Interaction::process_append(std::size_t index) {
  TranscriptNode& node = *nodes_.at(index);
  if (node.append_work.empty()) {
    print("no append work to perform\n");
    return;
  }
  const Work work = std::move(node.append_work.front());
  node.append_work.pop_front();
  print("Processing:\n" + describe_append(node, work.persist, false) + "\nResponses:\n");
  persist(node, work.persist);
  for (Parcel& parcel : responses_of(node, work.persist)) {
    print(parcel.text + "\n");
    parcels_.push_back(std::move(parcel));
  }
}

void Interaction::process_apply(std::size_t index) {
  TranscriptNode& node = *nodes_.at(index);
  if (node.apply_work.empty()) {
    print("no apply work to perform\n");
    return;
  }
  const Work work = std::move(node.apply_work.front());
  node.apply_work.pop_front();
  print("Processing:\n" + describe_apply(node, work.applied, false) + "\nResponses:\n");
  apply(node, work.applied);
  Parcel parcel = response_of(node, work.applied);
  print(parcel.text + "\n");
  parcels_.push_back(std::move(parcel));
}

void Interaction::process_thread(const Directive& directive, bool append) {
  const Ids ids = targets(directive);
  for (const std::size_t id : ids) {
    if (ids.size() > 1) {
      print("> " + std::to_string(id + 1) +
            (append ? " processing append thread\n" : " processing apply thread\n"));
      indent_ = "  ";
    }
    if (append) {
      process_append(id);
    } else {
      process_apply(id);
    }
    indent_.clear();
  }
}

}  // namespace brigade::sim
