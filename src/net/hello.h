// The first words on every connection between nodes: who is there, and whether both may go on.
//
//   hello   := magic oldest newest purpose flags cluster node boot name-size address-size name
//              address rest
//   magic   := "BRGD"          oldest, newest, name-size, address-size := u16
//   purpose := u8, Purpose     flags := u8: 1 when a cluster id is given
//   cluster := u64 u64, zero without one     node := u64     boot := u64 u64
//   rest    := whatever later versions add; ignored
//   refusal := code reason     code := u8, Refusal     reason := text to the end
//   All integers are little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace brigade::net {

// Versions of what is said between nodes that this program speaks.
constexpr std::uint16_t kOldestProtocol = 1;
constexpr std::uint16_t kNewestProtocol = 1;

// What a connection is for: a lane of a link, or one question and its answer.
enum class Purpose : std::uint8_t { kUrgent = 1, kBulk = 2, kExchange = 3 };

struct Hello {
  std::uint16_t oldest = kOldestProtocol;
  std::uint16_t newest = kNewestProtocol;
  Purpose purpose = Purpose::kUrgent;
  std::optional<base::ClusterId> cluster;  // none: not a member of one yet
  base::NodeId node;                       // never zero
  base::Boot boot;
  std::string name;        // at most kMaxName bytes
  std::string advertised;  // "host:port" for others, at most kMaxAddress bytes

  static constexpr std::size_t kMaxName = 256;
  static constexpr std::size_t kMaxAddress = 320;
  friend bool operator==(const Hello&, const Hello&) = default;
};

enum class Refusal : std::uint8_t {
  kMalformed = 1,
  kProtocol = 2,    // no version that both speak
  kCluster = 3,     // of another cluster
  kSameNode = 4,    // the node id is this node's own: a copied data directory
  kOtherNode = 5,   // somebody else answers at this address now
  kTurnedAway = 6,  // by the layers above; the reason says why
  kBusy = 7,        // at a bound on connections; try again later
  kDoubled = 8,     // another process with this node id speaks here: a copied data directory
  kItself = 9,      // this very process
};

struct Refused {
  Refusal code = Refusal::kMalformed;
  std::string reason;  // for the person who reads the log, at most kMaxReason bytes
  static constexpr std::size_t kMaxReason = 1024;
};

std::string encode(const Hello& hello);
std::string encode(const Refused& refused);
// Malformed bytes yield nothing.
std::optional<Hello> decode_hello(std::string_view bytes);
std::optional<Refused> decode_refused(std::string_view bytes);

// What is said of two processes with one node id.
std::string doubled(const Hello& one, const Hello& other);

// Whether `mine` goes on with `theirs`. `expected`: the node that was dialled, zero: anyone.
std::optional<Refused> judge(const Hello& mine, const Hello& theirs, base::NodeId expected);

}  // namespace brigade::net
