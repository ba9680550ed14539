// What a leader knows of one replica's log, and how fast it may send to it (thesis 10.2.1).
//
// Invariant: match < next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "base/time.h"
#include "raft/ids.h"

namespace brigade::raft {

// Appends sent and not acknowledged, bounded in number and bytes.
class Inflights {
 public:
  Inflights() = default;
  Inflights(std::size_t count_max, std::size_t bytes_max)
      : count_max_(count_max), bytes_max_(bytes_max) {}

  void add(Index last, std::size_t bytes);
  // Forgets every append whose last entry is at or before `index`.
  void free_through(Index index);
  void reset();
  [[nodiscard]] bool full() const;
  [[nodiscard]] std::size_t count() const { return sent_.size(); }

 private:
  struct Sent {
    Index last;
    std::size_t bytes = 0;
  };
  std::size_t count_max_ = 256;
  std::size_t bytes_max_ = 0;  // 0: no bound in bytes
  std::size_t bytes_ = 0;
  std::deque<Sent> sent_;
};

enum class ProgressState : std::uint8_t { kProbe, kReplicate, kSnapshot };

class Progress {
 public:
  Progress() = default;
  Progress(Index next, Inflights inflights, bool learner)
      : next_(next), inflights_(std::move(inflights)), learner_(learner) {}

  void become_probe();
  void become_replicate();
  void become_snapshot(Index snapshot, base::TimePoint now);
  void snapshot_failed();

  // The replica matches up to `index`. False when that is old news.
  bool update(Index index);
  // The replica refused an append after `rejected`, and may match at `hint`. False when stale.
  bool decrease(Index rejected, Index hint);
  void sent_entries(std::size_t count, std::size_t bytes);
  void sent_commit(Index commit) { sent_commit_ = commit; }
  // A commit index is worth an extra message: not sent yet, and there are entries it could reach.
  [[nodiscard]] bool can_bump_commit(Index commit) const;

  [[nodiscard]] bool paused() const { return state_ == ProgressState::kSnapshot || flow_paused_; }
  void pause_flow(bool paused) { flow_paused_ = paused; }
  [[nodiscard]] ProgressState state() const { return state_; }
  [[nodiscard]] Index match() const { return match_; }
  void set_match(Index index) { match_ = index; }
  [[nodiscard]] Index next() const { return next_; }
  [[nodiscard]] Index pending_snapshot() const { return pending_snapshot_; }
  [[nodiscard]] base::TimePoint snapshot_since() const { return snapshot_since_; }
  Inflights& inflights() { return inflights_; }
  [[nodiscard]] const Inflights& inflights() const { return inflights_; }
  [[nodiscard]] bool learner() const { return learner_; }
  void set_learner(bool learner) { learner_ = learner; }
  [[nodiscard]] bool active() const { return active_; }
  void set_active(bool active) { active_ = active; }
  [[nodiscard]] std::uint64_t read_acked() const { return read_acked_; }
  void ack_read(std::uint64_t read);

 private:
  void reset(ProgressState state);

  Index match_;
  Index next_{1};
  Index sent_commit_;
  ProgressState state_ = ProgressState::kProbe;
  Index pending_snapshot_;
  base::TimePoint snapshot_since_{};
  bool flow_paused_ = false;
  bool active_ = false;  // heard from since the last quorum check
  Inflights inflights_;
  bool learner_ = false;
  std::uint64_t read_acked_ = 0;  // the latest read round that it confirmed
};

using ProgressMap = std::map<ReplicaId, Progress>;

}  // namespace brigade::raft
