// What members say to each other about membership. Typed here, encoded by wire.
//
// Limits: every text and list has a named bound below; `well_formed` checks them and is called on
// everything that arrives, so a peer's bytes can be refused but never break a core.
// Source: SWIM (Das, Gupta, Motivala 2002) sections 3-4; Lifeguard (Dadgar et al. 2017).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace brigade::gossip {

using base::Bytes;
using base::ClusterId;
using base::NodeId;

constexpr std::size_t kNameMax = 64;      // bytes of a node's or cluster's name
constexpr std::size_t kAddressMax = 128;  // bytes of "host:port"
constexpr std::size_t kMetaMax = 512;     // bytes of what a node says of itself for good
constexpr std::size_t kDigestMax = 600;   // bytes of what a node says of itself all the time
constexpr std::size_t kMembersMax = 4096;
constexpr std::size_t kUpdatesPerDatagramMax = 64;
constexpr std::size_t kDigestsPerDatagramMax = 64;

// A member's own counter, by which newer news about it is told from older. The high half counts
// process starts (the owner stores it and bumps it), the low half counts refutations.
class Incarnation {
 public:
  constexpr Incarnation() = default;
  constexpr explicit Incarnation(std::uint64_t value) : value_(value) {}
  // The first incarnation of a process that was started `starts` times in this data directory.
  [[nodiscard]] static constexpr Incarnation of_start(std::uint32_t starts) {
    return Incarnation(std::uint64_t{starts} << 32U);
  }

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr std::uint32_t starts() const {
    return static_cast<std::uint32_t>(value_ >> 32U);
  }
  // The next larger one. Requires: value() < 2^64 - 1, which `plausible_after` keeps out of reach.
  [[nodiscard]] constexpr Incarnation next() const { return Incarnation(value_ + 1); }
  // Whether an honest member of whom we know `known` may be here by now: at most 2^20 starts later.
  // Otherwise one packet with the largest incarnation would evict its subject for good
  // (memberlist#358).
  [[nodiscard]] constexpr bool plausible_after(Incarnation known) const {
    return starts() <= std::uint64_t{known.starts()} + kStartsJumpMax && starts() <= kStartsMax;
  }

  friend constexpr auto operator<=>(Incarnation, Incarnation) = default;

 private:
  static constexpr std::uint64_t kStartsJumpMax = std::uint64_t{1} << 20U;
  static constexpr std::uint32_t kStartsMax = std::uint32_t{1} << 31U;
  std::uint64_t value_ = 0;
};

// Ordered by precedence within one incarnation: the larger one wins.
enum class MemberState : std::uint8_t { kAlive, kSuspect, kDead, kLeft };

struct Member {
  NodeId id;
  std::string name;     // a label for people; <= kNameMax
  std::string address;  // "host:port" of the peer door (UDP and TCP), as advertised
  Bytes meta;           // opaque; <= kMetaMax: front doors, region, zone, version
  Incarnation incarnation;
  MemberState state = MemberState::kAlive;
  friend bool operator==(const Member&, const Member&) = default;
};

// ---- news about one member, carried by datagrams ----

struct Alive {
  NodeId id;
  std::string name;
  std::string address;
  Bytes meta;
  Incarnation incarnation;
  friend bool operator==(const Alive&, const Alive&) = default;
};
struct Suspect {
  NodeId id;
  Incarnation incarnation;
  NodeId accuser;
  friend bool operator==(const Suspect&, const Suspect&) = default;
};
struct Dead {
  NodeId id;
  Incarnation incarnation;
  NodeId accuser;
  friend bool operator==(const Dead&, const Dead&) = default;
};
// Said by the member itself before it stops.
struct Left {
  NodeId id;
  Incarnation incarnation;
  friend bool operator==(const Left&, const Left&) = default;
};
using Update = std::variant<Alive, Suspect, Dead, Left>;

[[nodiscard]] NodeId subject(const Update& update);

// A node's digest: its publisher's newest wins, by (incarnation, version).
struct Digest {
  NodeId id;
  Incarnation incarnation;  // of the publisher when it published
  std::uint64_t version = 0;
  Bytes content;  // opaque; <= kDigestMax
  friend bool operator==(const Digest&, const Digest&) = default;
};

// ---- datagrams (UDP) ----

// Pairs an Ack or Nack with the Ping or PingRequest that asked for it; unique per sender.
using ProbeSeq = base::Id<struct ProbeSeqTag>;

// Nothing but piggyback.
struct Gossip {
  friend bool operator==(const Gossip&, const Gossip&) = default;
};
// "Are you there?" Answered only by `target`, so that a recycled address vouches for nobody else.
struct Ping {
  ProbeSeq seq;
  NodeId target;
  friend bool operator==(const Ping&, const Ping&) = default;
};
// The answer to a Ping, or a helper's answer to a PingRequest.
struct Ack {
  ProbeSeq seq;
  friend bool operator==(const Ack&, const Ack&) = default;
};
// "Ping `target` for me." SWIM section 3.1.
struct PingRequest {
  ProbeSeq seq;
  NodeId target;
  std::string address;  // of the target
  friend bool operator==(const PingRequest&, const PingRequest&) = default;
};
// A helper's "I am here, but the target stays silent": tells a deaf prober from a dead target.
// Lifeguard section IV.A.
struct Nack {
  ProbeSeq seq;
  friend bool operator==(const Nack&, const Nack&) = default;
};

struct Datagram {
  ClusterId cluster;
  NodeId from;
  Incarnation incarnation;  // of the sender
  std::variant<Gossip, Ping, Ack, PingRequest, Nack> body;
  std::vector<Update> updates;
  std::vector<Digest> digests;
  friend bool operator==(const Datagram&, const Datagram&) = default;
};

// ---- stream messages (TCP): one request, one answer ----

// The probe by TCP when UDP stays silent; answered only by `target`.
struct StreamPing {
  NodeId target;
  friend bool operator==(const StreamPing&, const StreamPing&) = default;
};
struct StreamAck {
  friend bool operator==(const StreamAck&, const StreamAck&) = default;
};
// Push/pull. `view` is a hash of the sender's live members: when both views hash alike, no member
// needs to travel. A joining node sends its own record with a view of 0.
struct SyncRequest {
  std::uint64_t view = 0;
  std::vector<Member> members;
  friend bool operator==(const SyncRequest&, const SyncRequest&) = default;
};
// `members` is empty when the views hash alike or the request was a mere push.
struct SyncReply {
  std::uint64_t view = 0;
  std::vector<Member> members;
  friend bool operator==(const SyncReply&, const SyncReply&) = default;
};
enum class RefusalReason : std::uint8_t {
  kOtherCluster,      // another cluster id: two clusters met
  kOtherClusterName,  // another --cluster name
  kNameTaken,         // a live member with another id has this node name
  kNotReady,          // not a member of a cluster itself yet
  kMalformed,         // an answer to bytes that no correct peer sends
};
struct SyncRefusal {
  RefusalReason reason = RefusalReason::kNotReady;
  friend bool operator==(const SyncRefusal&, const SyncRefusal&) = default;
};

struct StreamMessage {
  ClusterId cluster;         // zero while the sender belongs to none
  std::string cluster_name;  // <= kNameMax
  NodeId from;
  std::variant<StreamPing, StreamAck, SyncRequest, SyncReply, SyncRefusal> body;
  friend bool operator==(const StreamMessage&, const StreamMessage&) = default;
};

// ---- bounds ----

// Upper bounds of what wire needs for these, in bytes; wire checks that its encoding stays below.
// The core fills a datagram up to Config::datagram_bytes by them.
constexpr std::size_t kDatagramBaseBytes = 144;  // all but PingRequest's address and the lists
[[nodiscard]] std::size_t size_bound(const Update& update);
[[nodiscard]] std::size_t size_bound(const Digest& digest);
[[nodiscard]] std::size_t size_bound(const Datagram& datagram);

// False for what no correct peer sends: a zero id, an over-long text or list, a zero sequence.
[[nodiscard]] bool well_formed(const Datagram& datagram);
[[nodiscard]] bool well_formed(const StreamMessage& message);

}  // namespace brigade::gossip
