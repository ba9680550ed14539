#include "sim/raft/campaign.h"

#include <array>

namespace brigade::sim {
namespace {

constexpr Duration kConvergeWithin = base::seconds(30);

constexpr std::array<std::pair<std::string_view, raft::Plant>, 12> kPlants{{
    {"none", raft::Plant::kNone},
    {"commit-prior-term-by-count", raft::Plant::kCommitPriorTermByCount},
    {"ack-before-durable", raft::Plant::kAckBeforeDurable},
    {"forget-vote", raft::Plant::kForgetVote},
    {"read-before-own-commit", raft::Plant::kReadBeforeOwnCommit},
    {"read-without-round", raft::Plant::kReadWithoutRound},
    {"pre-vote-counts-as-vote", raft::Plant::kPreVoteCountsAsVote},
    {"truncate-on-any-append", raft::Plant::kTruncateOnAnyAppend},
    {"commit-beyond-verified", raft::Plant::kCommitBeyondVerified},
    {"campaign-with-pending-conf", raft::Plant::kCampaignWithPendingConf},
    {"joint-by-half", raft::Plant::kJointByHalf},
    {"read-by-earlier-round", raft::Plant::kReadByEarlierRound},
}};

// Zero with an even chance, else between a tenth of and all of `most`, small values as likely.
std::uint32_t weight(Prng& dice, std::uint32_t most) {
  if (dice.below(2) == 0) {
    return 0;
  }
  return most >> dice.below(5);
}
Duration mean(Prng& dice, Duration shortest) {
  return dice.below(2) == 0 ? Duration::zero()
                            : shortest * static_cast<std::int64_t>(1U << dice.below(4));
}

// Swarm testing: a random half of what can go wrong, with wild weights.
RaftSetup draw(const RaftTrial& trial) {
  Prng dice(trial.seed ^ 0x72616674U);
  RaftSetup setup{.seed = trial.seed};
  setup.raft.plant = trial.plant;
  if (trial.calm) {
    return setup;
  }
  setup.replicas = 3 + dice.below(5);
  setup.faults = {.loss_permille = weight(dice, 200),
                  .double_permille = weight(dice, 200),
                  .slow_permille = weight(dice, 100),
                  .delay_max = base::milliseconds(1 << dice.below(7)),
                  .disk_max = base::milliseconds(1 << dice.below(7)),
                  .apply_lag_max = base::milliseconds(weight(dice, 1000)),
                  .crash_every = mean(dice, base::seconds(1)),
                  .partition_every = mean(dice, base::seconds(1)),
                  .pause_every = mean(dice, base::seconds(1)),
                  .disk_stall_every = mean(dice, base::seconds(1))};
  setup.propose_every = base::milliseconds(2 << dice.below(6));
  setup.read_every = base::milliseconds(10 << dice.below(4));
  setup.reconfigure_every = mean(dice, base::milliseconds(500));
  setup.transfer_every = mean(dice, base::seconds(1));
  setup.snapshot_every = dice.below(2) == 0 ? 5 + dice.below(20) : 100 + dice.below(400);
  setup.restart_from_applied = dice.below(2) == 0;
  setup.report_snapshots = dice.below(2) == 0;
  setup.raft.snapshot_timeout = setup.report_snapshots ? Duration::zero() : base::seconds(5);
  if (dice.below(2) == 0) {  // tight bounds bring rare branches out
    setup.raft.inflight_max = 1 + dice.below(3);
    setup.raft.append_bytes_max = 1 + dice.below(100);
    setup.raft.apply_bytes_max = 1 + dice.below(100);
    setup.raft.uncommitted_bytes_max = 200 + dice.below(1000);
  }
  return setup;
}

}  // namespace

RaftVerdict try_raft(const RaftTrial& trial) {
  RaftWorld world(draw(trial));
  const bool held = world.run_for(trial.lasts);
  const bool agreed = held && world.converge(kConvergeWithin);
  RaftVerdict verdict{.fate = RaftFate::kHeld, .why = {}, .totals = world.totals()};
  if (!world.broken().empty()) {
    verdict.fate = RaftFate::kBroken;
    verdict.why = world.broken();
  } else if (!agreed) {
    verdict.fate = RaftFate::kStuck;
    verdict.why = "no agreement long after the faults ended:\n" + world.describe();
  }
  return verdict;
}

std::span<const std::pair<std::string_view, raft::Plant>> raft_plants() {
  return kPlants;
}

}  // namespace brigade::sim
