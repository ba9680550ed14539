// What operators ask of a node and what they are told: plain values that front doors turn into
// JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/tokens.h"
#include "bucket/limit_spec.h"

namespace brigade::node {

struct Addresses {
  std::string peer;
  std::string redis;  // "off" when the door is closed
  std::string http;
  std::string envoy;
};

// ---- status (interface.md, GET /v1/status) ----
struct LoadView {
  double cpu = 0;  // 0..1 of the cores allowed
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;  // of the container, else of the machine; 0: unknown
  std::uint64_t net_in_bps = 0;
  std::uint64_t net_out_bps = 0;
  double request_ms_p99 = 0;  // of all front doors, and of each
  double redis_ms_p99 = 0;
  double http_ms_p99 = 0;
  double queue_ms = 0;  // how long work waited for the loop, at worst
  double offered_per_s = 0;
  bool pressed = false;  // too busy to be given more
};
struct MemberView {
  std::string name;
  base::NodeId id;
  std::string state;  // alive, suspect, dead, left
  Addresses addresses;
  std::string region;
  std::string zone;
  LoadView load;
  bool draining = false;  // hands its rights back and admits nothing
};
struct ShardView {
  std::uint32_t id = 0;
  std::string leader;  // a node's name; empty when unknown
  std::uint64_t term = 0;
  double leader_since_s = 0;
  std::vector<std::string> voters;
  std::vector<std::string> outgoing;    // voters that are being replaced or removed
  std::vector<std::string> learners;    // on their way to vote
  std::optional<std::uint64_t> commit;  // nullopt without a replica here
  std::optional<std::uint64_t> applied;
};
struct BucketView {
  std::string node;
  double rate_per_s = 0;
  double size = 0;
  double level = 0;
  double lent_total = 0;
  double borrowed_total = 0;
  double admitted_total = 0;  // tokens since the node's start
  double refused_total = 0;
  double offered_per_s = 0;  // admitted, refused and waiting
};
struct LimitView {
  bucket::LimitSpec spec;
  std::uint64_t version = 0;
  double effective_rate_per_s = 0;
  double effective_burst = 0;
  std::uint32_t shard = 0;
  BucketView pool;          // name, rate, size and level only
  double jain = 1;          // of admitted / offered per node, over the last quarter minute or so
  double max_min_gap = 0;   // the worst shortfall against the max-min fair part, over the same
  double lend_balance = 0;  // the worst node's |lent - borrowed| / (lent + borrowed), in total
  std::vector<BucketView> buckets;
};
struct StatusView {
  std::int64_t as_of_ms = 0;  // wall clock, filled by the caller
  std::string name;
  base::NodeId id;
  std::string version;
  std::string region;
  std::string zone;
  double uptime_s = 0;
  Addresses addresses;
  base::ClusterId cluster_id;
  std::string cluster_name;
  std::vector<MemberView> members;
  std::vector<ShardView> shards;
  std::vector<LimitView> limits;
};

// ---- commands ----
struct PutLimits {
  std::vector<bucket::LimitSpec> limits;
  bool prune = false;  // also delete every limit that is not listed
};
struct DeleteLimit {
  std::string name;
};
struct Override {
  std::string limit;
  std::string node;  // a member's name
  std::optional<base::Tokens> pin;
  std::optional<base::Tokens> min;
  std::optional<base::Tokens> max;
  bool freeze = false;
  bool no_lend = false;
  std::string author;
  std::string reason;
  std::int64_t expires_ms = 0;  // wall clock; 0: never
};
struct PutOverride {
  Override override_;
};
struct DeleteOverride {
  std::string limit;
  std::string node;
};
struct ListOverrides {};
struct Transfer {
  std::string limit;
  std::string from;
  std::string to;
  base::Tokens amount;
};
struct Drain {
  bool undo = false;  // the node takes part again
};
struct Leave {};
struct Remove {
  std::string node;
  bool certify_stopped = false;
};
struct GetStatus {};

using AdminRequest = std::variant<GetStatus, PutLimits, DeleteLimit, PutOverride, DeleteOverride,
                                  ListOverrides, Transfer, Drain, Leave, Remove>;

struct Refusal {
  enum class Kind : std::uint8_t { kBadRequest, kNotFound, kConflict, kUnavailable };
  Kind kind = Kind::kBadRequest;
  std::string message;  // what is wrong and what to do
};
// Committed everywhere it must; `laggards` are live members that do not serve it yet.
struct Done {
  std::uint64_t version = 0;
  std::vector<std::string> laggards;
};
struct Transferred {
  base::Tokens amount;
};

using AdminReply = std::variant<Refusal, Done, StatusView, Transferred, std::vector<Override>>;

}  // namespace brigade::node
