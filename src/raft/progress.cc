#include "raft/progress.h"

#include <algorithm>

namespace brigade::raft {

void Inflights::add(Index last, std::size_t bytes) {
  sent_.push_back({.last = last, .bytes = bytes});
  bytes_ += bytes;
}

void Inflights::free_through(Index index) {
  while (!sent_.empty() && sent_.front().last <= index) {
    bytes_ -= sent_.front().bytes;
    sent_.pop_front();
  }
}

void Inflights::reset() {
  sent_.clear();
  bytes_ = 0;  // forgetting this leaks quota until the stream stalls (etcd-io/raft e419ba5)
}

bool Inflights::full() const {
  return sent_.size() >= count_max_ || (bytes_max_ != 0 && bytes_ >= bytes_max_);
}

void Progress::reset(ProgressState state) {
  flow_paused_ = false;
  pending_snapshot_ = Index();
  state_ = state;
  inflights_.reset();
}

void Progress::become_probe() {
  const Index after_snapshot = pending_snapshot_.next();
  const bool was_snapshot = state_ == ProgressState::kSnapshot;
  reset(ProgressState::kProbe);
  next_ = was_snapshot ? std::max(match_.next(), after_snapshot) : match_.next();
  sent_commit_ = std::min(sent_commit_, next_.previous());
}

void Progress::become_replicate() {
  reset(ProgressState::kReplicate);
  next_ = match_.next();
}

void Progress::become_snapshot(Index snapshot, base::TimePoint now) {
  reset(ProgressState::kSnapshot);
  snapshot_since_ = now;
  pending_snapshot_ = snapshot;
  next_ = snapshot.next();
  sent_commit_ = snapshot;
}

void Progress::snapshot_failed() {
  pending_snapshot_ = Index();
  become_probe();
}

bool Progress::update(Index index) {
  if (index <= match_) {
    return false;
  }
  match_ = index;
  next_ = std::max(next_, index.next());
  flow_paused_ = false;
  return true;
}

bool Progress::decrease(Index rejected, Index hint) {
  if (state_ == ProgressState::kReplicate) {
    if (rejected <= match_) {
      return false;
    }
    next_ = match_.next();
  } else {
    // A probe is one message at a time: any other rejection is an old one.
    if (next_.previous() != rejected) {
      return false;
    }
    next_ = std::max(std::min(rejected, hint.next()), match_.next());
    flow_paused_ = false;
  }
  sent_commit_ = std::min(sent_commit_, next_.previous());
  return true;
}

void Progress::sent_entries(std::size_t count, std::size_t bytes) {
  if (state_ == ProgressState::kReplicate) {
    if (count > 0) {
      next_ = next_.next(count);
      inflights_.add(next_.previous(), bytes);
    }
    flow_paused_ = inflights_.full();
  } else if (state_ == ProgressState::kProbe && count > 0) {
    flow_paused_ = true;
  }
}

bool Progress::can_bump_commit(Index commit) const {
  return commit > sent_commit_ && sent_commit_ < next_.previous();
}

void Progress::ack_read(std::uint64_t read) {
  read_acked_ = std::max(read_acked_, read);
}

}  // namespace brigade::raft
