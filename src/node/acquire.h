// What a client asks and what it is told, whichever front door it came through.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/key_hash.h"
#include "base/time.h"
#include "base/tokens.h"

namespace brigade::node {

using base::Duration;
using base::Tokens;

// Where the tokens came from.
enum class Source : std::uint8_t { kLocal, kBorrowed, kHome, kStrict, kShadow };

enum class Verdict : std::uint8_t {
  kAdmitted,
  kRefused,         // not enough tokens; retry_after says when
  kNever,           // cost > burst x (1 - reserve of its class): refused at once, for ever
  kUnknownLimit,    // no such limit is declared
  kBadRequest,      // a cost below 0, or an id older than the limit remembers
  kNoRights,        // no rights and no way to get any now (isolated, starting)
  kTooManyKeys,     // max_keys reached and none can be dropped
  kTooManyWaiting,  // the limit's queue or the node's is full
  // Said by the node that was asked, never by another:
  kDraining,         // it hands its rights back and admits nothing
  kKeyMissing,       // the limit is per key
  kKeyUnwanted,      // the limit has one bucket for all
  kUnknownPriority,  // none of the limit's classes
  kIdUnwanted,       // only strict limits know ids
};

// One acquire. Views live only for the call.
struct AcquireRequest {
  std::string_view limit;
  std::string_view key;  // empty: none; needed exactly by limits with `per: key`
  Tokens cost = Tokens::whole(1);
  Duration wait{0};  // how long to wait for tokens still to be minted; capped by queue.max_wait
  std::string_view priority;
  bool reserve = false;  // keep the unused part refundable until settled
  bool peek = false;     // answer as if, take nothing
  std::string_view id;   // strict limits: exactly one effect per id; empty: the node makes one
};

// A reservation's name, unique for the life of the cluster: "<node>-<boot>-<sequence>" in hex as
// text.
struct ReservationId {
  std::uint64_t node = 0;
  std::uint64_t boot = 0;
  std::uint64_t sequence = 0;  // 0: none
  friend auto operator<=>(const ReservationId&, const ReservationId&) = default;
};
std::string to_text(const ReservationId& id);
// False when the text is no reservation id.
bool parse(std::string_view text, ReservationId& out);

struct Decision {
  Verdict verdict = Verdict::kRefused;
  Source source = Source::kLocal;
  Tokens remaining;         // the deciding bucket's level afterwards, >= 0
  Duration retry_after{0};  // kRefused: true unless others take the tokens first
  Tokens burst;             // the limit's configured burst and rate, for headers
  base::Rate rate;
  ReservationId reservation;  // sequence 0 unless asked for and admitted
  // The deciding bucket's rights end here on this machine's fast line. Whoever delivers an
  // admission reads the clock first, and refuses when it is past: the tokens died with the session
  // (semantics 3.5).
  base::TimePoint valid_until = base::kNever;
  std::uint32_t refused_by = 0;  // several limits: index of the first one that refused
  // Several limits: each one's own decision, in request order; empty for a single one.
  std::vector<Decision> each;

  base::NodeId decided_by;  // zero: this node

  [[nodiscard]] bool admitted() const { return verdict == Verdict::kAdmitted; }
  // Until the limit is full again if nothing more is taken, as far as this node can tell, at the
  // rate as it is declared: what a clock may be wrong by is left out. retry_after has it, so that
  // it is not too early.
  [[nodiscard]] Duration reset_after() const { return rate.time_for(burst - remaining); }
};

// What a limit that only counts (`shadow`) makes of its own refusal, whatever the reason: an
// admission that took nothing. False when it is no refusal of the limit: then nothing changes.
bool cast_shadow(Decision& decision);

// An implicit keyed limit, as CL.THROTTLE names it: identity is (key, max_burst, count, period).
struct ThrottleRequest {
  std::string_view key;
  std::int64_t max_burst = 0;  // >= 0; the bucket holds max_burst + 1
  std::int64_t count = 1;      // > 0 tokens ...
  std::int64_t period_s = 1;   // ... per this many seconds, > 0
  std::int64_t quantity = 1;   // >= 0; 0 peeks
};

enum class SettleVerdict : std::uint8_t {
  kSettled,
  kConflict,    // settled before, or being settled
  kUnknown,     // no reservation of this node
  kBadRequest,  // a cost below zero
  kNoWay        // no leader answered: it may be tried again
};
struct SettleReply {
  SettleVerdict verdict = SettleVerdict::kUnknown;
  Tokens refunded;
  Tokens overdraft;  // actual cost above the reservation: reported as debt, never charged twice
};

const char* to_text(Source source);

}  // namespace brigade::node
