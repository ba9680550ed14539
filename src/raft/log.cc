#include "raft/log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"

namespace brigade::raft {
namespace {

std::size_t payload_of(const Entry& entry) {
  return entry.data.size() + entry.change.changes.size() * sizeof(SingleChange);
}

}  // namespace

std::size_t payload_bytes(std::span<const Entry> entries) {
  std::size_t total = 0;
  for (const Entry& entry : entries) {
    total += payload_of(entry);
  }
  return total;
}

Log::Log(Snapshot snapshot, std::vector<Entry> entries, Index commit, Index applied)
    : offset_(snapshot.last),
      entries_(entries.begin(), entries.end()),
      committed_(std::max(commit, snapshot.last.index)),
      applied_(std::max(applied, snapshot.last.index)),
      snapshot_(std::make_shared<const Snapshot>(std::move(snapshot))) {
  durable_ = offered_ = last();
  check_invariants();
}

EntryId Log::last_id() const {
  return entries_.empty() ? offset_ : entries_.back().id;
}

const Entry& Log::at(Index index) const {
  BRIGADE_CHECK(index >= first() && index <= last());
  return entries_[index.distance(offset_.index) - 1];
}

std::optional<Term> Log::term(Index index) const {
  if (index < offset_.index || index > last()) {
    return std::nullopt;
  }
  return index == offset_.index ? offset_.term : at(index).id.term;
}

bool Log::matches(const EntryId& id) const {
  return term(id.index) == id.term;
}

bool Log::up_to_date(const EntryId& id) const {
  const EntryId mine = last_id();
  return id.term > mine.term || (id.term == mine.term && id.index >= mine.index);
}

std::vector<Entry> Log::slice(Index from, Index through, std::size_t bytes_max) const {
  std::vector<Entry> out;
  std::size_t bytes = 0;
  for (Index i = from; i <= std::min(through, last()); i = i.next()) {
    const Entry& entry = at(i);
    bytes += payload_of(entry);
    if (!out.empty() && bytes > bytes_max) {
      break;
    }
    out.push_back(entry);
  }
  return out;
}

EntryId Log::conflict_hint(Index index, Term limit) const {
  for (Index i = index; i.value() > 0; i = i.previous()) {
    const auto mine = term(i);
    if (!mine) {
      return {.term = Term(), .index = i};
    }
    if (*mine <= limit) {
      return {.term = *mine, .index = i};
    }
  }
  return {};
}

void Log::append(std::vector<Entry> entries) {
  if (entries.empty()) {
    return;
  }
  const Index after = entries.front().id.index.previous();
  BRIGADE_CHECK(after >= committed_);
  BRIGADE_CHECK(after <= last());
  if (after < last()) {
    COVERED("a conflicting suffix is truncated");
    entries_.resize(after.distance(offset_.index));
    // What storage holds beyond here is about to be overwritten (ClickHouse 102629).
    durable_ = std::min(durable_, after);
    offered_ = std::min(offered_, after);
  }
  for (Entry& entry : entries) {
    entries_.push_back(std::move(entry));
  }
}

bool Log::try_append(const EntryId& prev, std::vector<Entry> entries, bool plant_truncate) {
  if (!matches(prev)) {
    return false;
  }
  std::size_t keep = 0;
  while (!plant_truncate && keep < entries.size() && matches(entries[keep].id)) {
    ++keep;
  }
  if (plant_truncate && !entries.empty() && entries.front().id.index <= committed_) {
    keep = committed_.distance(prev.index);
    keep = std::min(keep, entries.size());
  }
  entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(keep));
  append(std::move(entries));
  return true;
}

void Log::commit_to(Index index) {
  BRIGADE_CHECK(index <= last());
  committed_ = std::max(committed_, index);
}

void Log::apply_to(Index index) {
  BRIGADE_CHECK(index <= committed_);
  applied_ = std::max(applied_, index);
}

void Log::restore(std::shared_ptr<const Snapshot> snapshot) {
  BRIGADE_CHECK(snapshot->last.index > committed_);
  offset_ = snapshot->last;
  entries_.clear();
  durable_ = offered_ = committed_ = offset_.index;
  incoming_ = std::move(snapshot);
  incoming_offered_ = false;
}

std::vector<Entry> Log::take_unoffered() {
  if (offered_ < offset_.index) {
    offered_ = offset_.index;
  }
  std::vector<Entry> out;
  for (Index i = offered_.next(); i <= last(); i = i.next()) {
    out.push_back(at(i));
  }
  offered_ = last();
  return out;
}

void Log::durable_to(const EntryId& id) {
  if (id.index <= durable_ || !matches(id)) {
    COVERED("a late durability report about overwritten entries is ignored");
    return;
  }
  durable_ = id.index;
  offered_ = std::max(offered_, durable_);
}

std::shared_ptr<const Snapshot> Log::take_unoffered_snapshot() {
  if (!has_unoffered_snapshot()) {
    return nullptr;
  }
  incoming_offered_ = true;
  return incoming_;
}

void Log::snapshot_durable(Index index) {
  if (incoming_ && incoming_->last.index == index) {
    snapshot_ = std::move(incoming_);
    incoming_.reset();
    incoming_offered_ = false;
  }
}

void Log::snapshot_taken(std::shared_ptr<const Snapshot> snapshot) {
  if (!snapshot_ || snapshot->last.index >= snapshot_->last.index) {
    snapshot_ = std::move(snapshot);
  }
}

void Log::compact(Index index) {
  if (index <= offset_.index) {
    return;
  }
  BRIGADE_CHECK(index <= applied_);
  BRIGADE_CHECK(snapshot_->last.index >= index);
  const EntryId last_dropped = at(index).id;
  entries_.erase(entries_.begin(),
                 entries_.begin() + static_cast<std::ptrdiff_t>(index.distance(offset_.index)));
  offset_ = last_dropped;
  durable_ = std::max(durable_, offset_.index);
  offered_ = std::max(offered_, offset_.index);
}

bool Log::has_conf_change(Index after, Index through) const {
  for (Index i = std::max(after.next(), first()); i <= through; i = i.next()) {
    if (at(i).kind != EntryKind::kCommand) {
      return true;
    }
  }
  return false;
}

void Log::check_invariants() const {
  BRIGADE_CHECK(applied_ <= committed_ || incoming_ != nullptr);
  BRIGADE_CHECK(committed_ <= last());
  BRIGADE_CHECK(durable_ <= offered_);
  BRIGADE_CHECK(offered_ <= last());
  EntryId previous = offset_;
  for (const Entry& entry : entries_) {
    BRIGADE_CHECK(entry.id.index == previous.index.next());
    BRIGADE_CHECK(entry.id.term >= previous.term);
    previous = entry.id;
  }
}

}  // namespace brigade::raft
