// Linearizable reads without log entries (thesis 6.4): a round of heartbeats that starts after the
// request proves that we still lead.

#include "base/coverage.h"
#include "raft/core.h"

namespace brigade::raft {

void Core::start_read(std::uint64_t ticket) {
  if (role_ != Role::kLeader) {
    outbox_.reads_refused.push_back({.ticket = ticket});
    return;
  }
  if (!committed_in_term() && config_.plant != Plant::kReadBeforeOwnCommit) {
    COVERED("a read waits for the first commit of the leader's own term");
    early_reads_.push_back(ticket);
    return;
  }
  const auto& voters = members_.voters;
  if (config_.plant == Plant::kReadWithoutRound) {
    outbox_.reads.push_back({.ticket = ticket, .index = log_.committed()});
    return;
  }
  if (!voters.joint() && voters.incoming.voters().size() == 1 && members_.voter(config_.self)) {
    outbox_.reads.push_back({.ticket = ticket, .index = log_.committed()});
    return;
  }
  // Rounds are numbered here, so that a late answer to an earlier one never confirms this.
  reads_.push_back({.round = ++read_round_, .ticket = ticket, .index = log_.committed()});
  broadcast_heartbeat();
}

void Core::confirm_reads() {
  const Index confirmed = members_.voters.committed([this](ReplicaId id) -> std::optional<Index> {
    if (id == config_.self) {
      return Index(read_round_);
    }
    const auto progress = members_.progress.find(id);
    if (progress == members_.progress.end()) {
      return std::nullopt;
    }
    return Index(progress->second.read_acked());
  });
  std::size_t done = 0;
  while (done < reads_.size() && reads_[done].round <= confirmed.value()) {
    outbox_.reads.push_back({.ticket = reads_[done].ticket, .index = reads_[done].index});
    ++done;
  }
  reads_.erase(reads_.begin(), reads_.begin() + static_cast<std::ptrdiff_t>(done));
}

void Core::refuse_reads() {
  for (const Read& read : reads_) {
    outbox_.reads_refused.push_back({.ticket = read.ticket});
  }
  for (const std::uint64_t ticket : early_reads_) {
    outbox_.reads_refused.push_back({.ticket = ticket});
  }
  reads_.clear();
  early_reads_.clear();
}

}  // namespace brigade::raft
