#include "gossip/rulings.h"

namespace brigade::gossip {

Ruling rule(std::optional<MemberState> held, MemberState heard, Relation relation) {
  if (!held) {
    // Only a living member is worth knowing; else the forgotten dead would come back for ever.
    return heard == MemberState::kAlive ? Ruling{Verdict::kAdopt, heard} : Ruling{};
  }
  if (relation == Relation::kOlder) {
    return {};
  }
  if (relation == Relation::kSame && heard <= *held) {
    const bool confirms = heard == MemberState::kSuspect && *held == MemberState::kSuspect;
    return confirms ? Ruling{Verdict::kConfirm} : Ruling{};
  }
  if (heard == MemberState::kDead && *held == MemberState::kAlive) {
    return {Verdict::kAdopt, MemberState::kSuspect};
  }
  return {Verdict::kAdopt, heard};
}

Ruling rule_self(SelfStage stage, MemberState heard, Relation relation, bool own_words) {
  if (relation == Relation::kOlder || stage == SelfStage::kLeaving) {
    return {};
  }
  if (heard == MemberState::kAlive && relation == Relation::kSame && own_words) {
    return {};
  }
  return {Verdict::kRefute};
}

}  // namespace brigade::gossip
