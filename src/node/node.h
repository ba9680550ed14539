// One node's world: its buckets, its sessions, its replicas, and how a request finds the tokens it
// needs. Pure: time is handed in, everything that must be done comes out in Actions.
//
// Threads: single-threaded. Order: inputs, then settle(); every turn of the driver ends with one.
// Limits: kErrandsMax decisions asked of other nodes at once, refused beyond, and as many
// settlements.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hashed_name.h"
#include "base/prng.h"
#include "node/actions.h"
#include "node/directory.h"
#include "node/guest_book.h"
#include "node/implicit_limits.h"
#include "node/refusals.h"
#include "node/replica.h"
#include "node/settlement.h"
#include "node/shared_limit.h"
#include "node/starved.h"
#include "node/strain.h"
#include "node/tenant.h"
#include "node/tills.h"

namespace brigade::node {

struct NodeConfig {
  NodeId id;
  Boot boot;
  std::string name;
  Addresses addresses;
  PeerBook::Home home;
  std::uint32_t shards = 1;
  std::uint32_t replicas = 3;  // voters per shard; fewer in smaller clusters
  // A member missed for so long is replaced where it votes, if another can take over.
  base::Duration replace_after = std::chrono::minutes(10);
  std::uint64_t snapshot_every = 10'000;  // entries between a shard's compactions
  std::size_t snapshot_part = SnapshotFerry::kPartMax;
  SessionTiming session;
  StewardTiming steward;
  TradeTiming trade;
  base::Duration bms_term = base::seconds(60);
  // The cluster's, the same at all of its nodes for ever: which keys' hashes meet differs with it.
  std::uint64_t key_seed = 0;
  std::size_t keys_max = SIZE_MAX;  // of all limits led here, for the memory that they take
};

// What gossip says of another node.
struct PeerView {
  NodeId id;
  std::string name;
  std::string state;  // alive, suspect, dead, left
  Addresses addresses;
  PeerBook::Home home;
  bool live = false;  // alive or suspect: worth talking to
};

class Node {
 public:
  static constexpr std::size_t kErrandsMax = 65'536;
  static constexpr std::size_t kControlMax = 256;
  static constexpr std::size_t kHotMax = 1024;  // keys that are spent here like shared limits
  // Demand reports in one renewal of a shard.
  static constexpr std::size_t kDemandsMax = 256;

  Node(NodeConfig config, const Codec& codec, base::Prng dice, Instant now);

  // ---- the data path ----
  // Decides, or parks the request and returns nullopt; its Answer{ticket} comes out of a settle().
  std::optional<Decision> acquire(const AcquireRequest& request, Ticket ticket, Instant now);
  std::optional<Decision> acquire_all(std::span<const AcquireRequest> requests, Ticket ticket,
                                      Instant now);
  std::optional<Decision> throttle(const ThrottleRequest& request, Ticket ticket, Instant now);
  // Settles at once, or lets a shard's leader and answers SettleAnswer{ticket} out of a settle().
  std::optional<SettleReply> settle_reservation(const ReservationId& id, Tokens actual,
                                                Ticket ticket, Instant now);
  // Nobody waits for this ticket any more.
  void abandon(Ticket ticket, Instant now);

  // ---- inputs ----
  // A replica that storage kept, or that this node founds.
  void add_replica(const ReplicaConfig& config, const ReplicaState& state, Instant now);
  [[nodiscard]] ReplicaConfig replica_config(ShardId shard, raft::ReplicaId self) const;
  // Storage kept the tombstone of a replica that was removed.
  void had_replica(ShardId shard, raft::ReplicaId id) {
    grounds_[shard] = {.id = id, .removed = true};
  }
  void received(NodeId from, const PeerMessage& message, Instant now);
  void received(ShardId shard, const raft::Message& message, Instant now);
  // These writes are durable.
  void persisted(GroupWrite write, Instant now);
  void seen(const PeerView& peer, Instant now);
  void forgotten(NodeId peer);
  void heard(NodeId peer, const NodeDigest& digest, Instant now);
  // A sample of the load monitoring agent; offered load and pressure are the node's own findings.
  void loaded(const LoadView& load, Instant now);
  // What the wall clock shows: only ends overrides. Never goes into a decision about tokens.
  void wall_clock(std::int64_t wall_ms);
  void admin(const AdminRequest& request, Ticket ticket, Instant now);
  // Clean stop: refuses new requests, hands rights back, moves leaderships. For good: only an
  // operator's Drain can be undone.
  void drain(Instant now);
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] bool leaving() const { return leaving_; }
  [[nodiscard]] bool drained() const;
  // Leaves for good was asked, all that this node held is elsewhere now, and every shard has it on
  // record that this node is to get nothing again.
  [[nodiscard]] bool left() const;
  // The cluster removed this node for good: it must stop.
  [[nodiscard]] bool removed() const { return removed_; }

  void settle(Instant now, Actions& out);
  [[nodiscard]] TimePoint next_deadline(Instant now) const;

  // ---- state ----
  // Every shard's leader answered this node within tau.
  [[nodiscard]] bool ready(Instant now) const;
  [[nodiscard]] std::string not_ready_because(Instant now) const;
  [[nodiscard]] NodeDigest digest(Instant now);
  [[nodiscard]] const NodeConfig& config() const { return config_; }
  [[nodiscard]] const std::map<ShardId, std::unique_ptr<Replica>>& replicas() const {
    return replicas_;
  }
  [[nodiscard]] const std::map<std::string, ConfigRecord>& limits() const { return limits_; }
  [[nodiscard]] const SharedLimit* shared(std::string_view limit) const;
  // The bucket of this ledger here, if there is one.
  [[nodiscard]] const SharedLimit* held(const LedgerId& id) const { return holding(id); }
  // Keys with ledgers of their own that are served here.
  [[nodiscard]] std::size_t hot_keys() const { return hot_count_; }
  [[nodiscard]] const LoadView& load() const { return load_; }
  [[nodiscard]] const std::map<NodeId, PeerView>& peers() const { return peers_; }
  [[nodiscard]] std::vector<BucketReport> buckets(Instant now);
  [[nodiscard]] const Tills& tills() const { return tills_; }
  [[nodiscard]] const PeerBook& book() const { return book_; }
  // For checkers: what an acquire of several limits keeps here while it asks for its other parts,
  // by part; empty when it does not.
  [[nodiscard]] std::vector<ReservationId> keeping(Ticket ticket) const;
  void check_invariants() const;

 private:
  struct Served {
    ConfigRecord config;
    KeySpace keys;
    std::unique_ptr<SharedLimit> shared;
    bool elsewhere = false;                     // not divided: decided by a shard's leader
    bool dropped = false;                       // deleted: refuses, until its ledgers are closed
    std::optional<bucket::DemandMeter> demand;  // of what is decided elsewhere
    Tokens admitted;                            // the same, in total, as asked of this node
    Tokens refused;
    std::unordered_map<KeyHash, std::unique_ptr<SharedLimit>, base::KeyHashed> hot;
  };
  // A bucket here, and the shard that has its ledger.
  struct Held {
    SharedLimit* limit = nullptr;
    ShardId shard;
  };
  using ServedMap = std::unordered_map<std::string, Served, base::NameHash, base::NameEqual>;

  // What a limit says about a decision that was taken for it.
  struct Terms {
    Source source = Source::kHome;
    bool shadow = false;
    bool never = false;  // the cost is above the burst: only what is left is asked for
    Tokens burst;
    Rate rate;
  };
  // A decision that a shard's leader, perhaps this node, takes for us.
  struct Errand {
    Ask ask;
    Ticket client = 0;  // whom it is for; or `whole`, an acquire of several limits
    Ticket whole = 0;
    TimePoint deadline;
    TimePoint asked;  // first, on the fast line
    TimePoint retry_at;
    TimePoint look_again;     // not before, whatever is heard of leaders
    TimePoint wait_until;     // how long a refusal may be tried again
    bool clients_id = false;  // the id was given by the client, and may be used again
    std::uint32_t asks = 0;   // how often it was asked
    bool pointed = false;     // asked where the last answer pointed to
    bool waits = false;       // counted in waiting_
    Terms terms;
  };
  // An acquire of several limits under way.
  struct Whole {
    std::vector<std::string> texts;        // what the requests' views point into
    std::vector<AcquireRequest> requests;  // without ids
    std::vector<LedgerId> ledgers;         // whose buckets are charged, where it is done here
    std::vector<Decision> decisions;
    std::vector<std::size_t> local;
    std::vector<std::size_t> remote;  // home and strict, in limit order
    bool asking = false;              // locals are taken, remotes being asked
    std::size_t next = 0;             // position in `remote` of the one asked now
    std::vector<Account> accounts;    // by request: where it was charged
    struct Part {
      SettleAsk settle;
      bool ours = true;  // charged by this acquire, not by another one with the same id
    };
    std::map<std::size_t, Part> parts;  // by request: charged at shards' leaders
    TimePoint deadline;
  };
  // A control request of an operator.
  struct Control {
    AdminRequest request;
    std::map<ShardId, Command> waiting;  // shards that have not committed yet
    std::map<ShardId, Ticket> asked;     // our tickets
    std::map<ShardId, Version> versions;
    std::set<NodeId> silent;  // peers that have not answered the survey
    std::map<NodeId, SurveyAnswer> survey;
    TimePoint deadline;
    TimePoint retry_at = base::kNever;
    std::optional<Refusal> refused;
    NodeId removes;
    bool repeated = false;  // a command may have been committed without our being told
  };

  // node_decide.cc
  [[nodiscard]] std::optional<Decision> check(const Served& served,
                                              const AcquireRequest& request) const;
  // The refusal of a cost that the limit, decided elsewhere, can never admit.
  [[nodiscard]] static std::optional<Decision> never(const bucket::LimitSpec& spec,
                                                     const AcquireRequest& request);
  // For a cost that the limit never holds: refused in any case, with what is left.
  std::optional<Decision> look_only(const Served& served, const AcquireRequest& request,
                                    Ticket ticket, Instant now);
  [[nodiscard]] Decision unknown(std::string_view limit) const;
  std::optional<Decision> acquire_shared(SharedLimit& limit, const AcquireRequest& request,
                                         Ticket ticket, Instant now);
  std::optional<Decision> acquire_elsewhere(Served& served, const AcquireRequest& request,
                                            Ticket ticket, Instant now);
  std::optional<Decision> decide_elsewhere(Served& served, const AcquireRequest& request,
                                           Ticket ticket, Instant now);
  std::optional<Decision> acquire_at_home(const Served& served, const AcquireRequest& request,
                                          Ticket ticket, Instant now);
  // Decides at once when this node leads the key's shard; nullopt when an errand is needed.
  // `implicit`: no declared limit but CL.THROTTLE's.
  std::optional<Decision> decide_here(const bucket::LimitSpec& spec, const KeySpace& keys,
                                      const AcquireRequest& request, bool implicit, Instant now);
  // node_near.cc
  // Decides for a key that another node leads: from a till, or by a refusal that still holds.
  std::optional<Decision> decide_near(const bucket::LimitSpec& spec, const KeySpace& keys,
                                      const AcquireRequest& request, bool implicit, Instant now);
  void run_tills(Instant now);
  void remember_refusal(const Errand& errand, const Told& told);
  // Counts it; false: as many of its limit wait as may.
  bool may_wait(Errand& errand);
  void end_wait(const Errand& errand);
  [[nodiscard]] Errand errand_for(const bucket::LimitSpec& spec, const KeySpace& keys,
                                  const AcquireRequest& request, Instant now);
  // Sends the errand out; a decision when it cannot.
  std::optional<Decision> run(Errand errand, Instant now);
  void ask(Ticket ticket, Errand& errand, Instant now);
  void on(NodeId from, const Told& told, Instant now);
  [[nodiscard]] static Terms terms_of(const bucket::LimitSpec& spec);
  static void fill(Decision& decision, const Terms& terms, const Told& told);
  static void count(Served& served, const Decision& decision, Tokens cost);
  void finish(Ticket ticket, Decision decision, bool ours, Instant now);
  void run_errands(Instant now);
  // node_settle.cc
  ReservationId give_out(Given given);
  ReservationId reserve(SharedLimit& limit, const Decision& decision, Tokens cost);
  [[nodiscard]] static SettleAsk settlement_of(const Errand& errand);
  void begin(Settlement settlement, Instant now);
  // What may have been charged for an acquire that came to nothing goes back.
  void call_off(SettleAsk ask, Instant now);
  void close(SettleAsk ask, Tokens cost);
  void on(NodeId from, const SettleTold& told, Instant now);
  void finish(const Settlement& settlement, const Settled& settled);
  void run_settlements(Instant now);
  // node_hot.cc
  std::optional<Decision> acquire_hot(SharedLimit& hot, Served& served,
                                      const AcquireRequest& request, Ticket ticket, Instant now);
  // Decides another node's request for a key with a ledger of its own. False: not ours to decide.
  bool host(NodeId from, const Ask& ask, Instant now);
  void host_passed_on(Replica& replica, Instant now);
  // Answers a guest, with a reservation if that is wanted.
  void tell(const Guest& guest, const Decision& decision);
  // Ends a guest's reservation. False: it was not made here.
  bool settle_guest(NodeId from, const SettleAsk& ask);
  // What was decided of those who waited here for others is taken out and sent to them.
  void answer_hosted(std::vector<Answer>& answers);
  [[nodiscard]] bool leads_ledger(ShardId shard, const LedgerId& id) const;
  void run_hot(Instant now);
  // node_limits.cc
  void serve(const ConfigRecord& config, Instant now);
  void stop_serving(const std::string& limit);
  void refresh_shared();
  void session_ended(ShardId shard);
  std::vector<DemandReport> demands(ShardId shard, Instant now);
  [[nodiscard]] SharedLimit* holding(const LedgerId& id) const;
  SharedLimit* begin_hot(const LedgerId& id, Instant now);
  // Their ledgers are gone: so is what this node had of them.
  void end_closed(const std::vector<LedgerId>& closed, Instant now);
  // Null while it is in use, whatever an old answer says.
  std::unique_ptr<SharedLimit> take_out(const LedgerId& id);
  void forget_if_dropped(const std::string& limit);
  // node_whole.cc
  bool begin_whole(std::span<const AcquireRequest> requests, Whole& whole, Decision& out,
                   Instant now);
  std::optional<Decision> advance(Ticket ticket, Whole& whole, Instant now);
  bool take_locals(Whole& whole, Instant now, std::size_t& short_at);
  void give_back(Whole& whole, Instant now);
  std::optional<Decision> ask_next(Ticket ticket, Whole& whole, Instant now);
  void settle_here(Whole& whole, std::size_t at, Tokens actual);
  Decision admit(Whole& whole);
  [[nodiscard]] Decision sum_up(const Whole& whole) const;
  [[nodiscard]] Decision refuse(const Whole& whole, std::size_t at) const;
  void on_part(const Errand& errand, Decision decision, bool ours, Instant now);
  void advance_wholes(Instant now);

  // node_control.cc
  void on(NodeId from, const Submitted& submitted, Instant now);
  void on(NodeId from, const SurveyAsk& ask, Instant now);
  void on(NodeId from, const SurveyAnswer& answer);
  void on(NodeId from, const PullAsk& ask, Instant now);
  void on(const PullAnswer& answer);
  void on_request(Ticket ticket, Control control, Instant now);
  void submit(Control& control, ShardId shard, Instant now);
  void run_controls(Instant now);
  void run_pulls(Instant now);
  std::optional<AdminReply> outcome(Control& control, Instant now);
  [[nodiscard]] SurveyAnswer own_survey(Instant now);
  [[nodiscard]] StatusView status(const Control& control, Instant now) const;
  void add_buckets(const Control& control, StatusView& view) const;
  [[nodiscard]] std::vector<ShardView> shard_views(const Control& control) const;
  [[nodiscard]] std::vector<std::string> laggards(const Control& control) const;
  [[nodiscard]] NodeId named(const std::string& name) const;
  [[nodiscard]] std::string name_of(NodeId id) const;  // its id when nobody knows a name

  // node_leaving.cc
  void begin_drain(Instant now);
  std::optional<Refusal> end_drain(Instant now);
  void hand_back(ShardId shard);
  void handed_back(const Submitted& submitted);
  [[nodiscard]] bool emptied() const;
  void part();
  void parted(NodeId from, const Submitted& submitted);
  std::optional<Refusal> begin_leave(Control& control, Instant now);
  std::optional<Refusal> begin_remove(Control& control, const Remove& remove) const;
  [[nodiscard]] Refusal not_left_yet() const;
  [[nodiscard]] NodeId gone_member(const std::string& name) const;

  // node_placement.cc
  void begin_replica(ShardId shard, raft::ReplicaId self, Instant now);
  void end_replica(ShardId shard);
  Replica* addressee(ShardId shard, const raft::Message& message, Instant now);
  bool dispatch_replicas(NodeId from, const PeerMessage& message, Instant now);
  [[nodiscard]] Standing standing(const PeerView& peer, Instant now) const;
  std::vector<Site> sites(Instant now);
  void run_placement(Instant now);
  [[nodiscard]] TimePoint placement_deadline() const;

  // node.cc
  void send(NodeId to, PeerMessage message, TimePoint expires = base::kNever);
  void send_to_leader(ShardId shard, PeerMessage message);
  void dispatch(NodeId from, const PeerMessage& message, Instant now);
  void to_leader(NodeId from, const Submit& submit, Instant now);
  template <class T>
  void to_replica(NodeId from, ShardId shard, const T& message, Instant now);
  void on(NodeId from, const RenewAnswer& answer, Instant now);
  void on(NodeId from, const RightsNotice& notice, Instant now);
  void on(NodeId from, const Borrow& borrow, Instant now);
  void dispatch_control(NodeId from, const PeerMessage& message, Instant now);
  [[nodiscard]] ShardId home_of(const ConfigRecord& config) const;
  void flush(Actions& out);
  [[nodiscard]] static Rate offered_of(const Served& served, Instant now);
  void run_tenants(Instant now);
  void run_limits(Instant now, Actions& out);
  void share_memory(Instant now);
  void note_leader(ShardId shard, NodeId leader, std::uint64_t term, Instant now);

  NodeConfig config_;
  const Codec& codec_;
  base::Prng dice_;
  TimePoint started_;
  Directory directory_;
  PeerBook book_;
  std::map<NodeId, PeerView> peers_;
  std::map<NodeId, NodeDigest> digests_;
  LoadView load_;
  Strain strain_;
  Starved starved_;
  bucket::DemandMeter throttled_;  // CL.THROTTLE, whatever its limits
  std::map<ShardId, std::unique_ptr<Replica>> replicas_;
  std::map<ShardId, ReplicaGround> grounds_;  // of replicas here, and of removed ones
  std::vector<GroupWrite> ground_writes_;     // before any other write of this turn
  std::map<NodeId, TimePoint> missed_since_;  // with replicas, but not live; slow line
  TimePoint next_placement_{};
  std::vector<Tenant> tenants_;      // by shard
  std::vector<TimePoint> answered_;  // by shard: when its leader last spoke, slow line
  std::map<std::string, ConfigRecord> limits_;
  ServedMap served_;
  std::vector<Held> shared_;        // in order of ledgers
  std::vector<std::size_t> awake_;  // positions in shared_: those with something to do in turns
  std::size_t hot_count_ = 0;
  TimePoint next_hot_{};
  ImplicitLimits implicit_;
  Tills tills_;
  Refusals refusals_;

  Ticket next_ticket_ = Ticket{1} << 62U;  // ours; clients' tickets are smaller
  std::map<Ticket, Errand> errands_;       // by our ticket
  TimePoint errands_due_ = base::kNever;   // nothing is to be done for any of them before
  std::map<Ticket, Ticket> errand_of_;     // by the client's, also of several limits
  // Errands that wait for tokens still to be minted, by limit; not those of keys.
  std::map<std::string, std::uint32_t> waiting_;
  std::map<Ticket, Whole> wholes_;
  struct Parked {
    SharedLimit* limit = nullptr;
    Tokens cost;
    bool reserve = false;
  };
  std::map<Ticket, Parked> parked_at_;
  std::map<std::uint64_t, Given> given_;  // by sequence
  GuestBook guests_;
  std::uint64_t next_reservation_ = 1;
  std::map<Ticket, Settlement> settlements_;  // by our ticket
  std::map<Ticket, Control> controls_;
  struct Pull {
    NodeId asker;
    PullAsk ask;
    Tokens borrowed_before;
    bool begun = false;
    TimePoint deadline;
  };
  std::vector<Pull> pulls_;
  bool draining_ = false;
  bool drains_for_good_ = false;
  TimePoint next_room_{};
  TimePoint drain_began_{};
  std::map<Ticket, std::pair<ShardId, Account>> owed_;  // tenants' returns under way
  bool leaving_ = false;                                // draining for good: replicas go elsewhere
  std::map<Ticket, ShardId> partings_;                  // its last words to shards, under way
  std::set<ShardId> parted_;                            // shards that have them on record
  bool removed_ = false;
  std::vector<NodeId> removals_;  // of others, committed; told to gossip
  std::set<Ticket> returning_;    // Returns that are not committed yet

  std::vector<Send> outgoing_;      // this turn's, to anybody
  std::vector<Send> outward_;       // to others
  std::vector<RaftSend> deferred_;  // durable now: may leave
  Actions changes_;                 // answers of a changed configuration
  std::vector<Answer> answers_;
  std::vector<SettleAnswer> settle_answers_;
  std::vector<AdminAnswer> admin_answers_;
};

}  // namespace brigade::node
