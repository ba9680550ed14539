// SWIM membership with Lifeguard's local health, dynamic suspicion and buddy system; digests;
// push/pull. It hints: who may vote is decided by Raft, never here (semantics 8).
//
// Threads: single-threaded (owner: the node). Time: `now` never goes backwards.
// Limits: kMembersMax members; one piece of news and one digest per member wait to be sent.
// Cluster id: a message of another cluster is dropped with a note. A node without a cluster sends
// and hears nothing but its own SyncRequest to seeds, and takes the id of the first that answers.
// Source: SWIM (2002) sections 3-4; Lifeguard (2017); divergences from memberlist are said where
// they happen.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "gossip/actions.h"
#include "gossip/config.h"
#include "gossip/messages.h"

namespace brigade::gossip {

using base::TimePoint;

// Who this node is. The owner stores id, cluster and the number of starts with the data.
struct Identity {
  ClusterId cluster;  // zero while it belongs to none: it must join
  std::string cluster_name;
  NodeId id;
  std::string name;
  std::string address;  // as advertised
  Bytes meta;
  Incarnation incarnation;  // Incarnation::of_start(starts), larger at every start
};

struct DigestView {
  Bytes content;
  Incarnation incarnation;
  std::uint64_t version = 0;  // newer ones are larger within one incarnation
  TimePoint received_at;      // of this version, on our clock
};

// Why a node is not a member yet.
struct JoinProgress {
  bool joined = false;
  std::vector<std::string> unanswered;  // seeds behind which no live member is known
  std::optional<JoinRefused> refused;   // the last refusal
};

struct Stats {
  std::uint64_t datagrams_sent = 0;
  std::uint64_t bytes_sent_bound = 0;  // by size_bound, datagrams only
  std::uint64_t probes = 0;
  std::uint64_t probes_failed = 0;
  std::uint64_t refutations = 0;
  std::uint64_t syncs = 0;
  std::uint64_t syncs_full = 0;  // those whose views differed
  std::uint64_t dropped = 0;     // malformed, of another cluster, implausible
};

class Core {
 public:
  Core(const Config& config, Identity self, base::Prng dice, TimePoint now);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void step(const Input& input, TimePoint now, Actions& out);
  // When the next Timeout is due; base::kNever if nothing waits.
  [[nodiscard]] TimePoint next_deadline() const;
  void check_invariants() const;

  [[nodiscard]] const Member& self() const;
  [[nodiscard]] ClusterId cluster() const;
  // Every known member, this node too, in the order of ids.
  [[nodiscard]] std::vector<Member> members() const;
  // Null when unknown; this node's own record for its own id. Valid until the next step.
  [[nodiscard]] const Member* find(NodeId id) const;
  // How many members are alive or suspect, this node included.
  [[nodiscard]] std::size_t live_count() const;
  // The newest digest heard of a member; the published one for this node's own id.
  [[nodiscard]] std::optional<DigestView> digest(NodeId id) const;
  // Lifeguard's local health: 0 is well, Config::health_max - 1 is worst.
  [[nodiscard]] std::uint32_t health() const;
  [[nodiscard]] JoinProgress join_progress() const;
  [[nodiscard]] const Stats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace brigade::gossip
