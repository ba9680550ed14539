// What nodes say to each other about rights, loans and decisions. (Raft's and gossip's own messages
// travel beside these.) Every message may be lost, doubled, reordered or late: each names the
// session, epoch, sequence or ticket that makes a stray one harmless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "node/acquire.h"
#include "node/commands.h"
#include "node/records.h"
#include "node/rights.h"
#include "raft/messages.h"

namespace brigade::node {

// The asker's own name for an answer it waits for; unique for the life of its process.
using Ticket = std::uint64_t;

// ---- sessions (semantics 3) ----

struct OpenAsk {
  ShardId shard;
  Boot boot;
  std::uint64_t start = 0;
  std::uint64_t attempt = 0;
};
struct OpenAnswer {
  ShardId shard;
  Boot boot;
  std::uint64_t attempt = 0;
  Account account;  // zero: refused, ask again later
};

// What a node saw of one ledger since its last report.
struct DemandReport {
  LedgerId ledger;
  Rate offered;    // admitted + refused + waiting, tokens/s
  Rate deviation;  // mean deviation of that over its windows
  Tokens level;
  Tokens largest;  // the size that held the largest cost of late
  Tokens lacking;  // the size that the cost waiting in front needs, when this node's is smaller
  PurseTotals totals;
  bool pressed = false;  // too busy to be given more
};
// A bucket that the node has, and which of its rights were adopted; none: the epoch is 0.
struct Confirmation {
  LedgerId ledger;
  Epoch epoch;
};
// One per shard; all of one leader node's shards travel together. Without an account it only asks
// which limits there are.
struct Renew {
  ShardId shard;
  Account account;
  Boot boot;
  std::int64_t sent = 0;  // the sender's own fast clock, echoed; nobody else interprets it
  Version config_known;
  std::vector<Confirmation> confirmed;
  std::vector<DemandReport> demands;
};
struct DroppedLimit {
  std::string limit;
  Version version;
};
// How much rather than others a node should lend (above zero) or be lent to (below) where limits
// are shared by karma.
struct Credit {
  std::string limit;
  NodeId node;
  bucket::Permille rank = 0;  // -1000..1000
};
struct RenewAnswer {
  ShardId shard;
  Account account;
  Boot boot;
  std::int64_t sent = 0;
  bool live = false;     // the session holds for tau from `sent`
  bool gone = false;     // the account does not exist any more: the session is over
  bool removed = false;  // the cluster removed this node for good
  base::Duration tau{0};
  std::int32_t drift_ppm = 0;
  Version config_version;
  std::vector<ConfigRecord> limits;  // changed since config_known, whose home is this shard
  std::vector<DroppedLimit> dropped;
  std::vector<Rights> rights;        // not confirmed yet
  std::vector<std::string> no_lend;  // limits that an override keeps this node from lending
  std::vector<Credit> credits;
  std::vector<LedgerId> closed;  // confirmed, but not there (any more): deleted, or back at home
};
// A limit changed: ask again now instead of at the next renewal.
struct ConfigHint {
  ShardId shard;
  Version version;
};

// The sender does not lead this shard; it believes that `leader` does (zero: it does not know).
struct LeaderHint {
  ShardId shard;
  NodeId leader;
  std::uint64_t term = 0;
};

// ---- rights (semantics 4) ----

struct RightsNotice {
  ShardId shard;
  Account account;
  std::vector<Rights> rights;
};
struct ShrunkReport {
  LedgerId ledger;
  Epoch epoch;
  Tokens surplus;
};
struct ShrunkNotice {
  ShardId shard;
  Account account;
  std::vector<ShrunkReport> shrunk;
};

// ---- loans (semantics 5) ----

struct Lender {
  NodeId node;
  Tokens free;
};
struct Borrow {
  LedgerId ledger;
  Version version;
  Account account;  // the borrower's
  std::uint64_t seq = 0;
  Tokens want;
  Tokens min;
  std::uint8_t priority = 0;  // index into the limit's classes, 0: none
  bool by_hand = false;       // an operator's transfer: the lender's own need does not count
};
struct Loan {
  LedgerId ledger;
  Account account;
  std::uint64_t seq = 0;
  Tokens granted;
  Tokens free_after;
  std::vector<Lender> others;
};

// ---- decisions taken elsewhere: home keys and strict limits (semantics 6) ----

struct Ask {
  ShardId shard;
  Ticket ticket = 0;
  LedgerId ledger;
  Tokens cost;
  std::string priority;
  base::Duration wait{0};
  bool peek = false;
  KeyHash id;  // strict limits and reservations: one effect per id
  std::shared_ptr<const bucket::LimitSpec> implicit;  // CL.THROTTLE: what its name stands for
  bool reserve = false;  // what is not used comes back by a settlement of this id
};
struct Told {
  Ticket ticket = 0;
  bool elsewhere = false;  // not the leader: nothing was taken, ask `leader`
  bool unknown = false;    // may or may not have been taken: ask again under the same id
  bool ledger = false;     // the key has a ledger of its own: open an account of it
  NodeId leader;
  Verdict verdict = Verdict::kRefused;
  Tokens remaining;
  base::Duration retry_after{0};
  bool again = false;  // somebody else's ask with this id was charged, this one was not
};
// What one turn asks of one node, or answers to it.
struct AskBatch {
  static constexpr std::size_t kMost = 512;
  std::vector<Ask> asks;
};
struct ToldBatch {
  std::vector<Told> tolds;
};
// Ends a reservation on a home key or a strict limit: with what was used, or with nothing when the
// acquire that it belongs to came to nothing. Repeated until it is answered.
struct SettleAsk {
  ShardId shard;
  Ticket ticket = 0;
  LedgerId ledger;
  KeyHash id;
  Tokens actual;
  Ticket holder = 0;  // not 0: only what this ask was charged, and the id is free again
};
struct SettleTold {
  Ticket ticket = 0;
  bool elsewhere = false;  // not the leader: nothing happened, ask `leader`
  bool unknown = false;    // may or may not have happened: ask again, perhaps the same leader
  NodeId leader;
  Settled settled;
};

// ---- tokens of home keys in advance (semantics 5 mode B, 6) ----

// What a leader granted to one till: its term, by the log index that this begins with, and its own
// number. Zero: nothing yet.
struct HoldId {
  std::uint64_t term = 0;
  std::uint64_t number = 0;
  friend bool operator==(const HoldId&, const HoldId&) = default;
};
// A node with lasting demand for a key wants tokens in its till before they are asked for.
struct QuantumAsk {
  ShardId shard;
  Ticket ticket = 0;
  LedgerId ledger;
  Ticket till = 0;  // the asker's name of its till; a new one for every hold
  HoldId hold;
  Tokens spent;          // of the hold, since it began
  Tokens want;           // so much should be in the till
  Tokens least;          // with less than this it can do nothing
  bool closing = false;  // nothing more is spent of it: the rest goes back, no answer is needed
  std::shared_ptr<const bucket::LimitSpec> implicit;  // CL.THROTTLE's; else none
};
struct Quantum {
  Ticket ticket = 0;
  HoldId hold;              // zero: none, and an earlier one is over
  Tokens granted;           // since the hold began
  base::Duration lasts{0};  // from the first send of the ask on
  bool recalled = false;    // the rest must go back
};

// ---- control plane ----

struct Submit {
  ShardId shard;
  Ticket ticket = 0;
  Command command;
};
struct Submitted {
  Ticket ticket = 0;
  bool elsewhere = false;  // not the leader: nothing happened, ask `leader`
  bool unknown = false;    // may or may not have happened
  NodeId leader;
  Outcome outcome;
};
// Moves tokens by hand: the receiver pulls through the ordinary loan protocol.
struct PullAsk {
  Ticket ticket = 0;
  std::string limit;
  NodeId from;
  Tokens amount;
};
struct PullAnswer {
  Ticket ticket = 0;
  Tokens amount;
  std::string reason;  // why less than asked
};
struct SurveyAsk {
  Ticket ticket = 0;
};
struct BucketReport {
  LedgerId ledger;
  Rate rate;
  Tokens size;
  Tokens level;
  Tokens lent;
  Tokens borrowed;
  Tokens admitted;
  Tokens refused;
  Rate offered;
};
struct ReplicaReport {
  ShardId shard;
  std::uint64_t term = 0;
  bool leads = false;
  std::uint64_t commit = 0;
  std::uint64_t applied = 0;
  base::Duration leader_for{0};
  std::vector<NodeId> voters;
  std::vector<NodeId> outgoing;  // voters on their way out
  std::vector<NodeId> learners;
};
struct PoolReport {
  LedgerId ledger;
  Rate rate;
  Tokens size;
  Tokens level;
  Rate effective_rate;
  Tokens effective_burst;
  bucket::Permille jain = 1000;      // of admitted / offered per node, lately
  bucket::Permille max_min_gap = 0;  // the worst shortfall against the max-min fair part, lately
};
struct SurveyAnswer {
  Ticket ticket = 0;
  std::vector<BucketReport> buckets;
  std::vector<ReplicaReport> replicas;
  std::vector<PoolReport> pools;       // of the shards led here
  std::vector<SetOverride> overrides;  // of the limits whose home is led here
};

// ---- replicas (semantics 3.11) ----

// The committed configuration of the shard has no place for this replica, and never will again.
struct ReplicaGone {
  ShardId shard;
  raft::ReplicaId replica;
  bool node_removed = false;  // nor for any other of its node
};
// A part of the snapshot that a leader sends to a replica far behind.
struct SnapshotPart {
  ShardId shard;
  raft::ReplicaId from;
  raft::ReplicaId to;
  raft::Term term;
  raft::EntryId last;
  raft::ConfState conf;
  std::uint64_t size = 0;  // of the whole state
  std::uint64_t offset = 0;
  base::Bytes bytes;
};
struct SnapshotHave {
  ShardId shard;
  raft::ReplicaId from;  // the receiver of the parts
  raft::ReplicaId to;
  raft::EntryId last;
  std::uint64_t have = 0;  // bytes, from the beginning
};

using PeerMessage =
    std::variant<OpenAsk, OpenAnswer, Renew, RenewAnswer, ConfigHint, LeaderHint, RightsNotice,
                 ShrunkNotice, Borrow, Loan, Ask, Told, Submit, Submitted, PullAsk, PullAnswer,
                 SurveyAsk, SurveyAnswer, ReplicaGone, SnapshotPart, SnapshotHave, SettleAsk,
                 SettleTold, QuantumAsk, Quantum, AskBatch, ToldBatch>;

// ---- what a node publishes of itself through gossip ----

// Changes rarely; part of the member record.
struct MemberMeta {
  std::string redis;
  std::string http;
  std::string envoy;
  std::string region;
  std::string zone;
  std::string version;
};
struct LeadReport {
  ShardId shard;
  std::uint64_t term = 0;
};
struct FreeReport {
  std::uint64_t limit = 0;  // PeerBook::hash_of the ledger
  Tokens free;
  bool starving = false;
};
// What the load monitoring agent saw last.
struct LoadDigest {
  std::uint32_t cpu_permille = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;
  std::uint64_t net_in_bps = 0;
  std::uint64_t net_out_bps = 0;
  std::uint64_t request_us_p99 = 0;
  std::uint64_t redis_us_p99 = 0;
  std::uint64_t http_us_p99 = 0;
  std::uint64_t queue_us = 0;
  std::uint64_t offered_per_s = 0;
  bool pressed = false;
};
// Changes all the time; an opaque digest to gossip.
struct NodeDigest {
  LoadDigest load;
  bool draining = false;
  bool leaving = false;           // for good: its replicas must go elsewhere
  std::vector<LeadReport> leads;  // shards that this node leads
  std::vector<Version> configs;   // per shard: the configuration that this node serves
  std::vector<FreeReport> free;   // at most kMaxFreeReports, most free first
  static constexpr std::size_t kMaxFreeReports = 16;
};

}  // namespace brigade::node
