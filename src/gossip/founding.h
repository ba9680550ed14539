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
  bool founder = false;                 // in its own seed list
  std::vector<std::string> unanswered;  // seeds not heard from
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
  FoundingConfig config_;
  FoundingRecord record_;
  base::Prng dice_;
};

}  // namespace brigade::gossip
