// A whole cluster in one deterministic world: machines with clocks that drift, disks that lose what
// was not durable, a network that loses, doubles and delays; clients with demand; and one checker
// of the guarantee after every event.
//
// W = V + Phi <= b (semantics 2): V is the virtual queue of everything admitted, Phi every token
// that somebody could still spend. Beside it two rules that W shows only in bad luck: nobody spends
// from an account that has ended (3.4), and one leader at a time decides a shard's keys (3.9). Same
// seed, same hash.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "node/ledger.h"
#include "node/node.h"
#include "node/records.h"
#include "sim/cluster/virtual_queue.h"

namespace brigade::sim {

using base::Duration;
using base::Instant;
using base::Prng;
using base::TimePoint;
using base::Tokens;

struct Faults {
  std::uint32_t loss_permille = 0;
  std::uint32_t double_permille = 0;
  Duration delay_min = std::chrono::microseconds(50);
  Duration delay_max = base::milliseconds(2);
  std::uint32_t slow_permille = 0;  // messages that take up to slow_max
  Duration slow_max = base::seconds(4);
  bool slow_raft = true;        // Raft's messages too: then hardly anybody leads for long
  Duration crash_every{0};      // mean; 0: never
  Duration partition_every{0};  // mean; 0: never
  Duration pause_every{0};      // mean: a process stands still for up to 6 s
  Duration disk_max = base::milliseconds(3);
  bool drift = true;  // clocks within rho of true time
};

struct WorldConfig {
  std::size_t machines = 5;
  std::size_t founders = 5;  // the first ones; the others join without replicas
  std::uint32_t shards = 2;
  std::uint64_t seed = 1;
  Duration tau = base::seconds(3);
  Duration bms_term{0};
  bool predicts = true;  // the stewards' forecasts
  Duration replace_after = std::chrono::minutes(10);
  Faults faults;
  node::Plant plant = node::Plant::kNone;
};

struct Counted {
  Tokens offered;
  Tokens admitted;
  Tokens central;  // what one bucket without delay would have admitted
};
struct Totals {
  std::uint64_t events = 0;
  std::uint64_t settled = 0;  // reservations
  Tokens refunded;            // by that
  std::uint64_t requests = 0;
  Tokens offered;
  Tokens admitted;
  Tokens central;  // what one bucket without delay would have admitted
  Tokens worst;    // the largest W - b seen; above zero: broken
  Tokens worst_class{Tokens::micro(-Tokens::kMaxMicro)};  // the same of classes with a reserve
  Tokens reserved_from;                                   // admitted in such classes
  Tokens lent;                                            // between nodes, sent
  Tokens in_advance;                                      // of keys, spent from tills
  Tokens worst_loss;                                      // of a slow key, with its leader
  struct Place {
    Tokens offered;
    Tokens admitted;
  };
  std::vector<Place> places;  // by machine
  std::uint64_t hash = 0;
  std::uint64_t offices = 0;  // how often a shard got a new leader
  std::map<std::string, Counted> limits;
};

class World {
 public:
  World(const WorldConfig& config, const node::Codec& codec);
  ~World();

  // Declares a limit once some leader serves. Requires: before run().
  void declare(bucket::LimitSpec spec);
  // Requests of `cost` arrive at this machine at this rate (Poisson) from `from` to `until`.
  struct Demand {
    std::size_t machine = 0;
    std::string limit;
    std::string key = {};
    Tokens cost = Tokens::whole(1);
    std::string priority = {};  // of a shared limit, with nothing else asked for
    double per_second = 0;
    Duration wait{0};     // for tokens still to be minted; with nothing else asked for
    bool around = false;  // each request arrives at the next machine
    TimePoint from;
    TimePoint until;
    bool reserve = false;           // settled a little later, most of the time
    std::vector<Demand> with = {};  // asked for together with these, all or nothing
  };
  void load(const Demand& demand);
  // Runs until this true time. False when an invariant broke; broken() says which.
  bool run(TimePoint until);

  [[nodiscard]] const std::string& broken() const { return broken_; }
  [[nodiscard]] const Totals& totals() const { return totals_; }
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] std::size_t ready() const;

  // Keys that have ledgers of their own, as the shards' leaders have it.
  [[nodiscard]] std::size_t key_ledgers() const;

  // Limits that change (world_slow.cc): asked of some living machine, a few times. Requires: a
  // limit of this name is declared.
  void change(const bucket::LimitSpec& spec);
  void forget(const std::string& limit);
  // The machines that have a bucket of this limit.
  [[nodiscard]] std::size_t holders(const std::string& limit) const;

  // A client asks a machine what is left of a key, or of a limit; run(), then looked().
  struct Sight {
    std::string limit;
    std::string key = {};
  };
  void look(const Sight& sight, std::size_t machine);
  [[nodiscard]] const std::optional<Tokens>& looked() const { return looked_; }
  // Who leads this shard now, if anybody.
  [[nodiscard]] std::optional<std::size_t> leader(node::ShardId shard) const;
  // To whom its leader is giving this shard's leadership just now.
  [[nodiscard]] std::optional<std::size_t> heir(node::ShardId shard) const;

  // Faults by hand.
  void crash(std::size_t machine);
  void restart(std::size_t machine);
  void isolate(std::size_t machine, bool cut);
  // From now on the network, the disks and the processes are well; what fell comes back.
  void end_faults();
  // From now on whatever is sent to this machine takes so much longer.
  void delay(std::size_t machine, Duration more);

  // Membership by hand (world_members.cc). It ends for good; the others miss it a little later.
  void destroy(std::size_t machine);
  // An operator has the cluster forget it, at some living machine, until the cluster has.
  void remove(std::size_t machine);
  // An operator has it leave; it ends when it has.
  void leave(std::size_t machine);
  // An operator has it drain, or take part again; nothing happens while it is down or paused.
  void drain(std::size_t machine, bool undo);
  [[nodiscard]] bool ended(std::size_t machine) const;
  // Every shard has it on record that this machine is to get nothing again.
  [[nodiscard]] bool forgotten(std::size_t machine) const;
  // The machines that vote in this shard, as its leader has it; empty without a leader.
  [[nodiscard]] std::vector<std::size_t> voters(node::ShardId shard) const;
  // Replicas of one shard that have applied the same entries hold the same records.
  [[nodiscard]] bool replicas_agree() const;

 private:
  struct Disk;
  class Process;
  struct Machine;
  struct Event {
    TimePoint at;
    std::uint64_t order = 0;
    std::function<void()> act;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  // A borrow: loans of it may be on their way.
  struct Borrow {
    node::NodeId borrower;
    node::LedgerId ledger;
    node::Account account;
    std::uint64_t seq = 0;
    friend auto operator<=>(const Borrow&, const Borrow&) = default;
  };

  void at(TimePoint when, std::function<void()> act);
  void boot(Machine& machine);
  void found(Machine& machine);
  void boot_replicas(Machine& machine, Instant now);
  void meet(Machine& machine);
  void end(Machine& machine, const char* fate);
  [[nodiscard]] const node::Replica* leading(node::ShardId shard) const;
  void ask(std::size_t machine, const node::AdminRequest& request);
  void insist_on_removal(const std::string& name, int tries);
  void insist_on(const node::AdminRequest& request, int tries);
  void settle(Machine& machine);
  void wake(Machine& machine);
  void perform(Machine& machine, node::Actions& actions, Instant now);
  void store(Machine& machine, std::vector<node::GroupWrite> writes);
  void commit(Machine& machine);
  enum class Kind : std::uint8_t { kNode, kRaft };
  template <class Act>
  void deliver(node::NodeId from, node::NodeId to, Kind kind, Act act);
  template <class Act>
  void carry(Machine& receiver, Kind kind, Act act);
  void gossip();
  void inject_faults();
  void every(Duration mean, const std::function<void()>& act);
  Duration some(Duration most);
  void declare_all();
  void arrive(Demand& demand);  // one of demands_
  // Whose bucket: a limit's, or a key's of it.
  struct Bucket {
    std::string limit;
    std::string key;
    friend auto operator<=>(const Bucket&, const Bucket&) = default;
  };
  // A bucket that is checked after every event, and where what there is to know of it lies.
  struct Books;
  struct Watched {
    std::size_t number = 0;
    std::size_t spec = 0;  // its limit, in specs_
    Bucket bucket;
    node::LedgerId id;
    node::LedgerId at_home;  // the same at its shard leader's desk
    node::ShardId home;
    VirtualQueue* queue = nullptr;
    const Books* books = nullptr;
    const node::Ledger* ledger = nullptr;  // in the books
    Tokens strictly;                       // as the books have it
  };
  // What machines take a limit for: while it changes, the largest of what any goes by.
  struct Policy {
    base::Rate rate;
    bool slow = false;
  };
  // A leader in authority over the keys of a shard.
  struct Decider {
    const Machine* machine = nullptr;
    const node::Replica* replica = nullptr;
    Instant now;
  };
  // An entry of the log is applied at most so long after it was decided.
  static constexpr Duration kLate = base::seconds(20);
  struct Asked {
    Bucket bucket;
    Tokens cost;
    std::string priority = {};
  };

  // world_reserve.cc
  // A request that reserves, or one for several limits, until it is decided.
  struct Together {
    std::size_t machine = 0;
    std::uint64_t life = 0;
    std::vector<Demand> parts;
    std::vector<node::ReservationId> kept;  // here, while it asks for the rest; by part
  };
  // Who keeps a reservation: a term of office of a process; none: the log of a shard.
  struct Keeper {
    std::size_t machine = 0;
    std::uint64_t life = 0;
    std::uint64_t term = 0;
    friend bool operator==(const Keeper&, const Keeper&) = default;
  };
  // A reservation at a shard's leader.
  struct Kept {
    Bucket bucket;
    VirtualQueue::Entry entry = {};
    Tokens reserved;
    Keeper keeper;
    bool known = false;  // by somebody in authority, in this event
    bool settled = false;
    TimePoint seen;
  };
  // A reservation in a bucket of a machine: which, in which of its lives, by sequence.
  using Here = std::tuple<std::size_t, std::uint64_t, std::uint64_t>;
  struct KeptHere {
    Bucket bucket;
    VirtualQueue::Entry entry = {};
    Tokens reserved;
  };
  void arrive_with_others(const Demand& demand, Machine& machine);
  void go_away(node::Ticket ticket);
  bool end_together(Machine& machine, const node::Answer& answer);
  void keep_here(const Machine& machine, const Demand& part, const node::ReservationId& id);
  bool end_kept_here(const Machine& machine, std::uint64_t sequence, Tokens actual);
  void use(Machine& machine, const Demand& part, const node::ReservationId& id);
  void settle_with(Machine& machine, const node::ReservationId& id, Tokens actual);
  void note_settled(const node::SettleReply& reply);
  void spend_reservations_of(const Machine& machine);
  [[nodiscard]] bool elsewhere(const std::string& limit) const;
  [[nodiscard]] std::uint64_t reservations_now();
  void note_reservations();
  void note_leaders_reservations();
  void note_reservation(const Keeper& keeper, const node::Reservation& one, bool fresh,
                        bool counts);
  void note_together();
  void note_kept_here();

  void note_decisions(node::NodeId from, const node::Send& send);
  void note_quantum(node::NodeId to, const node::Quantum& quantum);
  [[nodiscard]] Tokens in_tills(const Watched& one) const;
  void offer_central(const Bucket& bucket, Tokens cost, Duration wait);
  void spent(const Bucket& bucket, Tokens cost);
  void admitted(Machine& machine, const Bucket& bucket, Tokens cost);
  // world_check.cc
  void check();
  void watch();
  void look_at(Machine& machine);
  void note_policies(Machine& machine);
  void note_books(const Machine& machine);
  static void look_up(Watched& one);
  void note_stamps();
  [[nodiscard]] TimePoint stamped(const std::string& limit, node::Stamp stamp) const;
  void note_deciders();
  void forget_answered_asks();
  void forget_closed_borrows();
  void check_bucket(const Watched& one);
  // What could be spent of a ledger's pool and shares; of a key, by leaders in authority.
  [[nodiscard]] Tokens spendable(const Watched& one);
  [[nodiscard]] Tokens coming(const Machine& machine, const node::SharedLimit& limit) const;
  [[nodiscard]] Tokens spendable_at_home(const Watched& one) const;
  // world_classes.cc
  void note_borrow(node::NodeId from, const node::Borrow& ask);
  void spent_by(const std::string& priority, const Bucket& bucket, Tokens cost);
  [[nodiscard]] Tokens coming_to(const Machine& machine, const node::SharedLimit& limit,
                                 bucket::Permille reserved) const;
  [[nodiscard]] Tokens free_for(const Watched& one, bucket::Permille reserved) const;
  void check_classes(const Watched& one);
  // world_slow.cc
  [[nodiscard]] std::optional<Tokens> logged_since(const node::Replica& replica, raft::Index index,
                                                   const node::LedgerId& id) const;
  void check_reign(const Watched& one);
  [[nodiscard]] const bucket::LimitSpec* spec_of(const std::string& limit) const;
  void fail(std::string why);
  Instant clock(const Machine& machine) const;
  TimePoint truly(const Machine& machine, TimePoint local) const;
  Duration exponential(Duration mean);

  WorldConfig config_;
  const node::Codec& codec_;
  Prng dice_;
  TimePoint now_{base::seconds(1000)};
  bool well_ = false;  // faults have ended
  std::uint64_t order_ = 0;
  std::vector<Event> events_;  // a heap, the next one first
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<bucket::LimitSpec> specs_;
  std::deque<Demand> demands_;
  std::map<Bucket, VirtualQueue> queues_;  // V
  // The true times at which a leader's clock showed these stamps: what is in the log was decided
  // then.
  std::map<node::ShardId, std::map<node::Stamp, TimePoint>> stamped_;
  // What a slow key's last leader had of it.
  struct Reign {
    raft::Term term;
    node::Version version;
    node::Stamp stamp;  // the shard's time by its clock
    raft::Index applied;
    Tokens left;
  };
  std::map<Bucket, Reign> reigns_;
  // The ledgers of a shard after the last entry that any replica ever applied.
  struct Books {
    raft::Index applied;
    std::map<node::Account, node::SessionRecord> sessions;
    std::map<node::LedgerId, node::Ledger> ledgers;
    std::map<node::LedgerId, node::StrictRecord> strict;
    std::map<node::KeyHash, node::Reservation> reservations;
  };
  std::map<node::ShardId, Books> books_;
  std::map<Bucket, bucket::TokenBucket> central_;
  std::map<Borrow, Tokens> flows_;  // the largest loan sent for each that may still be open
  std::map<Borrow, bucket::Permille> borrows_as_;  // what is kept from the class that asked
  std::map<std::pair<Bucket, std::string>, VirtualQueue> kept_from_;  // V by class
  std::map<node::Ticket, Asked> parked_;
  // Decisions asked of other nodes, by asker and its ticket.
  std::map<std::pair<node::NodeId, node::Ticket>, Asked> asked_;
  std::map<node::Ticket, Together> together_;
  std::map<node::KeyHash, Kept> kept_;  // by id
  std::map<Here, KeptHere> kept_here_;
  std::uint64_t reservations_seen_ = 0;
  std::map<node::KeyHash, Bucket> keys_;
  // Quanta that are on their way, by the asker and its ticket; the last copy.
  struct Coming {
    node::KeyHash key;
    node::Quantum quantum;
  };
  std::map<std::pair<node::NodeId, node::Ticket>, Coming> quanta_;
  std::vector<Watched> watched_;
  std::vector<Policy> policies_;                // by limit, of all machines
  std::vector<std::vector<Decider>> deciders_;  // by shard
  std::map<node::ShardId, std::uint64_t> terms_;
  node::Ticket next_ticket_ = 1;
  node::Ticket look_ticket_ = 0;
  std::optional<Tokens> looked_;
  std::string broken_;
  Totals totals_;
  node::Actions actions_;
  bool declared_ = false;
  bool strict_ = false;  // some limit is
  TimePoint last_step_{};
  std::uint64_t at_once_ = 0;
};

}  // namespace brigade::sim
