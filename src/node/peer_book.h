// What this node believes about its peers as lenders: who lives, how far, how free, how reliable.
// Beliefs only choose whom to ask; a wrong one costs a round trip, never a token.
//
// Threads: single-threaded (owner: node).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "bucket/breaker.h"
#include "bucket/lending.h"
#include "node/messages.h"

namespace brigade::node {

class PeerBook {
 public:
  static constexpr std::size_t kMaxLimitsPerPeer = 256;

  struct Home {
    std::string region;
    std::string zone;
  };
  explicit PeerBook(Home home) : home_(std::move(home)) {}

  // ---- what is learnt ----
  void joined(NodeId peer, const Home& where);
  void left(NodeId peer);
  void free_tokens(NodeId peer, std::uint64_t limit, Tokens free, base::TimePoint now);
  // The same from somebody else, of unknown age: counts where nothing is known or it is old.
  void hearsay(NodeId peer, std::uint64_t limit, Tokens free, base::TimePoint now);
  void answered(NodeId peer, base::Duration rtt, base::TimePoint now);
  void failed(NodeId peer, base::TimePoint now);

  // How much rather than others this peer should lend by karma: -1000 .. 1000.
  void credit(NodeId peer, std::uint64_t limit, bucket::Permille rank);
  // What changed hands, of whatever limit.
  void lent(NodeId peer, Tokens amount);
  void borrowed(NodeId peer, Tokens amount);
  // A busy peer lends before others: what it holds is served sooner elsewhere.
  void pressed(NodeId peer, bool is);

  // ---- what is asked ----
  // Peers worth asking for tokens of this limit, in NodeId order, for bucket::choose. Of a peer
  // that said nothing lately this much is presumed.
  [[nodiscard]] std::vector<bucket::Candidate> candidates(std::uint64_t limit, Tokens presumed,
                                                          base::TimePoint now) const;
  [[nodiscard]] bucket::Permille credit_of(NodeId peer, std::uint64_t limit) const;
  // The best few known lenders, most free first.
  [[nodiscard]] std::vector<Lender> top_lenders(std::uint64_t limit, NodeId except,
                                                base::TimePoint now) const;
  // The slowest believable round trip to any live peer; at least 200 us.
  [[nodiscard]] base::Duration rtt_p99() const;
  // Call before a request leaves: the breaker of this peer counts a probe.
  bool admit(NodeId peer, base::TimePoint now);
  [[nodiscard]] bool empty() const { return peers_.empty(); }

  // What those that may be chosen can have by `until`, all together: what they said, and what the
  // limit, of this rate, mints after that. The largest amount when one may have anything.
  [[nodiscard]] Tokens free_together(std::uint64_t limit, Rate rate, base::TimePoint now,
                                     base::TimePoint until) const;
  // What changed hands between this node and each peer since it came to know it, of all limits.
  struct Traded {
    Tokens lent;
    Tokens borrowed;
  };
  [[nodiscard]] Traded traded(NodeId peer) const;

  // The name by which digests speak of a limit.
  static std::uint64_t hash_of(const LedgerId& ledger);

 private:
  struct Free {
    Tokens tokens;
    base::TimePoint at;
  };
  struct Peer {
    Peer();
    Home where;
    base::Duration rtt = base::milliseconds(1);        // moving average
    base::Duration deviation = base::milliseconds(1);  // moving mean deviation
    bucket::Breaker breaker;
    bool pressed = false;
    Traded traded;
    std::map<std::uint64_t, Free> free;
    std::map<std::uint64_t, bucket::Permille> credits;  // by limit; 0 is not kept
  };

  Home home_;
  std::map<NodeId, Peer> peers_;
};

}  // namespace brigade::node
