// Slow keys: what their desk wants logged, and the asks that wait for it.
#include <algorithm>
#include <utility>
#include <variant>

#include "node/replica.h"

namespace brigade::node {

void Replica::flush_ahead(Instant now) {
  // What is under way when leadership moves on could not be given back any more.
  if (rotation_ != Rotation::kNone || now.slow >= next_rotation_) {
    return;
  }
  if (auto command = home_->ahead().flush(now)) {
    Proposal proposal;
    proposal.ahead = true;
    propose(std::move(*command), std::move(proposal), now);
  }
}

void Replica::decide_home(NodeId from, const Ask& ask, Instant now) {
  home_->ahead().release(from, ask.ticket);
  if (home_->changing(ask.ledger.limit)) {
    return;  // it is asked again; kept, it would be charged when nobody waits for it any more
  }
  auto told = home_->decide(ask, now);
  if (!told) {
    home_->ahead().hold({.from = from, .ask = ask, .rounds = 0, .since = now.slow});
    return;
  }
  if (told->verdict == Verdict::kAdmitted && !ask.peek && from != node_of(core_.self())) {
    home_->gave(ask.ledger, ask.cost, now);
  }
  sends_.push_back({.to = from, .message = *std::move(told), .expires = home_->until()});
}

void Replica::spent_ahead(const Command& command, const Outcome& outcome, Instant now) {
  const auto* spent = std::get_if<SpendAhead>(&command);
  if (!home_ || spent == nullptr) {
    return;
  }
  for (AheadDesk::Waiting& one : home_->ahead().applied(*spent, outcome, now)) {
    held_.erase({one.from, one.ask.ticket});  // asked again meanwhile: it is decided once
    if (rotation_ != Rotation::kNone || !home_->in_authority(now) ||
        home_->changing(one.ask.ledger.limit)) {
      on(one.from, one.ask, now);
    } else if (auto told = home_->decide(one.ask, now)) {
      sends_.push_back({.to = one.from, .message = *std::move(told), .expires = home_->until()});
    } else {
      ++one.rounds;
      home_->ahead().hold(std::move(one));
    }
  }
}

// A Handover waits for what the ahead desk has under way, and that for nothing.
base::TimePoint Replica::ahead_deadline(Instant now) const {
  const AheadDesk& ahead = home_->ahead();
  return std::min(ahead.next_deadline(now), ahead.in_flight() ? base::kNever : next_rotation_);
}

// Nothing was taken for them: they may ask again.
void Replica::refuse_waiting() {
  if (!home_) {
    return;
  }
  const NodeId leader = hint();
  for (const AheadDesk::Waiting& one : home_->ahead().failed()) {
    sends_.push_back(
        {.to = one.from,
         .message = Told{.ticket = one.ask.ticket, .elsewhere = true, .leader = leader}});
  }
}

}  // namespace brigade::node
