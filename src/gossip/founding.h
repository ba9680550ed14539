// How a cluster comes into being, once: the seeds' ballot (semantics 8). Single-decree Paxos in
// which *every* founder must promise and accept, so that two overlapping sets of founders never
// found two clusters, whatever is lost, repeated, reordered or crashed.
//
// Threads: single-threaded (owner: the node). Owner: starts it unless the data directory is
// initialised, and then as well: it answers the seeds that ask.
// Invariants: (1) votes are for ballots >= every promise given before; (2) a proposer brings
// forward a charter only after all of the charter's founders promised, and then the one accepted at
// the highest ballot that they reported, if any; (3) an initialised node never votes.
// Why it is safe although seed lists may differ: if charter v is chosen, every founder of v has
// accepted it; a later proposal of v' != v whose founders share F with v needs F's promise, F
// reports v or something later accepted, and by induction that is v.
// Limits: --expect below the number of seeds tolerates absent seeds, and pays for it: a founder
// whose data was wiped counts as a new node, so then two clusters are possible.
// Source: Lamport, Paxos Made Simple (2001); Howard et al., Flexible Paxos (2016).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/note.h"
#include "base/prng.h"
#include "base/time.h"
#include "gossip/founding_messages.h"

namespace brigade::gossip {

using base::Duration;
using base::TimePoint;

// Bugs that a test can plant to see that its checkers notice. Never set outside tests.
enum class FoundingPlant : std::uint8_t {
  kNone,
  kPromisesTwice,        // promises a lower ballot after a higher one
  kIgnoresAccepted,      // proposes its own charter although another was accepted
  kSpeaksBeforeDurable,  // sends before the record is durable
  kMajorityIsEnough,     // takes a majority of founders for all of them
};

struct FoundingConfig {
  Founder self;
  std::string cluster_name;
  std::vector<std::string> seeds;  // empty: a cluster of one
  // How many founders there are; 0: as many as distinct seeds. Requires: > half the seeds.
  std::uint32_t expect = 0;
  Bytes settings;  // brought forward in this node's charter
  Duration ask_interval = base::milliseconds(500);
  // How long a founder leaves the ballot to founders with lower ids, per rank; also the first
  // back-off after a lost round, doubled up to 16 times.
  Duration patience = base::seconds(1);
  FoundingPlant plant = FoundingPlant::kNone;
};

// Everything that must survive a crash; written whole.
struct FoundingRecord {
  Ballot promised;
  std::optional<Vote> accepted;
  std::optional<Charter> founded;  // we founded this cluster
  ClusterId joined;                // zero, or the cluster that we joined instead
  friend bool operator==(const FoundingRecord&, const FoundingRecord&) = default;
};

// ---- inputs ----
struct FoundingReceived {
  FoundingMessage message;
};
// Persists are completed in order.
struct FoundingPersisted {
  std::uint64_t sequence = 0;
};
struct FoundingTimeout {};
using FoundingInput = std::variant<FoundingReceived, FoundingPersisted, FoundingTimeout>;

// ---- actions ----
struct SendFounding {
  std::string address;
  FoundingMessage message;
};
// Make `record` durable, then send `then`, then report FoundingPersisted{sequence}.
struct PersistFounding {
  std::uint64_t sequence = 0;
  FoundingRecord record;
  std::vector<SendFounding> then;
};
// The cluster exists and this node is one of its founders; durable. Told once per process.
struct ClusterFounded {
  Charter charter;
};
// The seeds belong to this cluster: join it through `address`. Durable. Told once per process.
struct JoinCluster {
  ClusterId cluster;
  std::string address;
};
// Something that people must put right; told once per address and reason. Asking goes on.
struct FoundingRefused {
  FoundingObstacle reason = FoundingObstacle::kOtherClusterName;
  std::string address;
};
using FoundingAction = std::variant<SendFounding, PersistFounding, ClusterFounded, JoinCluster,
                                    FoundingRefused, base::Note>;
using FoundingActions = std::vector<FoundingAction>;

// Why there is no cluster yet.
struct FoundingProgress {
  enum class Phase : std::uint8_t {
    kAsking,      // seeds have not answered
    kListening,   // all there; a founder with a lower id proposes first
    kPreparing,   // our ballot, promises missing
    kProposing,   // our ballot, votes missing
    kPersisting,  // decided, not durable yet
    kDone,
  };
  Phase phase = Phase::kAsking;
  bool founder = false;  // in its own seed list
  // A seed that said who it is. `kInitialised`: of a cluster that this node does not join.
  struct Present {
    Founder seed;
    FoundingStage stage = FoundingStage::kJoining;
  };
  std::vector<Present> present;         // the other seeds, by address
  std::size_t wanted = 1;               // founders, this node included
  std::vector<std::string> unanswered;  // seeds that are not there to vote
  std::vector<Founder> undecided;       // founders whose promise or vote is missing
};

class Founding {
 public:
  // `record` is what the data directory holds; default when it is new. `dice` also draws the
  // cluster id: seed it with entropy.
  Founding(FoundingConfig config, FoundingRecord record, base::Prng dice, TimePoint now);

  void step(const FoundingInput& input, TimePoint now, FoundingActions& out);
  // Due at once after construction.
  [[nodiscard]] TimePoint next_deadline() const;
  void check_invariants() const;

  [[nodiscard]] FoundingProgress progress() const;
  [[nodiscard]] const FoundingRecord& record() const { return record_; }

 private:
  // A seed that answered, or anybody else who spoke to us before there was a cluster.
  struct Peer {
    Founder founder;
    bool votes = false;  // not a member of a cluster
    std::optional<FoundingStage> stage;
  };
  // Our own ballot under way.
  struct Round {
    Ballot ballot;
    bool proposing = false;            // phase 2
    Charter charter;                   // phase 2: what is proposed; before: our own
    std::map<NodeId, Founder> needed;  // whose promises, then votes, are needed
    std::set<NodeId> answered;         // who promised, then who voted, durably
    std::optional<Vote> highest;       // of the votes that were reported
    TimePoint deadline;                // then it is given up
  };
  // What becomes true when a record is durable.
  enum class Pending : std::uint8_t { kVote, kOwnPromise, kOwnVote, kDecision };

  void on(const Founder& from, const WhoAreYou&, TimePoint now, FoundingActions& out);
  void on(const Founder& from, const IAm& answer, TimePoint now, FoundingActions& out);
  void on(const Founder& from, const Prepare& prepare, TimePoint now, FoundingActions& out);
  void on(const Founder& from, const Promise& promise, TimePoint now, FoundingActions& out);
  void on(const Founder& from, const Accept& accept, TimePoint now, FoundingActions& out);
  void on(const Founder& from, const Accepted& accepted, TimePoint now, FoundingActions& out);
  void on(const Founder& from, const Outbid& outbid, TimePoint now, FoundingActions& out);
  void on(const Founder& from, const FoundingRefusal& refusal, TimePoint now, FoundingActions& out);

  void time_passes(TimePoint now, FoundingActions& out);
  void ask(FoundingActions& out) const;
  [[nodiscard]] bool meet(const FoundingMessage& message, FoundingActions& out);
  [[nodiscard]] bool is_seed(const std::string& address) const;
  [[nodiscard]] std::vector<Founder> founders() const;  // ascending ids, this node too
  [[nodiscard]] std::size_t wanted() const;
  [[nodiscard]] std::vector<std::string> unanswered() const;
  void consider_proposing(TimePoint now, FoundingActions& out);
  void yield(TimePoint now);
  [[nodiscard]] Duration back_off();
  void propose(TimePoint now, FoundingActions& out);
  void repeat_round(FoundingActions& out) const;
  void promised_by(const Founder& from, const std::optional<Vote>& accepted, FoundingActions& out);
  void voted_by(NodeId from, FoundingActions& out);
  void begin_phase_two(FoundingActions& out);
  void decide(const Charter& charter, FoundingActions& out);
  void join(ClusterId cluster, const std::string& address, FoundingActions& out);
  void refuse(FoundingObstacle reason, const std::string& address, FoundingActions& out);
  void persist(Pending pending, std::vector<SendFounding> then, FoundingActions& out);
  void durable(Pending pending, FoundingActions& out);
  [[nodiscard]] bool member() const;
  [[nodiscard]] IAm who_i_am() const;
  [[nodiscard]] SendFounding to(const std::string& address,
                                decltype(FoundingMessage::body) body) const;
  void send(const std::string& address, decltype(FoundingMessage::body) body,
            FoundingActions& out) const;

  FoundingConfig config_;
  FoundingRecord record_;
  base::Prng dice_;
  bool founder_ = false;               // in its own seed list
  std::map<std::string, Peer> peers_;  // by address; the newest node at an address counts
  std::optional<Round> round_;
  std::map<std::uint64_t, Pending> pending_;  // persists under way
  std::uint64_t next_sequence_ = 1;
  std::uint64_t highest_round_ = 0;  // of any ballot heard of
  std::uint32_t lost_rounds_ = 0;
  std::string join_address_;
  bool told_ = false;  // that there is a cluster
  std::set<std::pair<std::string, FoundingObstacle>> refusals_told_;
  TimePoint ask_at_;
  TimePoint propose_at_ = base::kNever;  // all founders are known; ours to propose then
};

}  // namespace brigade::gossip
