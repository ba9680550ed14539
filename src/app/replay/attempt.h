// One request of a replay and what became of it. Times count from the start of the replay.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "base/tokens.h"

namespace brigade::replay {

using base::Duration;
using base::Tokens;

enum class Fate : std::uint8_t {
  kNotSent,  // the replay ended before
  kAdmitted,
  kRefused,
  kErrorReply,  // the node answered -ERR or -UNAVAILABLE
  kUnanswered,  // sent, but the connection ended or the answer took too long; may have been
                // admitted
  kNodeDown,    // not sent: no connection to its node
  kOverflow,    // not sent: too many requests wait for answers of its node
};

// Where a decision came from (interface.md, BRIGADE.ACQUIRE).
enum class Source : std::uint8_t { kLocal, kBorrowed, kHome, kStrict, kShadow, kOther };
constexpr std::array<const char*, 6> kSourceNames{"local",  "borrowed", "home",
                                                  "strict", "shadow",   "other"};
constexpr std::size_t kSources = kSourceNames.size();

struct Attempt {
  Duration due{0};       // when the trace wants it
  Duration sent{0};      // read before the write; valid if was_sent
  Duration received{0};  // read after the read that completed the answer; valid if was_answered
  Tokens cost;
  std::uint32_t key = 0;  // index into the trace's keys
  std::uint16_t node = 0;
  Fate fate = Fate::kNotSent;
  Source source = Source::kOther;  // valid if decided
};

constexpr bool was_decided(Fate fate) {
  return fate == Fate::kAdmitted || fate == Fate::kRefused;
}
constexpr bool was_answered(Fate fate) {
  return was_decided(fate) || fate == Fate::kErrorReply;
}
constexpr bool was_sent(Fate fate) {
  return was_answered(fate) || fate == Fate::kUnanswered;
}

}  // namespace brigade::replay
