// What seeds say to each other before there is a cluster. One-way messages to an address; any may
// be lost, repeated or reordered. A charter may exceed a datagram: send them on a stream.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "gossip/messages.h"

namespace brigade::gossip {

constexpr std::size_t kFoundersMax = 64;
constexpr std::size_t kSettingsMax = 1024;

// Larger wins; a proposer never uses one twice, crashes included.
struct Ballot {
  std::uint64_t round = 0;
  NodeId proposer;
  friend constexpr auto operator<=>(const Ballot&, const Ballot&) = default;
};

struct Founder {
  NodeId id;
  std::string name;     // <= kNameMax
  std::string address;  // as advertised, <= kAddressMax
  friend bool operator==(const Founder&, const Founder&) = default;
};

// What the ballot is about: the cluster that will exist.
struct Charter {
  ClusterId cluster;
  std::string cluster_name;
  std::vector<Founder> founders;  // ascending ids, not empty, <= kFoundersMax
  Bytes settings;                 // the proposer's, opaque, <= kSettingsMax: shards, replicas
  friend bool operator==(const Charter&, const Charter&) = default;
};

struct Vote {
  Ballot ballot;
  Charter charter;
  friend bool operator==(const Vote&, const Vote&) = default;
};

enum class FoundingStage : std::uint8_t {
  kJoining,      // not in its own seed list: waits for a cluster to join
  kFounder,      // in its own seed list, nothing decided yet
  kInitialised,  // belongs to a cluster
};

// "Who are you?" The sender says the same of itself, so one answer serves both.
struct WhoAreYou {
  friend bool operator==(const WhoAreYou&, const WhoAreYou&) = default;
};
struct IAm {
  FoundingStage stage = FoundingStage::kJoining;
  ClusterId cluster;               // when kInitialised
  std::optional<Charter> charter;  // when it was a founder of that cluster
  friend bool operator==(const IAm&, const IAm&) = default;
};
// Paxos phase 1.
struct Prepare {
  Ballot ballot;
  friend bool operator==(const Prepare&, const Prepare&) = default;
};
struct Promise {
  Ballot ballot;
  std::optional<Vote> accepted;
  friend bool operator==(const Promise&, const Promise&) = default;
};
// Paxos phase 2.
struct Accept {
  Vote vote;
  friend bool operator==(const Accept&, const Accept&) = default;
};
struct Accepted {
  Ballot ballot;
  friend bool operator==(const Accepted&, const Accepted&) = default;
};
// "I promised `promised` already."
struct Outbid {
  Ballot promised;
  friend bool operator==(const Outbid&, const Outbid&) = default;
};
enum class FoundingObstacle : std::uint8_t {
  kOtherClusterName,   // a seed has another --cluster name
  kNameTaken,          // a seed has our node name
  kTooFewFounders,     // all seeds answered, but they are fewer nodes than expected
  kDifferentClusters,  // seeds belong to different clusters
  kVotedElsewhere,     // we voted for a charter, and a seed belongs to another cluster
};
struct FoundingRefusal {
  FoundingObstacle reason = FoundingObstacle::kOtherClusterName;
  friend bool operator==(const FoundingRefusal&, const FoundingRefusal&) = default;
};

struct FoundingMessage {
  Founder from;
  std::string cluster_name;
  std::variant<WhoAreYou, IAm, Prepare, Promise, Accept, Accepted, Outbid, FoundingRefusal> body;
  friend bool operator==(const FoundingMessage&, const FoundingMessage&) = default;
};

[[nodiscard]] bool well_formed(const FoundingMessage& message);
[[nodiscard]] bool well_formed(const Charter& charter);

}  // namespace brigade::gossip
