// What a piece of news about a member means, given what we hold: the protocol's transition table,
// apart from timers and queues so that it can be tested row by row.
//
// News is ordered by (incarnation, state), alive < suspect < dead < left; the larger wins, so that
// all members converge whatever the order of arrival. Source: SWIM section 4.2. Divergence: "dead"
// about a member that we hold alive makes it suspect first (as memberlist does in push/pull only),
// so that one accuser who can send but not receive never buries anybody at once.
#pragma once

#include <optional>

#include "gossip/messages.h"

namespace brigade::gossip {

// The news' incarnation compared with the one that we hold.
enum class Relation : std::uint8_t { kOlder, kSame, kNewer };

enum class Verdict : std::uint8_t {
  kIgnore,   // nothing new
  kAdopt,    // take over state `next` and the news' incarnation, tell others
  kConfirm,  // another accuser of a suspect: may shorten its timer
  kRefute,   // about ourselves, and wrong: answer with a higher incarnation
};

struct Ruling {
  Verdict verdict = Verdict::kIgnore;
  MemberState next = MemberState::kAlive;  // of kAdopt
  friend bool operator==(const Ruling&, const Ruling&) = default;
};

// About another member. `held` is empty when it is unknown; then `relation` is kNewer.
[[nodiscard]] Ruling rule(std::optional<MemberState> held, MemberState heard, Relation relation);

enum class SelfStage : std::uint8_t { kStaying, kLeaving };
// About this node. `own_words` says that the news repeats our own record of this incarnation.
[[nodiscard]] Ruling rule_self(SelfStage stage, MemberState heard, Relation relation,
                               bool own_words);

}  // namespace brigade::gossip
