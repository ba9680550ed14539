// The newest digest of every member, and whose digest is still to be passed on.
//
// A digest is its publisher's word; the newest wins by (incarnation, version). Passing on is
// bounded per digest (Config::digest_copies) and per second (the digest budget), so that a large
// cluster passes on a random, fresh sample instead of everything.
// Threads: single-threaded (owner: the core).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "gossip/config.h"
#include "gossip/core.h"
#include "gossip/messages.h"
#include "gossip/rumours.h"

namespace brigade::gossip {

// Bytes per second for digests in a cluster of `members`; see Config::small_cluster.
[[nodiscard]] std::int64_t digest_budget(const Config& config, std::size_t members);

class DigestBoard {
 public:
  DigestBoard(const Config& config, NodeId self, TimePoint now);

  // What this node says from its next publication on.
  void set_own(Bytes content);
  // Publishes the own digest when a new one waits or the old one needs repeating.
  void publish(Incarnation incarnation, TimePoint now);
  // When publish() has something to do; base::kNever before the first set_own().
  [[nodiscard]] TimePoint deadline() const;
  // Tells the present digest once more: somebody new listens.
  void announce_own();

  enum class Hearing : std::uint8_t { kNewer, kNothingNew };
  // What somebody passed on about another member than this node.
  Hearing hear(const Digest& digest, TimePoint now);
  // Digests to send now within `room` and the budget of a cluster of `members`.
  std::vector<Digest> tell(Rumours::Room& room, std::size_t members, TimePoint now);
  [[nodiscard]] bool waiting() const { return own_copies_ > 0 || !passing_.empty(); }

  [[nodiscard]] std::optional<DigestView> find(NodeId id) const;
  void forget(NodeId id);
  void check_invariants() const;

 private:
  [[nodiscard]] Digest of(NodeId id) const;

  const Config& config_;  // the core's
  NodeId self_;
  std::map<NodeId, DigestView> newest_;  // this node's own too, once published
  Rumours passing_;                      // others' digests
  std::uint32_t own_copies_ = 0;         // still to be sent of the own one
  std::optional<Bytes> unpublished_;
  TimePoint published_at_;
  std::int64_t allowance_ = 0;  // bytes of digests that may be sent now
  TimePoint refilled_at_;
};

}  // namespace brigade::gossip
