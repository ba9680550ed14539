// Drives the founding core until this node belongs to a cluster, and afterwards for seeds that ask:
// messages over Peers, votes made durable by the storage thread.
//
// Threads: single-threaded (the loop's).
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "app/cluster/peers.h"
#include "app/storage_thread.h"
#include "gossip/founding.h"
#include "host/clock.h"

namespace brigade::app {

class Founder {
 public:
  // Everything outlives this.
  struct Outside {
    Peers& peers;
    StorageThread& storage;
    host::Clock& clock;
    std::function<void()> touch;
    // This node is one of the cluster's founders.
    std::function<void(const gossip::Charter&)> founded;
    // The seeds belong to a cluster; this is its charter.
    std::function<void(const gossip::Charter&)> joined;
    // Something that people must put right: a sentence, and whether there is hope without them.
    std::function<void(const std::string& problem, bool fatal)> refused;
  };

  Founder(Outside outside, gossip::FoundingConfig config, gossip::FoundingRecord record,
          base::Prng dice);

  void received(const gossip::FoundingMessage& message);
  // Does what is due.
  void wake();
  [[nodiscard]] base::TimePoint next_deadline() const {
    return std::min(core_.next_deadline(), join_at_);
  }
  // What it waits for, as a sentence: who is there, who is missing and what they answered.
  [[nodiscard]] std::string waiting_for() const;

 private:
  // What came of the last messages to a seed.
  struct Heard {
    std::string problem;
    int arrived = 0;  // in a row
  };

  void step(const gossip::FoundingInput& input);
  void perform(gossip::FoundingAction& action);
  void send(const gossip::SendFounding& send);
  void persist(gossip::PersistFounding& persist);
  void refuse(const gossip::FoundingRefused& refusal);
  void fetch_charter();
  void heard(const std::string& address, const base::Result<net::Exchanged>& answer);
  [[nodiscard]] std::string about(const std::string& seed) const;
  [[nodiscard]] std::string waiting_to_found(const gossip::FoundingProgress& progress) const;
  [[nodiscard]] std::string waiting_to_join(const gossip::FoundingProgress& progress) const;

  Outside outside_;
  gossip::FoundingConfig config_;
  gossip::Founding core_;
  gossip::FoundingActions actions_;
  gossip::JoinCluster join_;                // whose charter is wanted
  base::TimePoint join_at_ = base::kNever;  // when it is asked for again
  std::map<std::string, Heard> heard_;      // by seed
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace brigade::app
