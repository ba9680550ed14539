// Drives the membership core: its datagrams and exchanges over Peers, and what it learns of other
// members to the node.
//
// Threads: single-threaded (the loop's). Order: `touch` is called after anything that may have
// moved next_deadline() without the owner's doing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/cluster/peers.h"
#include "gossip/core.h"
#include "host/clock.h"
#include "node/node.h"

namespace brigade::app {

// "alive", "suspect", "dead" or "left".
const char* to_text(gossip::MemberState state);

class Membership {
 public:
  // Everything outlives this.
  struct Outside {
    Peers& peers;
    node::Node& node;
    host::Clock& clock;
    std::function<void()> touch;
    // The cluster will not have this node; a sentence for whoever started it.
    std::function<void(const std::string& problem)> refused;
  };

  Membership(Outside outside, gossip::Identity self, base::Prng dice);

  // Seeds to sync with now, and whenever no live member is known behind them.
  void join(std::vector<std::string> seeds);
  void received(const std::string& from, gossip::Datagram datagram);
  void requested(gossip::StreamMessage message, net::Answer answer);
  void publish(const node::NodeDigest& digest);
  // The cluster removed this member for good.
  void removed(base::NodeId member);
  // Says goodbye, so that a stop on purpose is not taken for a failure.
  void leave();
  [[nodiscard]] bool left() const { return left_; }

  // Does what is due.
  void wake();
  [[nodiscard]] base::TimePoint next_deadline() const { return core_.next_deadline(); }
  [[nodiscard]] const gossip::Core& core() const { return core_; }

 private:
  void step(const gossip::Input& input);
  void perform(const gossip::Action& action);
  void changed(const gossip::Member& member);
  void heard(base::NodeId from);
  void ask(const gossip::SendStream& send);
  void on(const gossip::Conflict& conflict);
  void on(const gossip::JoinRefused& refusal);

  Outside outside_;
  gossip::Core core_;
  gossip::Actions actions_;
  bool left_ = false;
  net::Answer answer_;  // of the exchange that this step answers
  // Exchanges that end when this object is gone see that.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace brigade::app
