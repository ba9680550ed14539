// The disk of one replica: what survives a crash, and what was handed over but may be lost.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "raft/core.h"

namespace brigade::sim {

// The state machine of a simulated replica: how far it applied and the hash of all of it.
struct Machined {
  raft::Index applied;
  std::uint64_t hash = 0;
  friend bool operator==(const Machined&, const Machined&) = default;
};

class RaftDisk {
 public:
  // One turn's writes: all of it or nothing becomes durable, in the order of handing over.
  struct Write {
    std::optional<raft::Persist> persist;
    std::optional<Machined> machined;
    std::optional<raft::Snapshot> compacted;
    // Without it the write may be lost even after it was reported done, until a later one syncs.
    bool sync = false;
  };

  // The replica of a founder: everybody starts from the same first snapshot.
  void found(const raft::Snapshot& first, const Machined& machined) {
    snapshot_ = first;
    machined_ = machined;
  }

  // Makes a write part of what a restart finds; one that is not synced may still vanish.
  void write(const Write& write) {
    if (!write.sync) {
      unsynced_.push_back(write);
      return;
    }
    for (const Write& one : std::exchange(unsynced_, {})) {
      apply(one);
    }
    apply(write);
  }
  // The machine died: of what was not synced, a random first part had reached the disk.
  void crash(base::Prng& dice) {
    const auto kept = dice.below(unsynced_.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) {
      apply(unsynced_[i]);
    }
    unsynced_.clear();
  }

  [[nodiscard]] bool holds(const raft::EntryId& id) const {
    if (id.index <= snapshot_.last.index) {
      return true;  // compacted, so it was committed: the chronicle compares what was
    }
    const raft::Entry* entry = find(id.index);
    return entry != nullptr && entry->id == id;
  }
  [[nodiscard]] raft::Index last() const {
    return entries_.empty() ? snapshot_.last.index : entries_.back().id.index;
  }
  [[nodiscard]] const raft::HardState& hard() const { return hard_; }
  [[nodiscard]] const Machined& machined() const { return machined_; }
  // What a restart finds: up to what it had applied, or only up to its snapshot.
  [[nodiscard]] raft::Restored restored(bool from_applied) const {
    return {.hard = hard_,
            .snapshot = snapshot_,
            .entries = entries_,
            .applied = from_applied ? machined_.applied : snapshot_.last.index};
  }

 private:
  [[nodiscard]] const raft::Entry* find(raft::Index index) const {
    if (index <= snapshot_.last.index || index > last()) {
      return nullptr;
    }
    return &entries_[index.distance(snapshot_.last.index) - 1];
  }

  void apply(const Write& write) {
    if (write.persist) {
      apply(*write.persist);
    }
    if (write.machined) {
      machined_ = *write.machined;
    }
    if (write.compacted && write.compacted->last.index > snapshot_.last.index) {
      snapshot_ = *write.compacted;
      std::erase_if(entries_,
                    [&](const auto& one) { return one.id.index <= snapshot_.last.index; });
    }
  }
  void apply(const raft::Persist& persist) {
    if (persist.hard) {
      hard_ = *persist.hard;
    }
    if (persist.snapshot) {
      snapshot_ = *persist.snapshot;
      entries_.clear();
    }
    if (!persist.entries.empty()) {
      const raft::Index first = persist.entries.front().id.index;
      while (!entries_.empty() && entries_.back().id.index >= first) {
        entries_.pop_back();
      }
      entries_.insert(entries_.end(), persist.entries.begin(), persist.entries.end());
    }
  }

  raft::HardState hard_;
  raft::Snapshot snapshot_;
  std::vector<raft::Entry> entries_;  // follow the snapshot without a gap
  Machined machined_;
  std::vector<Write> unsynced_;
};

}  // namespace brigade::sim
