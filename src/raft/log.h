// The log of one replica: the tail since the last compaction, and how far it is durable, committed
// and applied.
//
// Invariants: (1) offset <= applied <= committed <= last; (2) durable <= offered <= last, where
// "offered" was handed to storage; (3) terms never fall along the log; (4) nothing at or below
// committed is ever truncated.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "raft/messages.h"

namespace brigade::raft {

class Log {
 public:
  // A log whose entries up to `snapshot.last` are compacted away, followed by `entries`, all
  // durable.
  Log(Snapshot snapshot, std::vector<Entry> entries, Index commit, Index applied);

  // ---- reading ----
  [[nodiscard]] Index first() const { return offset_.index.next(); }
  [[nodiscard]] Index last() const { return offset_.index.next(entries_.size()); }
  [[nodiscard]] EntryId last_id() const;
  // The term of an entry; nullopt when it is compacted away or beyond the end.
  [[nodiscard]] std::optional<Term> term(Index index) const;
  [[nodiscard]] bool matches(const EntryId& id) const;
  // True when a log that ends with `id` is at least as good as ours (paper 5.4.1).
  [[nodiscard]] bool up_to_date(const EntryId& id) const;
  // Entries from `from` on, at most `bytes_max` of payload but at least one; empty beyond the end.
  // Requires: from >= first().
  [[nodiscard]] std::vector<Entry> slice(Index from, Index through, std::size_t bytes_max) const;
  [[nodiscard]] const Entry& at(Index index) const;
  // Skips a whole conflicting term per round trip: the latest entry at or before `index` whose term
  // is at most `term`; the term is zero when it is unknown.
  [[nodiscard]] EntryId conflict_hint(Index index, Term term) const;

  // ---- appending ----
  void append(std::vector<Entry> entries);
  // A follower's append: true when `prev` matches; keeps entries that are already there and
  // truncates only at a real conflict. `plant_truncate` always truncates (a planted bug).
  bool try_append(const EntryId& prev, std::vector<Entry> entries, bool plant_truncate);
  void commit_to(Index index);
  void apply_to(Index index);
  // Starts over from a snapshot that a leader sent.
  void restore(std::shared_ptr<const Snapshot> snapshot);

  // ---- durability ----
  // Entries not handed to storage yet, in order; and marks them as handed.
  [[nodiscard]] std::vector<Entry> take_unoffered();
  [[nodiscard]] bool has_unoffered() const { return offered_ < last(); }
  [[nodiscard]] bool has_volatile() const { return durable_ < last(); }
  // Storage has everything up to this entry. Ignored when the log has changed there since.
  void durable_to(const EntryId& id);
  [[nodiscard]] Index durable() const { return durable_; }

  // A received snapshot, until storage has it.
  [[nodiscard]] std::shared_ptr<const Snapshot> take_unoffered_snapshot();
  [[nodiscard]] bool has_unoffered_snapshot() const {
    return incoming_ != nullptr && !incoming_offered_;
  }
  [[nodiscard]] bool has_incoming_snapshot() const { return incoming_ != nullptr; }
  void snapshot_durable(Index index);

  // ---- compaction ----
  // The latest snapshot of our own state; what slow followers are sent.
  void snapshot_taken(std::shared_ptr<const Snapshot> snapshot);
  [[nodiscard]] const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  // Drops entries up to `index`. Requires: index <= applied, and a snapshot at or after it.
  void compact(Index index);

  [[nodiscard]] Index committed() const { return committed_; }
  [[nodiscard]] Index applied() const { return applied_; }
  [[nodiscard]] bool has_conf_change(Index after, Index through) const;
  void check_invariants() const;

 private:
  EntryId offset_;  // the entry before the first one kept
  std::deque<Entry> entries_;
  Index durable_;
  Index offered_;
  Index committed_;
  Index applied_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<const Snapshot> incoming_;
  bool incoming_offered_ = false;
};

[[nodiscard]] std::size_t payload_bytes(std::span<const Entry> entries);

}  // namespace brigade::raft
