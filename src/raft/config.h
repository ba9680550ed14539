// Settings of one Raft replica.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "raft/ids.h"

namespace brigade::raft {

// Known mistakes, planted one at a time by tests to show that the checkers find them.
enum class Plant : std::uint8_t {
  kNone,
  kCommitPriorTermByCount,  // paper 5.4.2
  kAckBeforeDurable,
  kForgetVote,
  kReadBeforeOwnCommit,  // thesis 6.4
  kPreVoteCountsAsVote,
  kTruncateOnAnyAppend,
  kCommitBeyondVerified,
  kCampaignWithPendingConf,
  kReadWithoutRound,
  kReadByEarlierRound,  // etcd 20418
  kJointByHalf
};

struct Config {
  ReplicaId self;
  base::Duration election_min = base::milliseconds(600);
  base::Duration election_max = base::milliseconds(1200);
  base::Duration heartbeat = base::milliseconds(100);
  bool pre_vote = true;
  // The leader steps down without a quorum of recent contact, and voters ignore candidates while
  // they hear from a leader. Leases depend on it.
  bool check_quorum = true;
  // Keep ignoring candidates for election_min after a start: a promise made before a crash to the
  // leader of then is not forgotten.
  bool hold_votes_after_start = true;
  bool step_down_on_removal = true;
  // Emit committed entries before they are durable here. Only for drivers that persist before they
  // apply.
  bool apply_before_durable = false;
  bool lease_reads = false;  // only what ForgetLeader must refuse under leases
  bool check_conf_changes = true;
  std::size_t append_bytes_max = 1U << 20U;
  std::size_t apply_bytes_max = 4U << 20U;
  std::size_t inflight_max = 256;
  std::size_t inflight_bytes_max = 16U << 20U;
  std::size_t uncommitted_bytes_max = 64U << 20U;
  // A snapshot that nobody acknowledged for this long is sent again: it may be lost, and nothing
  // else would ever wake that follower (dgraph 2707). Zero: the driver says how sending one ended.
  base::Duration snapshot_timeout{0};
  Plant plant = Plant::kNone;
};

}  // namespace brigade::raft
