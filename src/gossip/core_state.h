// The core's inside, shared by core.cc (doors and timers), news.cc (what is heard), probing.cc,
// telling.cc (gossip and piggyback) and syncing.cc (exchanges, seeds).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gossip/core.h"
#include "gossip/digests.h"
#include "gossip/roster.h"
#include "gossip/rulings.h"
#include "gossip/rumours.h"

namespace brigade::gossip {

// One protocol period: is `target` there?
struct ProbeRound {
  NodeId target;
  ProbeSeq seq;
  TimePoint started;
  TimePoint widens;  // when others are asked; kNever once they were
  TimePoint ends;
  bool excused = false;         // its deadlines were moved once for time that this process lost
  std::vector<NodeId> helpers;  // asked; each leaves the list with its Nack
  bool helped = false;          // anybody was asked
  ExchangeId stream;            // the probe by TCP
};

// A probe that this node makes for another.
struct Relay {
  std::string requester;
  NodeId requester_id;
  ProbeSeq requester_seq;
  NodeId target;
  TimePoint nack_at;  // kNever once sent
  TimePoint ends;
};

enum class Purpose : std::uint8_t {
  kProbe,
  kSync,  // pull, and push what they lack
  kPush,
  kSeed,  // as kSync, from a seed
};
struct Exchange {
  Purpose purpose = Purpose::kSync;
  std::string address;
  TimePoint ends;
};

struct Seed {
  std::string address;
  NodeId answered_by;  // zero: nobody yet
};

enum class Stage : std::uint8_t { kStaying, kLeaving, kGone };

// What an update says, whatever its kind.
struct News {
  NodeId id;
  MemberState state = MemberState::kAlive;
  Incarnation incarnation;
  NodeId accuser;
  const Alive* alive = nullptr;
};

struct Core::State {
  static constexpr std::size_t kRelaysMax = 256;
  static constexpr std::size_t kExchangesMax = 256;

  State(const Config& c, Identity who, base::Prng d, TimePoint t);

  // core.cc
  void on(const DatagramReceived& input);
  void on(const StreamRequested& input);
  void on(const StreamAnswered& input);
  void on(const StreamFailed& input);
  void on(const Timeout&) {}
  void on(const SetMeta& input);
  void on(const SetDigest& input);
  void on(const Join& input);
  void on(const Leave&);
  void on(const Remove& input);
  void run_timers();
  void forget_old();
  void finish_leaving();
  void excuse(Duration lost);
  void worsen(std::uint32_t by);
  [[nodiscard]] TimePoint deadline() const;
  [[nodiscard]] bool is_member() const { return identity.cluster != ClusterId{}; }
  [[nodiscard]] std::size_t live_count() const { return roster.live().size() + 1; }
  [[nodiscard]] const Member* find(NodeId id) const;
  void drop(const char* why, NodeId who);

  // news.cc
  void hear(const Update& update);
  void hear_of_self(const News& news);
  void hear_of_peer(const News& news);
  void adopt(Peer* peer, const News& news, MemberState next);
  void meet(Peer& peer);
  void confirm(Peer& peer, NodeId accuser);
  void expire_suspicions();
  void merge(const std::vector<Member>& members);
  [[nodiscard]] Update news_of(NodeId id) const;

  // probing.cc
  void probe_turn();
  void start_probe();
  [[nodiscard]] NodeId next_target();
  void widen_probe();
  void conclude_probe();
  void probe_succeeded();
  void answer(const DatagramReceived& input, const Ping& ping);
  void answer(const DatagramReceived& input, const PingRequest& request);
  void answer(const DatagramReceived& input, const Ack& ack);
  void answer(const DatagramReceived& input, const Nack& nack);
  void answer(const DatagramReceived&, const Gossip&) {}
  void relay_turn();
  void add_to_order(NodeId id);

  // telling.cc
  void send(const std::string& address, NodeId to, decltype(Datagram::body) body);
  void fill(Datagram& datagram, NodeId to);
  void add_updates(Datagram& datagram, Rumours::Room& room);
  void spread(NodeId id);
  void wake_gossip();
  void gossip_turn();

  // syncing.cc
  void sync_turn();
  void seek_turn();
  void ask_seeds();
  [[nodiscard]] bool unseen(const Seed& seed) const;
  ExchangeId exchange(Purpose purpose, const std::string& address, decltype(StreamMessage::body) b);
  [[nodiscard]] StreamMessage message(decltype(StreamMessage::body) body) const;
  [[nodiscard]] decltype(StreamMessage::body) answer_to(const StreamMessage& asked);
  [[nodiscard]] decltype(StreamMessage::body) answer_to_sync(NodeId from, const SyncRequest& sync);
  [[nodiscard]] bool name_taken(NodeId from, const SyncRequest& sync) const;
  void on_reply(const Exchange& asked, const StreamMessage& answer);
  void take_reply(const Exchange& asked, const StreamMessage& answer, const SyncReply& reply);
  void expire_exchanges();
  [[nodiscard]] std::vector<Member> everybody() const;
  [[nodiscard]] Duration sync_interval() const;
  [[nodiscard]] SyncRequest sync_request() const;

  const Config config;
  Identity identity;
  base::Prng dice;
  TimePoint now;
  Actions* out = nullptr;  // of the running step

  Member self;
  Stage stage = Stage::kStaying;
  std::uint32_t health = 0;
  Stats stats;
  Roster roster;
  Rumours rumours;
  DigestBoard digests;

  std::vector<NodeId> order;  // of probing; walked by order_next, reshuffled at its end
  std::size_t order_next = 0;
  std::optional<ProbeRound> round;
  TimePoint probe_at = base::kNever;
  std::uint64_t last_seq = 0;
  std::map<ProbeSeq, Relay> relays;

  TimePoint gossip_at = base::kNever;
  TimePoint gossiped_at;
  bool digests_choose_first = false;

  std::uint64_t last_exchange = 0;
  std::map<ExchangeId, Exchange> exchanges;
  TimePoint sync_at = base::kNever;
  TimePoint seek_at = base::kNever;  // the next try of a seed or of a dead member
  std::vector<Seed> seeds;
  std::optional<JoinRefused> refused;
  bool met_anybody = false;

  TimePoint forget_at = base::kNever;
  TimePoint leave_ends = base::kNever;
};

}  // namespace brigade::gossip
