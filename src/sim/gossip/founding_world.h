// Founding cores in a deterministic world: a network that loses, doubles, delays and reorders,
// disks that take their time, crashes that lose what was not durable. Same seed, same hash.
//
// After every event: no two clusters that share a founder, all founders of a cluster agree on its
// charter, the core's own invariants. The first violation is kept in broken() and ends the run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "base/prng.h"
#include "gossip/founding.h"

namespace brigade::sim {

struct FoundingFaults {
  std::uint32_t loss_permille = 0;
  std::uint32_t double_permille = 0;
  base::Duration delay_max = base::milliseconds(2);
  base::Duration disk_max = base::milliseconds(5);
};

class FoundingWorld {
 public:
  FoundingWorld(std::uint64_t seed, gossip::FoundingPlant plant);
  FoundingWorld(const FoundingWorld&) = delete;  // events point to it
  FoundingWorld& operator=(const FoundingWorld&) = delete;

  // A machine that is not running yet; returns its number. Its seeds are machines' numbers.
  std::size_t add(std::vector<std::size_t> seeds, std::uint32_t expect = 0,
                  const std::string& cluster_name = "c");
  void rename(std::size_t machine, const std::string& name);
  void start(std::size_t machine);
  void crash(std::size_t machine);
  // New disk, new node id, same address.
  void wipe(std::size_t machine);
  void set_faults(const FoundingFaults& faults) { faults_ = faults; }
  void run_for(base::Duration span);

  [[nodiscard]] base::TimePoint now() const { return now_; }
  [[nodiscard]] bool running(std::size_t machine) const {
    return machines_[machine].core != nullptr;
  }
  // The cluster whose member it is, durably and by its own word; zero: none.
  [[nodiscard]] base::ClusterId cluster(std::size_t machine) const;
  [[nodiscard]] const gossip::Founding& core(std::size_t machine) const {
    return *machines_[machine].core;
  }
  [[nodiscard]] const std::vector<gossip::FoundingRefused>& refusals(std::size_t machine) const {
    return machines_[machine].refusals;
  }
  // Why not all running machines of this list are members of one cluster; empty if they are.
  [[nodiscard]] std::string apart(const std::vector<std::size_t>& machines) const;
  [[nodiscard]] const std::string& broken() const { return broken_; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  struct Machine {
    gossip::Founder self;
    std::vector<std::size_t> seeds;
    std::uint32_t expect = 0;
    std::string cluster_name;
    gossip::FoundingRecord disk;
    std::unique_ptr<gossip::Founding> core;  // null while down
    std::uint32_t life = 0;
    base::TimePoint disk_free;
    base::TimePoint wakes = base::kNever;
    base::ClusterId cluster;  // told by ClusterFounded or JoinCluster, in this life
    std::vector<gossip::FoundingRefused> refusals;
  };
  struct Event {
    base::TimePoint at;
    std::uint64_t order = 0;
    std::function<void()> act;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  static std::string address(std::size_t machine);
  void at(base::TimePoint when, std::function<void()> act);
  void step(Machine& machine, const gossip::FoundingInput& input);
  void perform(Machine& machine, gossip::FoundingAction& action);
  void deliver(const gossip::SendFounding& send);
  void store(Machine& machine, gossip::PersistFounding& persist);
  void told(Machine& machine, base::ClusterId cluster);
  void arm(Machine& machine);
  void check(const Machine& machine);
  base::Duration upto(base::Duration most);

  gossip::FoundingPlant plant_;
  base::Prng dice_;
  FoundingFaults faults_;
  base::TimePoint now_{base::seconds(1000)};
  std::uint64_t order_ = 0;
  std::uint64_t hash_ = 14695981039346656037U;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Machine> machines_;
  std::map<base::ClusterId, gossip::Charter> charters_;  // of clusters that were founded
  std::map<base::NodeId, base::ClusterId> founder_of_;   // by a charter that was founded
  std::string broken_;
};

}  // namespace brigade::sim
