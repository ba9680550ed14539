// The members that this node knows, without timers and messages.
//
// Threads: single-threaded (owner: the core). Invariants: (1) this node is not among the peers;
// (2) `live` holds exactly the peers that are alive or suspect; (3) a suspicion exists exactly for
// suspects, and `suspects_` names them; (4) at most kMembersMax peers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/prng.h"
#include "gossip/messages.h"
#include "gossip/suspicion.h"

namespace brigade::gossip {

struct Peer {
  Member member;
  NodeId accuser;                      // who called it suspect or dead last; zero: not known
  TimePoint since;                     // of the state
  std::optional<Suspicion> suspicion;  // of a suspect
};

[[nodiscard]] constexpr bool is_live(MemberState state) {
  return state <= MemberState::kSuspect;
}

class Roster {
 public:
  // Null when unknown.
  [[nodiscard]] Peer* find(NodeId id);
  [[nodiscard]] const Peer* find(NodeId id) const;
  // Makes room by dropping the longest dead if necessary and returns its id through `dropped`.
  // Null when kMembersMax peers are alive. Requires: unknown id, live state.
  Peer* insert(Member member, TimePoint now, std::optional<NodeId>& dropped);
  // Sets the state and keeps `live` in step. Requires: not kSuspect.
  void set_state(Peer& peer, MemberState state, TimePoint now);
  // Makes it a suspect, anew if it is one already.
  void set_suspect(Peer& peer, const Suspicion& suspicion, TimePoint now);
  void erase(NodeId id);

  [[nodiscard]] const std::map<NodeId, Peer>& peers() const { return peers_; }
  [[nodiscard]] const std::vector<NodeId>& live() const { return live_; }

  // Up to `count` distinct live peers other than `except`, alive only, in random order.
  [[nodiscard]] std::vector<NodeId> pick_alive(std::size_t count, NodeId except,
                                               base::Prng& dice) const;
  // Up to `count` distinct peers to talk to: the live ones, and those dead since after
  // `dead_since`.
  [[nodiscard]] std::vector<NodeId> pick_listeners(std::size_t count, TimePoint dead_since,
                                                   base::Prng& dice) const;
  // A live peer with this name and another id; zero if there is none.
  [[nodiscard]] NodeId namesake(const std::string& name, NodeId id) const;
  // Earliest suspicion to end; base::kNever without suspects.
  [[nodiscard]] TimePoint suspicion_deadline() const;
  [[nodiscard]] std::vector<NodeId> expired_suspects(TimePoint now) const;
  void postpone_suspicions(Duration lost);
  // Order-independent hash of live peers and `self` with their incarnations; never 0.
  [[nodiscard]] std::uint64_t view(const Member& self) const;

  void check_invariants() const;

 private:
  std::map<NodeId, Peer> peers_;
  std::vector<NodeId> live_;
  std::set<NodeId> suspects_;

  void change_state(Peer& peer, MemberState state, TimePoint now);
};

}  // namespace brigade::gossip
