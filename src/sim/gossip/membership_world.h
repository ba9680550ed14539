// Membership cores in a deterministic world: a network that loses, doubles and delays, one-way
// blocks, crashes with restarts, processes that stand still. Same seed, same hash.
//
// After every event the stepped core's invariants are checked, and that no datagram exceeds its
// budget, no member's incarnation and no digest's version goes back, and no stranger's cluster
// gets in. The first violation is kept in broken() and ends the run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "gossip/core.h"

namespace brigade::sim {

using base::Duration;
using base::TimePoint;

struct NetFaults {
  std::uint32_t loss_permille = 0;    // of datagrams
  std::uint32_t double_permille = 0;  // of datagrams
  std::uint32_t slow_permille = 0;    // of datagrams: delayed up to slow_max
  Duration delay_min = std::chrono::microseconds(100);
  Duration delay_max = base::milliseconds(2);
  Duration slow_max = base::seconds(8);
};

class MembershipWorld {
 public:
  MembershipWorld(std::uint64_t seed, gossip::Config config);
  MembershipWorld(const MembershipWorld&) = delete;  // events point to it
  MembershipWorld& operator=(const MembershipWorld&) = delete;

  // A machine of this cluster, not running yet; its seeds are its own to set. Returns its number.
  std::size_t add(gossip::ClusterId cluster = {7, 7});
  void set_seeds(std::size_t machine, const std::vector<std::size_t>& seeds);
  // A new machine that must learn its cluster from a seed.
  void make_newcomer(std::size_t machine);
  // The same machine without its data: another node id at the same address, no cluster.
  void wipe(std::size_t machine);

  void start(std::size_t machine);
  void crash(std::size_t machine);
  void pause(std::size_t machine);
  void resume(std::size_t machine);
  // Cuts one direction; `datagrams_only` leaves streams alone.
  void cut(std::size_t from, std::size_t to, bool datagrams_only = false);
  void mend_all() { cuts_.clear(); }
  void set_faults(const NetFaults& faults) { faults_ = faults; }

  void step(std::size_t machine, const gossip::Input& input);
  // Runs events up to this much later, or until something breaks.
  void run_for(Duration span);

  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] std::size_t size() const { return machines_.size(); }
  [[nodiscard]] bool running(std::size_t machine) const;
  [[nodiscard]] gossip::Core& core(std::size_t machine);
  [[nodiscard]] gossip::NodeId id(std::size_t machine) const;
  [[nodiscard]] std::string address(std::size_t machine) const;
  // What `observer` holds of `subject`; nullopt when unknown.
  [[nodiscard]] std::optional<gossip::MemberState> state(std::size_t observer, std::size_t subject);
  // Every running machine of a cluster holds its running ones alive and no other one live.
  [[nodiscard]] bool converged();
  // First disagreement in words; empty when converged.
  [[nodiscard]] std::string disagreement();

  // Sees every action of every core before it is performed.
  using Watch = std::function<void(std::size_t machine, const gossip::Action& action)>;
  void watch(Watch watch) { watch_ = std::move(watch); }

  [[nodiscard]] const std::string& broken() const { return broken_; }
  void fail(std::string why);
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  struct Machine {
    gossip::Identity identity;
    std::uint32_t starts = 0;
    std::uint32_t wipes = 0;
    gossip::ClusterId home;  // the cluster it belongs to in truth
    std::vector<std::size_t> seeds;
    std::unique_ptr<gossip::Core> core;  // null while down
    bool paused = false;
    std::vector<gossip::Input> waiting;  // in the sockets of a paused process
    TimePoint wake = base::kNever;
    std::map<gossip::NodeId, gossip::Incarnation> incarnations;  // seen in this life
    std::map<gossip::NodeId, std::pair<gossip::Incarnation, std::uint64_t>> digests;
  };
  struct Event {
    TimePoint at;
    std::uint64_t order = 0;
    std::function<void()> act;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void at(TimePoint when, std::function<void()> act);
  void arrive(std::size_t machine, gossip::Input input);
  void perform(std::size_t machine, const gossip::Action& action);
  void send(std::size_t from, const gossip::SendDatagram& action);
  void open(std::size_t from, const gossip::SendStream& action);
  void answer(std::size_t from, const gossip::AnswerStream& action);
  void arm(std::size_t machine);
  void check(std::size_t machine);
  [[nodiscard]] Duration delay();
  [[nodiscard]] std::size_t at_address(const std::string& address) const;
  [[nodiscard]] bool passes(std::size_t from, std::size_t to, bool stream) const;
  void mix(std::uint64_t value);

  static constexpr std::size_t kNobody = SIZE_MAX;
  struct Call {
    std::size_t caller = 0;
    std::uint32_t caller_start = 0;
    gossip::ExchangeId exchange;
  };

  gossip::Config config_;
  base::Prng dice_;
  NetFaults faults_;
  TimePoint now_{base::seconds(1000)};
  std::uint64_t order_ = 0;
  std::uint64_t hash_ = 14695981039346656037U;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Machine> machines_;
  std::map<std::pair<std::size_t, std::size_t>, bool> cuts_;  // -> datagrams only
  std::map<gossip::RequestToken, Call> calls_;
  std::uint64_t last_token_ = 0;
  Watch watch_;
  std::string broken_;
};

}  // namespace brigade::sim
