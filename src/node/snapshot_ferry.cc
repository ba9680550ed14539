#include "node/snapshot_ferry.h"

#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "node/replica_id.h"

namespace brigade::node {
namespace {

constexpr base::Duration kAnswerPatience = base::seconds(1);
// Storing a large snapshot takes its time; then Raft's own answer must have come.
constexpr base::Duration kStorePatience = base::seconds(5);
constexpr int kTriesMax = 8;

}  // namespace

void SnapshotFerry::begin(const raft::Message& install, base::TimePoint now,
                          std::vector<Send>& out) {
  const auto& snapshot = std::get<raft::InstallSnapshot>(install.body).snapshot;
  Crossing& crossing = crossings_[install.to];
  crossing = {.from = install.from,
              .term = install.term,
              .snapshot = snapshot,
              .due = now + kAnswerPatience};
  if (snapshot->state.size() > kSnapshotMax) {
    crossing.tries = kTriesMax;
    return;
  }
  send_part(install.to, crossing, now, out);
}

void SnapshotFerry::send_part(raft::ReplicaId to, Crossing& crossing, base::TimePoint now,
                              std::vector<Send>& out) const {
  const std::string_view state = crossing.snapshot->state.view();
  crossing.due = now + kAnswerPatience;
  out.push_back({.to = node_of(to),
                 .message = SnapshotPart{
                     .shard = shard_,
                     .from = crossing.from,
                     .to = to,
                     .term = crossing.term,
                     .last = crossing.snapshot->last,
                     .conf = crossing.snapshot->conf,
                     .size = state.size(),
                     .offset = crossing.have,
                     .bytes = base::Bytes(std::string(state.substr(crossing.have, part_bytes_)))}});
}

void SnapshotFerry::on(const SnapshotHave& have, base::TimePoint now, std::vector<Send>& out) {
  const auto found = crossings_.find(have.from);
  if (found == crossings_.end() || found->second.landed ||
      found->second.snapshot->last != have.last ||
      have.have > found->second.snapshot->state.size()) {
    return;
  }
  Crossing& crossing = found->second;
  const bool further = have.have > crossing.have;
  const bool all = have.have == crossing.snapshot->state.size();
  crossing.have = have.have;
  if (all) {
    crossing.landed = true;
    crossing.due = now + kStorePatience;
  } else if (further) {
    crossing.tries = 0;
    send_part(have.from, crossing, now, out);
  }
  // Less than before, or the same: the timer sends again. Answering stray ones at once would double
  // the stream for good.
}

std::vector<raft::SnapshotSent> SnapshotFerry::tick(base::TimePoint now, std::vector<Send>& out) {
  std::vector<raft::SnapshotSent> ended;
  for (auto it = crossings_.begin(); it != crossings_.end();) {
    auto& [to, crossing] = *it;
    if (now < crossing.due) {
      ++it;
    } else if (crossing.landed || crossing.tries >= kTriesMax) {
      ended.push_back({.replica = to, .delivered = crossing.landed});
      it = crossings_.erase(it);
    } else {
      COVERED("a part of a snapshot is sent again");
      ++crossing.tries;
      send_part(to, crossing, now, out);
      ++it;
    }
  }
  return ended;
}

std::vector<raft::ReplicaId> SnapshotFerry::under_way() const {
  std::vector<raft::ReplicaId> all;
  all.reserve(crossings_.size());
  for (const auto& [to, crossing] : crossings_) {
    all.push_back(to);
  }
  return all;
}

std::shared_ptr<const raft::Snapshot> SnapshotFerry::carried() const {
  std::shared_ptr<const raft::Snapshot> newest;
  for (const auto& [to, crossing] : crossings_) {
    if (!newest || crossing.snapshot->last.index > newest->last.index) {
      newest = crossing.snapshot;
    }
  }
  return newest;
}

base::TimePoint SnapshotFerry::next_deadline() const {
  base::TimePoint next = base::kNever;
  for (const auto& [to, crossing] : crossings_) {
    next = std::min(next, crossing.due);
  }
  return next;
}

std::optional<raft::Message> SnapshotFerry::on(const SnapshotPart& part, std::vector<Send>& out) {
  if (part.size > kSnapshotMax || part.bytes.size() > kPartMax) {
    return std::nullopt;
  }
  const bool same = arriving_ && arriving_->from == part.from && arriving_->term == part.term &&
                    arriving_->last == part.last && arriving_->size == part.size;
  if (!same && part.offset == 0) {
    arriving_ = Arriving{
        .from = part.from, .term = part.term, .last = part.last, .size = part.size, .bytes = {}};
  }
  const bool known = same || part.offset == 0;
  if (known && !arriving_->whole && part.offset == arriving_->bytes.size() &&
      part.bytes.size() <= part.size - part.offset) {
    arriving_->bytes += part.bytes.view();
  }
  std::uint64_t have = 0;  // of a snapshot whose beginning we have not: from the beginning
  if (known) {
    have = arriving_->whole ? arriving_->size : arriving_->bytes.size();
  }
  out.push_back(
      {.to = node_of(part.from),
       .message = SnapshotHave{
           .shard = shard_, .from = part.to, .to = part.from, .last = part.last, .have = have}});
  if (!known || arriving_->whole || have < arriving_->size) {
    return std::nullopt;
  }
  arriving_->whole = true;
  auto snapshot = std::make_shared<raft::Snapshot>(
      raft::Snapshot{.last = part.last,
                     .conf = part.conf,
                     .state = base::Bytes(std::exchange(arriving_->bytes, {}))});
  return raft::Message{.from = part.from,
                       .to = part.to,
                       .term = part.term,
                       .body = raft::InstallSnapshot{.snapshot = std::move(snapshot)}};
}

}  // namespace brigade::node
