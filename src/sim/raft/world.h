// One Raft group in a deterministic world: a network that loses, doubles, delays and reorders;
// disks that are slow and lose what was not durable; crashes, pauses, partitions, also one-way;
// changes of membership, snapshots, transfers of leadership, reads. Same seed, same hash.
//
// Everything that leaves a core is reported to a Chronicle, which checks it at once.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "raft/core.h"
#include "sim/raft/chronicle.h"
#include "sim/raft/disk.h"

namespace brigade::sim {

using base::Duration;
using base::Prng;
using base::TimePoint;

// Means of zero never happen.
struct RaftFaults {
  std::uint32_t loss_permille = 0;
  std::uint32_t double_permille = 0;
  std::uint32_t slow_permille = 0;  // messages that take up to slow_max
  Duration delay_min = std::chrono::microseconds(100);
  Duration delay_max = base::milliseconds(1);
  Duration slow_max = base::seconds(2);
  Duration disk_max = base::milliseconds(2);
  Duration apply_lag_max{0};
  Duration crash_every{0};
  Duration partition_every{0};
  Duration pause_every{0};
  Duration disk_stall_every{0};
};

struct RaftSetup {
  std::uint64_t seed = 1;
  std::size_t replicas = 5;
  raft::Config raft;  // `self` is each replica's own
  RaftFaults faults;
  Duration propose_every = base::milliseconds(20);
  Duration read_every = base::milliseconds(100);
  Duration reconfigure_every{0};
  Duration transfer_every{0};
  std::uint64_t snapshot_every = 200;  // entries
  bool restart_from_applied = true;    // else from the latest snapshot
  bool report_snapshots = true;        // the driver says how sending a snapshot ended
};

struct RaftTotals {
  std::uint64_t events = 0;
  std::uint64_t proposed = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t reads = 0;
  std::uint64_t elections = 0;
  std::uint64_t conf_changes = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t hash = 14695981039346656037U;
};

class RaftWorld {
 public:
  explicit RaftWorld(const RaftSetup& setup);
  ~RaftWorld();
  RaftWorld(const RaftWorld&) = delete;
  RaftWorld& operator=(const RaftWorld&) = delete;

  // Runs this much longer. False when a property broke; broken() says which.
  bool run_for(Duration span);
  // Faults end; at most one voter stays down. False when something broke, or the group does not
  // agree on one more entry within this time and what the one furthest behind needs to catch up.
  bool converge(Duration within);

  [[nodiscard]] const std::string& broken() const { return chronicle_->broken(); }
  [[nodiscard]] const RaftTotals& totals() const { return totals_; }
  [[nodiscard]] std::string describe() const;

 private:
  struct Machine;
  enum class Kind : std::uint8_t { kDeliver, kWake, kDisk, kApply, kCall };
  struct Event {
    TimePoint at;
    std::uint64_t order = 0;
    Kind kind = Kind::kCall;
    std::uint32_t machine = 0;
    std::uint32_t slot = 0;  // of letters_ or calls_
    std::uint64_t life = 0;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  // world.cc
  void push(TimePoint when, Event event);
  void call(TimePoint when, std::function<void()> act);
  void handle(const Event& event);
  bool run_until(TimePoint until, const std::function<bool()>& done);
  Machine& add_machine();
  Machine* machine_of(raft::ReplicaId id);
  void boot(Machine& machine);
  void crash(Machine& machine);
  [[nodiscard]] bool awake(const Machine& machine) const;
  // Does it once that process runs; never when it dies before.
  void when_awake(Machine& machine, std::uint64_t life, const std::function<void()>& act);
  void step(Machine& machine, const raft::Input& input);
  void turn(Machine& machine);
  void observe(Machine& machine);
  void perform(Machine& machine, raft::Actions& actions);
  void wake_later(Machine& machine);

  [[nodiscard]] static std::string describe(const raft::Membership& members);

  // world_disk.cc
  void keep(Machine& machine, raft::Persist persist);
  void hand_over(Machine& machine, RaftDisk::Write write);
  void start_disk(Machine& machine);
  void finish_disk(Machine& machine);
  void react(Machine& machine);
  void apply_later(Machine& machine, std::vector<raft::Entry> entries);
  void apply_now(Machine& machine);
  void take_snapshot(Machine& machine);

  // world_network.cc
  void send(Machine& from, const raft::Message& message);
  void check_promise(const Machine& from, const raft::Message& message);
  void deliver(const Event& event);

  // world_faults.cc
  void every(Duration mean, const std::function<void()>& act);
  [[nodiscard]] Duration some(Duration most);
  Duration exponential(Duration mean);
  void start_clients();
  void start_faults();
  void partition();
  void reconfigure();
  [[nodiscard]] std::optional<raft::ConfChange> draw_change(const raft::ConfState& conf);
  void transfer();
  bool propose();
  void read();
  Machine* some_leader();
  [[nodiscard]] bool member(const Machine& machine) const;
  [[nodiscard]] bool agreed(raft::Index through) const;
  [[nodiscard]] Duration catching_up() const;
  void mix(std::uint64_t value) { totals_.hash = (totals_.hash ^ value) * 0x100000001b3ULL; }

  RaftSetup setup_;
  Prng dice_;         // the network and the disks
  Prng fault_dice_;   // what goes wrong, and when
  Prng client_dice_;  // what is asked
  TimePoint now_{base::seconds(1000)};
  std::uint64_t order_ = 0;
  std::vector<Event> events_;  // a heap
  std::vector<raft::Message> letters_;
  std::vector<std::uint32_t> free_letters_;
  std::vector<std::function<void()>> calls_;
  std::vector<std::uint32_t> free_calls_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::unique_ptr<Chronicle> chronicle_;
  raft::Actions actions_;
  RaftTotals totals_;
  bool faulty_ = true;
  std::uint64_t next_ticket_ = 1;
  raft::Index last_acknowledged_;
};

}  // namespace brigade::sim
