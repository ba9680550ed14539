// One replica of one Raft group: consensus as a pure state machine.
//
// Source: Ongaro and Ousterhout 2014 ("paper"), Ongaro's dissertation 2014 ("thesis"). Divergences:
// pre-vote and check-quorum together (thesis 9.6 leaves them apart); configurations take effect
// when committed, not when appended; read rounds are numbered by the leader, never by the asker
// (etcd 20418). Threads: single-threaded (owner: node). Time: handed in, monotone. Contract of a
// driver, every turn: step() any inputs, then flush() once and perform the actions:
//   Persist  write the records, all or nothing, in order; when durable, deliver `then` (messages to
//   `self`
//            by step()) and step(Stored). Nothing that depends on a record can leave earlier: it is
//            in `then`, and only there.
//   Send     may leave at once.
//   Apply    apply in order; step(SwitchConf) at each configuration entry, then step(Applied).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/note.h"
#include "base/prng.h"
#include "base/time.h"
#include "raft/config.h"
#include "raft/log.h"
#include "raft/membership.h"
#include "raft/messages.h"

namespace brigade::raft {

using base::Duration;
using base::TimePoint;

// ---- inputs ----
struct Timeout {};   // a deadline may have passed; spurious ones are harmless
struct Campaign {};  // stand for election now, as if the election timeout had passed
struct Propose {
  base::Bytes data;
  std::uint64_t ticket = 0;  // echoed in Accepted or Refused
};
struct ProposeConf {
  ConfChange change;
  bool single = false;  // the older, one-change form of the entry
  std::uint64_t ticket = 0;
};
struct ReadIndex {
  std::uint64_t ticket = 0;
};
struct TransferTo {
  ReplicaId replica;
};
struct ForgetLeader {};
struct Unreachable {
  ReplicaId replica;
};
struct SnapshotSent {  // the driver's word on a snapshot that it streamed
  ReplicaId replica;
  bool delivered = false;
};
// What storage made durable: the acknowledgement that a Persist carried.
struct Stored {
  Term term;       // of the replica when it asked
  EntryId last;    // zero: no entries
  Index snapshot;  // zero: no snapshot
};
struct SwitchConf {
  Index index;  // of an applied configuration entry
};
struct Applied {
  Index index;
};
// The state machine's snapshot as of an applied index, `conf` its configuration then. A driver may
// leave the state out, if it puts a whole snapshot of then or later in its place when it is sent.
struct SnapshotTaken {
  Index index;
  base::Bytes state;
};
struct CompactTo {
  Index index;
};
using Input = std::variant<Message, Timeout, Campaign, Propose, ProposeConf, ReadIndex, TransferTo,
                           ForgetLeader, Unreachable, SnapshotSent, Stored, SwitchConf, Applied,
                           SnapshotTaken, CompactTo>;

// ---- actions ----
struct Persist {
  std::optional<HardState> hard;  // when it changed
  std::vector<Entry> entries;     // replace everything from the first one's index on
  std::shared_ptr<const Snapshot> snapshot;
  bool sync = false;  // term, vote or entries changed: must be durable before `then`
  std::vector<Message> then;
  std::optional<Stored> acknowledge;
};
struct Accepted {
  std::uint64_t ticket = 0;
  EntryId id;
};
struct Refused {  // not the leader, leaving, or too much uncommitted: nothing happened
  std::uint64_t ticket = 0;
};
struct ReadReady {  // leadership was confirmed by a round started after the request; read once
                    // applied >= index
  std::uint64_t ticket = 0;
  Index index;
};
struct ReadRefused {
  std::uint64_t ticket = 0;
};

enum class Role : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };
struct RoleChange {
  Role role = Role::kFollower;
  Term term;
  ReplicaId leader;
  friend bool operator==(const RoleChange&, const RoleChange&) = default;
};

struct Actions {
  std::vector<Message> sends;
  std::optional<Persist> persist;
  std::vector<Entry> apply;
  std::vector<Accepted> accepted;
  std::vector<Refused> refused;
  std::vector<ReadReady> reads;
  std::vector<ReadRefused> reads_refused;
  std::optional<RoleChange> role;
  std::vector<base::Note> notes;

  void clear();
};

// What storage kept.
struct Restored {
  HardState hard;
  Snapshot snapshot;  // at least its `last` and `conf`
  std::vector<Entry> entries;
  Index applied;
};

class Core {
 public:
  Core(Config config, base::Prng dice, const Restored& restored, TimePoint now);

  void step(const Input& input, TimePoint now);
  // Whether flush() would have anything to do.
  [[nodiscard]] bool pending() const;
  // Appends this turn's effects to `out`.
  void flush(Actions& out);
  // When step(Timeout) is wanted next; nullopt: never.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] Term term() const { return hard_.term; }
  [[nodiscard]] ReplicaId vote() const { return hard_.vote; }
  [[nodiscard]] ReplicaId leader() const { return leader_; }
  [[nodiscard]] ReplicaId self() const { return config_.self; }
  [[nodiscard]] const Log& log() const { return log_; }
  [[nodiscard]] const Membership& membership() const { return members_; }
  [[nodiscard]] bool transferring() const { return static_cast<bool>(transferee_); }
  // To whom; zero: to nobody.
  [[nodiscard]] ReplicaId heir() const { return transferee_; }
  // A configuration change is under way: no other may begin.
  [[nodiscard]] bool changing_conf() const {
    return pending_conf_ > log_.applied() || members_.voters.joint();
  }
  // The leader has committed an entry of its own term (thesis 6.4).
  [[nodiscard]] bool committed_in_term() const;
  // Index of this term's first entry while leading.
  [[nodiscard]] Index first_of_term() const { return first_of_term_; }
  void check_invariants() const;

  // Replaces this period's drawn election timeout; for transcripts.
  void set_election_timeout(Duration timeout) { election_timeout_ = timeout; }

 private:
  struct Read {
    std::uint64_t round = 0;
    std::uint64_t ticket = 0;
    Index index;
  };

  // core.cc
  void on(const Message& message);
  void on(const Timeout&);
  void on(const Campaign&);
  void on(const Propose& input);
  void on(const ProposeConf& input);
  void on(const ReadIndex& input);
  void on(const TransferTo& input);
  void on(const ForgetLeader&);
  void on(const Unreachable& input);
  void on(const SnapshotSent& input);
  void on(const Stored& input);
  void on(const SwitchConf& input);
  void on(const Applied& input);
  void on(const SnapshotTaken& input);
  void on(const CompactTo& input);
  void send(ReplicaId to, Body body);
  void send_at(ReplicaId to, Term term, Body body);
  void note(const char* event, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0);

  // election.cc
  bool screen_term(const Message& message);
  void answer_stale(const Message& message);
  [[nodiscard]] bool sticky() const;
  void become_follower(Term term, ReplicaId leader);
  void become_pre_candidate();
  void become_candidate();
  void become_leader();
  void reset(Term term);
  void hup(bool transfer);
  void on_timeout_now(const TimeoutNow& offer);
  void campaign(bool pre, bool transfer);
  void on_vote_request(const Message& message, const VoteRequest& request);
  void on_vote_reply(const Message& message, const VoteReply& reply);
  bool learn_committed(const EntryId& committed);
  [[nodiscard]] bool promotable() const;

  // follower.cc
  void on_append(ReplicaId from, const Append& append);
  void on_heartbeat(ReplicaId from, const Heartbeat& heartbeat);
  void on_snapshot(ReplicaId from, const InstallSnapshot& install);
  bool restore_snapshot(const std::shared_ptr<const Snapshot>& snapshot);
  bool heed_leader(ReplicaId from);

  // leader.cc
  // What this leader knows of a replica; null while it leads nobody, or not that one.
  Progress* followed(ReplicaId id);
  bool append_entry(Entry entry, std::uint64_t ticket);
  void on_append_reply(ReplicaId from, const AppendReply& reply);
  void on_accepted_append(ReplicaId from, Progress& progress, Index index);
  void on_heartbeat_reply(ReplicaId from, const HeartbeatReply& reply);
  void broadcast_append();
  void broadcast_heartbeat();
  bool send_append(ReplicaId to, bool even_if_empty);
  bool send_snapshot(ReplicaId to, Progress& progress);
  bool maybe_commit();
  void check_quorum();
  void propose_conf(const ConfChange& change, EntryKind kind, std::uint64_t ticket);
  void switch_membership(Membership next);
  [[nodiscard]] bool quorum_active() const;
  void abort_transfer() { transferee_ = ReplicaId(); }

  // reads.cc
  void start_read(std::uint64_t ticket);
  void confirm_reads();
  void refuse_reads();

  Config config_;
  base::Prng dice_;
  TimePoint now_;
  HardState hard_;       // term and vote now; commit lives in the log
  HardState persisted_;  // as last handed to storage
  Log log_;
  Membership members_;
  Role role_ = Role::kFollower;
  ReplicaId leader_;
  RoleChange told_;  // the last role change told to the driver
  TimePoint hold_votes_until_;
  TimePoint elapsed_since_;  // election timer: last contact, or last quorum check
  Duration election_timeout_{0};
  TimePoint heartbeat_since_;
  Votes votes_;

  // leader only
  ReplicaId transferee_;
  Index pending_conf_;  // no new change before this is applied
  Index first_of_term_;
  std::size_t uncommitted_bytes_ = 0;
  std::uint64_t read_round_ = 0;
  std::vector<Read> reads_;
  std::vector<std::uint64_t> early_reads_;  // before this term's first commit

  Index applying_;  // handed out in Apply
  std::vector<Message> sends_;
  std::vector<Message> after_;  // may leave once what precedes is durable
  Actions outbox_;              // everything else gathered since the last flush
};

}  // namespace brigade::raft
