// A replica's part in placement: which configuration it asks for while it leads, what follows when
// one is applied, and snapshots for those who are new.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/coverage.h"
#include "node/replica.h"

namespace brigade::node {
namespace {

// A learner this close behind the commit index may vote: an election then waits for nothing long.
constexpr std::uint64_t kCaughtUpWithin = 128;

// Entries of this size together are compacted before snapshot_every is reached: where a follower
// still needs them of the larger size.
constexpr std::uint64_t kUncompactedMost = std::uint64_t{512} << 10U;
constexpr std::uint64_t kAwaitedMost = std::uint64_t{16} << 20U;

}  // namespace

// ---- what arrives ----

void Replica::received(const raft::Message& message, Instant now) {
  if (const auto* install = std::get_if<raft::InstallSnapshot>(&message.body)) {
    const bool news = install->snapshot && install->snapshot->last.index > core_.log().committed();
    if (!install->snapshot || (news && !readable(*install->snapshot))) {
      return;
    }
  }
  core_.step(message, now.slow);
}

void Replica::on(const SnapshotPart& part, Instant now) {
  if (part.to != core_.self() || part.term < core_.term()) {
    return;
  }
  if (part.last.index <= core_.log().committed()) {
    COVERED("a snapshot of what is here already needs no further parts");
    auto empty = std::make_shared<const raft::Snapshot>(raft::Snapshot{.last = part.last});
    core_.step(raft::Message{.from = part.from,
                             .to = part.to,
                             .term = part.term,
                             .body = raft::InstallSnapshot{.snapshot = std::move(empty)}},
               now.slow);
    return;
  }
  if (const auto install = ferry_.on(part, sends_)) {
    COVERED("a snapshot arrives in parts");
    received(*install, now);
  }
}

void Replica::on(const SnapshotHave& have, Instant now) {
  if (have.to == core_.self()) {
    ferry_.on(have, now.slow, sends_);
  }
}

bool Replica::readable(const raft::Snapshot& snapshot) const {
  std::vector<StateRecord> records;
  return unpack_records(snapshot.state.view(), codec_, records) &&
         TokenStore(config_.shard, config_.shards).restore(records);
}

// ---- snapshots ----

void Replica::mark_snapshot(Instant now) {
  core_.step(raft::SnapshotTaken{.index = core_.log().applied(), .state = {}}, now.slow);
}

void Replica::send_snapshot(raft::Message install, Instant now) {
  const raft::Log& log = core_.log();
  const raft::EntryId applied{.term = log.term(log.applied()).value_or(raft::Term()),
                              .index = log.applied()};
  const raft::ConfState conf = core_.membership().conf();
  auto& snapshot = std::get<raft::InstallSnapshot>(install.body).snapshot;
  auto whole = ferry_.carried();
  if (!whole || whole->last.index < snapshot->last.index || whole->conf != conf) {
    std::string state;
    store_.visit_records([&](const StateRecord& record) { pack_record(record, codec_, state); });
    whole = std::make_shared<const raft::Snapshot>(
        raft::Snapshot{.last = applied, .conf = conf, .state = base::Bytes(std::move(state))});
  }
  snapshot = std::move(whole);
  ferry_.begin(install, now.slow, sends_);
}

void Replica::compact(Instant now, Actions& out) {
  const raft::Log& log = core_.log();
  const raft::Index applied = log.applied();
  const bool awaited = uncompacted_bytes_ <= kAwaitedMost && lags_behind(applied);
  const bool due = applied.value() >= log.snapshot()->last.index.value() + config_.snapshot_every ||
                   (uncompacted_bytes_ > kUncompactedMost && !awaited);
  if (!due || log.has_incoming_snapshot()) {
    return;
  }
  uncompacted_bytes_ = 0;
  // Entries since the snapshot before this one stay, for followers that are a little behind.
  const Compaction previous{.last = log.snapshot()->last, .conf = log.snapshot()->conf};
  mark_snapshot(now);
  if (previous.last.index >= log.first()) {
    core_.step(raft::CompactTo{.index = previous.last.index}, now.slow);
    write(out).compacted = previous;
  }
}

bool Replica::lags_behind(raft::Index index) const {
  const auto& progress = core_.membership().progress;
  return core_.role() == raft::Role::kLeader &&
         std::any_of(progress.begin(), progress.end(), [&](const auto& one) {
           return one.first != core_.self() && one.second.active() && one.second.match() < index;
         });
}

void Replica::run_ferry(Instant now) {
  if (core_.role() != raft::Role::kLeader) {
    ferry_.clear();
    return;
  }
  for (const raft::ReplicaId to : ferry_.under_way()) {
    const auto progress = core_.membership().progress.find(to);
    if (progress == core_.membership().progress.end() ||
        progress->second.state() != raft::ProgressState::kSnapshot) {
      ferry_.forget(to);
    }
  }
  for (const raft::SnapshotSent& ended : ferry_.tick(now.slow, sends_)) {
    core_.step(ended, now.slow);
  }
}

// ---- configurations ----

void Replica::switch_conf(const raft::Entry& entry, Instant now) {
  std::vector<raft::ReplicaId> before;
  for (const auto& [id, progress] : core_.membership().progress) {
    before.push_back(id);
  }
  core_.step(raft::SwitchConf{.index = entry.id.index}, now.slow);
  for (const raft::SingleChange& change : entry.change.changes) {
    if (change.kind != raft::ChangeKind::kRemove) {
      store_.note_replica(node_of(change.replica), generation_of(change.replica));
    }
  }
  conf_changed_ = true;
  if (!steward_) {
    return;
  }
  for (const raft::ReplicaId id : before) {
    // It may never hear of the entry that left it out: nobody sends it entries any more.
    if (!core_.membership().progress.contains(id)) {
      sends_.push_back({.to = node_of(id), .message = farewell(id)});
    }
  }
}

bool Replica::left_out() const {
  const raft::Membership& members = core_.membership();
  return !members.progress.empty() && !members.progress.contains(core_.self());
}

bool Replica::left_out(raft::ReplicaId other) const {
  const raft::Membership& members = core_.membership();
  return !members.progress.empty() && !members.progress.contains(other) &&
         generation_of(other) <= store_.last_generation(node_of(other));
}

ReplicaGone Replica::farewell(raft::ReplicaId other) const {
  return {.shard = config_.shard, .replica = other, .node_removed = store_.removed(node_of(other))};
}

std::vector<RaftSend> Replica::inquiries() const {
  std::vector<RaftSend> all;
  for (const raft::ReplicaId voter : core_.membership().voters.ids()) {
    if (voter != core_.self()) {
      all.push_back({.to = node_of(voter),
                     .shard = config_.shard,
                     .message = {.from = core_.self(),
                                 .to = voter,
                                 .term = core_.term(),
                                 .body = raft::HeartbeatReply{}}});
    }
  }
  return all;
}

raft::ReplicaId Replica::fresh_id(NodeId node) const {
  const std::uint16_t last = store_.last_generation(node);
  return last == std::numeric_limits<std::uint16_t>::max()
             ? raft::ReplicaId()
             : replica_id(node, static_cast<std::uint16_t>(last + 1));
}

// A leader that drains would hand its office straight back. Only one that leaves for good must move
// it all the same: as long as it leads, it cannot be replaced.
void Replica::note_unfit(const std::vector<Site>& sites) {
  unfit_.clear();
  bool leaves = false;
  for (const Site& site : sites) {
    leaves = leaves || (site.node == node_of(core_.self()) && site.standing == Standing::kExpelled);
    if (site.draining || site.standing == Standing::kExpelled) {
      unfit_.insert(site.node);
    }
  }
  if (leaves && !has_heir()) {
    COVERED("a leader that leaves has none but draining voters to hand its office to");
    for (const Site& site : sites) {
      if (site.standing != Standing::kExpelled) {
        unfit_.erase(site.node);
      }
    }
  }
}

bool Replica::has_heir() const {
  const auto voters = core_.membership().voters.ids();
  return std::any_of(voters.begin(), voters.end(), [&](const raft::ReplicaId id) {
    return id != core_.self() && !unfit_.contains(node_of(id));
  });
}

void Replica::place(const PlacementOrder& order, Instant now) {
  note_unfit(order.sites);
  if (!steward_) {
    last_seen_.clear();
    return;
  }
  const raft::Membership& members = core_.membership();
  for (const auto& [id, progress] : members.progress) {
    const auto seen = last_seen_.try_emplace(id, now.slow).first;
    seen->second = progress.active() ? now.slow : seen->second;
  }
  std::erase_if(last_seen_,
                [&](const auto& entry) { return !members.progress.contains(entry.first); });
  if (rotation_ != Rotation::kNone || core_.transferring() || core_.changing_conf()) {
    return;
  }
  PlacementView view{.shard = config_.shard,
                     .replicas = order.replicas,
                     .leader = node_of(core_.self()),
                     .sites = order.sites,
                     .voters = members.voters.incoming.voters(),
                     .learners = members.learners,
                     .caught_up = {}};
  std::set<NodeId> heard;
  for (const auto& [id, at] : last_seen_) {
    if (now.slow - at < order.silence) {
      heard.insert(node_of(id));
    }
  }
  for (Site& site : view.sites) {
    site.fresh = fresh_id(site.node);
    if (store_.removed(site.node)) {
      site.standing = Standing::kExpelled;
    } else if (site.standing == Standing::kLost && heard.contains(site.node)) {
      site.standing = Standing::kKept;  // only gossip cannot reach it
    }
  }
  for (const raft::ReplicaId learner : members.learners) {
    const raft::Progress& progress = members.progress.at(learner);
    if (progress.state() == raft::ProgressState::kReplicate &&
        progress.match().next(kCaughtUpWithin) >= core_.log().committed()) {
      view.caught_up.insert(learner);
    }
  }
  if (const auto change = next_placement(view)) {
    core_.step(raft::ProposeConf{.change = *change}, now.slow);
  }
}

}  // namespace brigade::node
