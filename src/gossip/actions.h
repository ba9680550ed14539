// What goes into the membership core and what comes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/note.h"
#include "gossip/messages.h"

namespace brigade::gossip {

// One stream request on its way, named by the core that sent it.
using ExchangeId = base::Id<struct ExchangeIdTag>;
// One stream request that waits for its answer, named by the driver that received it.
using RequestToken = base::Id<struct RequestTokenTag>;

// ---- inputs ----

struct DatagramReceived {
  std::string from;  // the address it came from; answers go there
  Datagram datagram;
};
// A peer opened an exchange; the core answers it at once with AnswerStream{token}.
struct StreamRequested {
  RequestToken token;
  StreamMessage message;
};
struct StreamAnswered {
  ExchangeId exchange;
  StreamMessage message;
};
// The exchange ended without an answer. (Silence is failure too, after Config::stream_timeout.)
struct StreamFailed {
  ExchangeId exchange;
};
// Time has come to next_deadline(). Early, late and repeated ones are harmless.
struct Timeout {};
// What this node says of itself for good; tells everybody. Requires: <= kMetaMax.
struct SetMeta {
  Bytes meta;
};
// What this node says of itself right now. Frequent calls are cheap: the newest content is
// published at most once per Config::digest_interval. Requires: <= kDigestMax.
struct SetDigest {
  Bytes content;
};
// Asks these addresses for their members until one answers, and again whenever they are unseen.
// Names may be repeated after a new resolution; the list replaces the former.
struct Join {
  std::vector<std::string> seeds;
};
// Says goodbye; LeaveDone follows within Config::leave_timeout. There is no way back.
struct Leave {};

// Raft removed this member: a dead one counts as gone and is not tried any more. One that still
// runs objects and comes back, for gossip only hints.
struct Remove {
  NodeId id;
};

using Input = std::variant<DatagramReceived, StreamRequested, StreamAnswered, StreamFailed, Timeout,
                           SetMeta, SetDigest, Join, Leave, Remove>;

// ---- actions ----

struct SendDatagram {
  std::string address;
  Datagram datagram;
};
// Open an exchange (connect, send, wait for one answer); report it as StreamAnswered/StreamFailed.
struct SendStream {
  std::string address;
  ExchangeId exchange;
  StreamMessage message;
};
struct AnswerStream {
  RequestToken token;
  StreamMessage message;
};
// `before` is empty for a member that was unknown. Also told when only name, address or meta
// changed; never about this node itself.
struct MemberChanged {
  Member member;
  std::optional<MemberState> before;
};
// A member was dead or gone for Config::forget_after, and its record is dropped.
struct MemberForgotten {
  NodeId id;
};
struct DigestChanged {
  NodeId id;
};
// Two live ids have one name. Told once per meeting; who keeps the name is Raft's to decide.
struct Conflict {
  NodeId holder;  // known first, or this node
  NodeId other;
};
// A seed belongs to a cluster; from now on so do we. The owner stores the id.
struct Joined {
  ClusterId cluster;
};
// A seed will not have us; the core keeps asking, the owner may give up.
struct JoinRefused {
  std::string address;
  RefusalReason reason = RefusalReason::kNotReady;
};
// Enough members heard the goodbye, or time is up.
struct LeaveDone {};

using Action = std::variant<SendDatagram, SendStream, AnswerStream, MemberChanged, MemberForgotten,
                            DigestChanged, Conflict, Joined, JoinRefused, LeaveDone, base::Note>;

// What one step wants done, in order. Reused: the owner clears it between steps.
class Actions {
 public:
  void add(Action action) { items_.push_back(std::move(action)); }
  void note(const char* event, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0) {
    items_.emplace_back(base::Note{event, a, b, c});
  }
  void clear() { items_.clear(); }

  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] auto begin() { return items_.begin(); }
  [[nodiscard]] auto end() { return items_.end(); }
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }

 private:
  std::vector<Action> items_;
};

}  // namespace brigade::gossip
