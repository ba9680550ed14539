// Keys with ledgers of their own (semantics 6, "to a share"): this node's requests for them, and
// those of nodes that have no rights of them yet.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "node/node.h"

namespace brigade::node {
namespace {

constexpr base::Duration kHotEvery = base::milliseconds(100);

}  // namespace

bool Node::leads_ledger(ShardId shard, const LedgerId& id) const {
  const auto replica = replicas_.find(shard);
  return replica != replicas_.end() && replica->second->serves() &&
         replica->second->store().key_ledgers() > 0 &&
         replica->second->store().ledger(id) != nullptr;
}

std::optional<Decision> Node::acquire_hot(SharedLimit& hot, Served& served,
                                          const AcquireRequest& request, Ticket ticket,
                                          Instant now) {
  const ShardId shard = served.keys.home(hot.ledger().key, config_.shards);
  if (hot.purse().bucket().size() > Tokens{} || leads_ledger(shard, hot.ledger())) {
    return acquire_shared(hot, request, ticket, now);
  }
  // Nothing may be held here yet: the leader decides, and sees by the demand what to grant.
  hot.wanted(request, now);
  Errand errand = errand_for(served.config.spec, served.keys, request, now);
  errand.client = ticket;
  return run(std::move(errand), now);
}

bool Node::host(NodeId from, const Ask& ask, Instant now) {
  if (ask.ledger.key == KeyHash{}) {
    return false;
  }
  SharedLimit* limit = holding(ask.ledger);
  if (limit == nullptr || limit->purse().bucket().size() == Tokens{}) {
    if (ask.shard.value() >= config_.shards || !leads_ledger(ask.shard, ask.ledger)) {
      return false;
    }
    limit = begin_hot(ask.ledger, now);
    if (limit == nullptr) {
      return false;
    }
  }
  const AcquireRequest request{
      .limit = ask.ledger.limit, .cost = ask.cost, .priority = ask.priority, .peek = ask.peek};
  const Guest guest{.from = from, .ask = ask};
  Decision decision;
  if (const GuestReservation* known = ask.reserve ? guests_.find(ask.id) : nullptr) {
    decision.verdict = known->actual ? Verdict::kRefused : Verdict::kAdmitted;
    decision.remaining = known->remaining;
  } else if (limit->acquire(request, now, decision) == SharedLimit::Fate::kShort) {
    const Ticket ticket = next_ticket_++;
    if (limit->park(request, ticket, book_, now, decision)) {
      guests_.wait(ticket, guest);
      return true;
    }
  }
  tell(guest, decision);
  return true;
}

void Node::host_passed_on(Replica& replica, Instant now) {
  for (const auto& [from, ask] : replica.take_passed_on()) {
    if (!host(from, ask, now)) {
      send(from, Told{.ticket = ask.ticket, .ledger = true, .verdict = Verdict::kNoRights});
    }
  }
}

void Node::tell(const Guest& guest, const Decision& decision) {
  const Ask& ask = guest.ask;
  const bool real = decision.source != Source::kShadow;  // shadows are for the asker to cast
  Told told{.ticket = ask.ticket,
            .ledger = true,
            .verdict = real ? decision.verdict : Verdict::kRefused,
            .remaining = decision.remaining,
            .retry_after = decision.retry_after};
  if (ask.reserve && !ask.peek && told.verdict == Verdict::kAdmitted) {
    if (const GuestReservation* known = guests_.find(ask.id)) {
      told.again = known->holder != ask.ticket;
    } else if (SharedLimit* limit = holding(ask.ledger)) {
      const std::uint64_t sequence = next_reservation_++;
      limit->reserve(sequence, ask.cost);
      guests_.reserved(ask.id, {.ledger = ask.ledger,
                                .sequence = sequence,
                                .remaining = decision.remaining,
                                .holder = ask.ticket});
    }
  }
  send(guest.from, told, decision.admitted() ? decision.valid_until : base::kNever);
}

bool Node::settle_guest(NodeId from, const SettleAsk& ask) {
  GuestReservation* const one = guests_.find(ask.id);
  if (one == nullptr) {
    return false;
  }
  SettleTold told{.ticket = ask.ticket};
  if (!one->actual) {
    one->actual = ask.actual;
    if (SharedLimit* limit = holding(one->ledger)) {
      one->refunded = limit->settle(one->sequence, std::max(Tokens{}, ask.actual))
                          .value_or(SettleReply{})
                          .refunded;
    }
  }
  told.settled = {.conflict = *one->actual != ask.actual, .refunded = one->refunded};
  send(from, told);
  return true;
}

void Node::answer_hosted(std::vector<Answer>& answers) {
  if (guests_.nobody_waits()) {
    return;
  }
  std::erase_if(answers, [&](const Answer& answer) {
    const auto guest = guests_.call(answer.ticket);
    if (guest) {
      tell(*guest, answer.decision);
    }
    return guest.has_value();
  });
}

void Node::run_hot(Instant now) {
  if (now.slow < next_hot_) {
    return;
  }
  next_hot_ = now.slow + kHotEvery;
  for (const auto& [shard, replica] : replicas_) {
    if (!replica->serves()) {
      continue;
    }
    for (const LedgerId& id : replica->hot_keys(now)) {
      const Tenant& tenant = tenants_[shard.value()];
      if (begin_hot(id, now) != nullptr && tenant.live(now)) {
        replica->open_ledger(id, tenant.account(), now);
      }
    }
  }
}

}  // namespace brigade::node
