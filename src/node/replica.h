// This node's replica of one shard: consensus, the token store it replicates and, while it leads,
// the steward and the home desk.
//
// Threads: single-threaded (owner: node). Limits: strict takes and settlements gather in one entry
// of at most kBatchMax of each, more wait for the next; kHeldMax asks wait for office or authority
// and kHeldMax settlements for their entry, more are dropped and repeated by their askers.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/actions.h"
#include "node/home_desk.h"
#include "node/placement.h"
#include "node/replica_id.h"
#include "node/snapshot_ferry.h"
#include "node/steward.h"
#include "node/token_store.h"
#include "raft/core.h"

namespace brigade::node {

struct ReplicaConfig {
  ShardId shard;
  std::uint32_t shards = 1;
  raft::Config raft;
  StewardTiming timing;
  base::Duration bms_term = base::seconds(60);  // leadership moves on after this long; 0: never
  std::uint64_t snapshot_every = 10'000;        // entries between compactions
  std::size_t snapshot_part = SnapshotFerry::kPartMax;
};

// What storage kept of one replica.
struct ReplicaState {
  raft::Restored raft;
  std::vector<StateRecord> records;
};

class Replica {
 public:
  static constexpr std::size_t kBatchMax = 1024;
  static constexpr std::size_t kHeldMax = 8192;

  Replica(ReplicaConfig config, const Codec& codec, base::Prng dice, const ReplicaState& state,
          Instant now);

  // ---- inputs; settle() afterwards ----
  void step(const raft::Input& input, Instant now);
  // Storage made these durable.
  void persisted(std::vector<raft::Persist> persists, Instant now);
  void on(NodeId from, const OpenAsk& ask);
  void on(NodeId from, const Renew& renew, Instant now);
  void on(NodeId from, const ShrunkNotice& notice);
  void on(NodeId from, const Submit& submit, Instant now);
  // A home or strict decision.
  void on(NodeId from, const Ask& ask, Instant now);
  void on(NodeId from, const SettleAsk& ask, Instant now);
  // Unanswered while this replica has no authority.
  void on(NodeId from, const QuantumAsk& ask, Instant now);
  // The same, at once and for this node's own client. Requires: home()->in_authority(now).
  // Nothing: it must be asked for like any other node's, and wait.
  std::optional<Told> decide(const KeyTake& take, Instant now) { return home_->decide(take, now); }
  // Asks for keys that have ledgers of their own by now: for whoever has buckets to decide.
  std::vector<std::pair<NodeId, Ask>> take_passed_on() { return std::exchange(passed_on_, {}); }
  // Keys led here for which a ledger of their own would pay.
  [[nodiscard]] std::vector<LedgerId> hot_keys(Instant now) const {
    const bool room = store_.key_ledgers() < TokenStore::kMaxKeyLedgers;
    const bool can = home_ && rotation_ == Rotation::kNone && room;
    return can ? home_->hot_keys(now) : std::vector<LedgerId>{};
  }
  // Begins to give a key a ledger of its own, all of it this account's at first. False when that
  // cannot be now.
  bool open_ledger(const LedgerId& id, Account account, Instant now);
  void make_room(std::size_t more_keys) {
    if (home_) {
      home_->make_room(more_keys);
    }
  }
  // This node drains: leadership goes to another voter that is fit for it and up to date, as soon
  // as there is one; until then this replica goes on leading.
  void move_on(Instant now);
  // It leaves no more.
  void stay(Instant now);

  // replica_placement.cc
  // What other nodes' replicas say; anything may come of them.
  void received(const raft::Message& message, Instant now);
  void on(const SnapshotPart& part, Instant now);
  void on(const SnapshotHave& have, Instant now);
  // Takes the next step towards where this shard's voters should be, if it leads and none is under
  // way. A voter is given up only when Raft heard nothing of it for `silence` either.
  struct PlacementOrder {
    std::vector<Site> sites;  // without ids of fresh replicas
    std::size_t replicas = 3;
    base::Duration silence{0};
  };
  void place(const PlacementOrder& order, Instant now);
  // Whether some other voter, up to date or not, is fit for this replica's office.
  [[nodiscard]] bool has_heir() const;
  // The committed configuration has no place for this replica any more.
  [[nodiscard]] bool left_out() const;
  // The same of another's, if that is certain: its id was placed once and is not now.
  [[nodiscard]] bool left_out(raft::ReplicaId other) const;
  // What tells it. Requires: left_out(other).
  [[nodiscard]] ReplicaGone farewell(raft::ReplicaId other) const;
  // Harmless words to every voter, which whoever knows that this replica is left out answers.
  [[nodiscard]] std::vector<RaftSend> inquiries() const;

  // What the wall clock shows; only ends overrides.
  void expire_overrides(std::int64_t wall_ms);
  // Timers, the steward's turn, then everything that consensus wants done.
  void settle(Instant now, Actions& out);
  [[nodiscard]] base::TimePoint next_deadline(Instant now) const;

  // ---- state ----
  // Leads and has applied its term's first entry.
  [[nodiscard]] bool serves() const { return steward_.has_value(); }
  // Stands for election or has just won it: asks may wait here for the outcome.
  [[nodiscard]] bool may_serve_soon() const {
    return core_.role() == raft::Role::kLeader || core_.role() == raft::Role::kCandidate;
  }
  [[nodiscard]] NodeId leader() const { return node_of(core_.leader()); }
  [[nodiscard]] const raft::Core& core() const { return core_; }
  [[nodiscard]] const TokenStore& store() const { return store_; }
  [[nodiscard]] const HomeDesk* home() const { return home_ ? &*home_ : nullptr; }
  // The shard's time by this leader's clock; nothing while another one leads.
  [[nodiscard]] std::optional<Stamp> stamp(Instant now) const {
    return steward_ ? std::optional(steward_->stamp(now.slow)) : std::nullopt;
  }
  [[nodiscard]] ReplicaReport report(Instant now) const;
  // Ledgers led here, for the status.
  [[nodiscard]] std::vector<PoolReport> pools(Instant now) const;
  void check_invariants() const;

 private:
  struct Origin {
    NodeId from;
    Ticket ticket = 0;
  };
  struct Taken {
    NodeId from;
    Ticket ticket = 0;
  };
  // What waits for an entry of ours to be applied.
  struct Proposal {
    std::optional<Origin> submitted;
    std::vector<Taken> takes;
    std::vector<Taken> settles = {};
    raft::Term term;
    std::optional<LedgerId> opens;       // the key that an OpenLedger is about
    std::vector<std::string> held = {};  // limits whose keys wait for this change
    bool rotation = false;               // a Handover or its cancellation
    bool ahead = false;                  // the ahead desk's
  };
  // A planned rotation (semantics 3.8). From the proposal of the Handover on, this leader neither
  // decides nor renews nor reclaims, until its CancelHandover is applied.
  enum class Rotation : std::uint8_t { kNone, kHandingOver, kTransferring, kCancelling };
  struct LastHandover {
    raft::Index index;
    Handover command;
  };

  void propose(Command command, Proposal proposal, Instant now);
  void refuse(const Proposal& proposal, bool unknown);
  void apply(const std::vector<raft::Entry>& entries, Instant now, Actions& out);
  void apply_one(const raft::Entry& entry, Instant now);
  void answer(const Proposal& proposal, const Outcome& outcome);
  void flush_core(Instant now, Actions& out);
  void hear_core(Instant now, Actions& out);
  void keep(raft::Persist persist, Actions& out);
  // replica_placement.cc
  void switch_conf(const raft::Entry& entry, Instant now);
  void note_unfit(const std::vector<Site>& sites);
  void compact(Instant now, Actions& out);
  // A snapshot is only a mark until somebody needs it: the bytes of a large state would otherwise
  // be made, and kept, for nobody.
  void mark_snapshot(Instant now);
  // In place of the mark, what is applied by now.
  void send_snapshot(raft::Message install, Instant now);
  // A follower that is there needs entries up to this one.
  [[nodiscard]] bool lags_behind(raft::Index index) const;
  void run_ferry(Instant now);
  [[nodiscard]] bool readable(const raft::Snapshot& snapshot) const;
  [[nodiscard]] raft::ReplicaId fresh_id(NodeId node) const;
  void on_role(const raft::RoleChange& role, Instant now);
  void restore(const raft::Snapshot& snapshot);
  void take_office(Instant now);
  void leave_office();
  void finish_reads(Instant now);
  void flush_strict(Instant now);
  void run_home(Instant now);
  // replica_ahead.cc
  void flush_ahead(Instant now);
  void spent_ahead(const Command& command, const Outcome& outcome, Instant now);
  void decide_home(NodeId from, const Ask& ask, Instant now);
  void refuse_waiting();
  [[nodiscard]] base::TimePoint ahead_deadline(Instant now) const;
  void decide_or_hold(NodeId from, const Ask& ask, Instant now);
  void answer_held(Instant now);
  [[nodiscard]] base::TimePoint term_end(Instant now) const;
  void rotate(Instant now);
  void begin_rotation(Instant now);
  void rotation_applied(const Command& command, Instant now);
  void cancel_rotation(Instant now);
  void rotation_refused(Instant now);
  [[nodiscard]] std::optional<raft::ReplicaId> successor() const;
  // Whom to ask instead of us.
  [[nodiscard]] NodeId hint() const;
  void do_work(Instant now);
  GroupWrite& write(Actions& out);

  ReplicaConfig config_;
  const Codec& codec_;
  raft::Core core_;
  TokenStore store_;
  std::optional<Steward> steward_;
  std::optional<HomeDesk> home_;
  base::TimePoint leader_since_{};
  base::TimePoint next_rotation_ = base::kNever;
  raft::Term term_;

  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, Proposal> proposed_;  // by ticket, not accepted yet
  std::map<raft::Index, Proposal> accepted_;
  // Read rounds: what each was for. Zero token: the home desk's.
  struct Round {
    std::uint64_t token = 0;
    Instant started;
    std::optional<raft::Index> ready;
  };
  std::map<std::uint64_t, Round> rounds_;
  bool home_round_open_ = false;
  base::TimePoint next_home_round_{};

  std::deque<std::pair<Taken, StrictTake>> strict_;
  std::deque<std::pair<Taken, StrictSettle>> settles_;
  bool strict_in_flight_ = false;
  std::map<std::pair<NodeId, Ticket>, Ask> held_;  // asks that wait for office or authority
  std::vector<std::pair<NodeId, Ask>> passed_on_;

  Rotation rotation_ = Rotation::kNone;
  raft::ReplicaId successor_;
  bool leaving_ = false;
  std::set<NodeId> unfit_;                // no office is handed to them: they drain or leave
  std::optional<LastHandover> handover_;  // until an entry after its successor's first is applied
  std::uint64_t uncompacted_bytes_ = 0;

  SnapshotFerry ferry_;
  bool conf_changed_ = false;                             // since the last snapshot
  std::map<raft::ReplicaId, base::TimePoint> last_seen_;  // of voters, while leading

  StewardWork work_;
  std::vector<Send> sends_;
  raft::Actions raft_;
};

}  // namespace brigade::node
