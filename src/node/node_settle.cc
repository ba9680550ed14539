// Reservations that this node gave out, and what is given back at shards' leaders (semantics 6).
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "node/node.h"

namespace brigade::node {
namespace {

// How long a leader is looked for; longer than an election takes.
constexpr base::Duration kSettlePatience = base::seconds(3);
constexpr base::Duration kSettleAgain = base::milliseconds(200);
constexpr base::Duration kLookAgain = base::milliseconds(20);

}  // namespace

// ---- reservations given out ----

ReservationId Node::give_out(Given given) {
  const std::uint64_t sequence = next_reservation_++;
  given_.emplace(sequence, std::move(given));
  if (given_.size() > SharedLimit::kReservations) {
    given_.erase(given_.begin());
  }
  return {.node = config_.id.value(), .boot = config_.boot.low, .sequence = sequence};
}

ReservationId Node::reserve(SharedLimit& limit, const Decision& decision, Tokens cost) {
  if (decision.source == Source::kShadow) {
    return give_out({.reserved = cost});
  }
  limit.reserve(next_reservation_, cost);
  return give_out({.shared = &limit, .reserved = cost});
}

std::optional<SettleReply> Node::settle_reservation(const ReservationId& id, Tokens actual,
                                                    Ticket ticket, Instant now) {
  if (actual < Tokens{}) {
    return SettleReply{.verdict = SettleVerdict::kBadRequest};
  }
  if (id.node != config_.id.value() || id.boot != config_.boot.low) {
    return SettleReply{.verdict = SettleVerdict::kUnknown};
  }
  const auto found = given_.find(id.sequence);
  if (found == given_.end() || found->second.settling) {
    const bool was_ours = id.sequence < next_reservation_;
    return SettleReply{.verdict = was_ours ? SettleVerdict::kConflict : SettleVerdict::kUnknown};
  }
  Given& given = found->second;
  if (given.ask) {
    if (settlements_.size() >= kErrandsMax) {
      return SettleReply{.verdict = SettleVerdict::kNoWay};
    }
    SettleAsk ask = *given.ask;
    ask.actual = actual;
    given.settling = true;
    begin({.ask = std::move(ask), .client = ticket, .given = id.sequence}, now);
    return std::nullopt;
  }
  SettleReply reply{.verdict = SettleVerdict::kSettled,
                    .overdraft = std::max(Tokens{}, actual - given.reserved)};
  if (given.shared != nullptr) {
    reply = given.shared->settle(id.sequence, actual)
                .value_or(SettleReply{.verdict = SettleVerdict::kConflict});
  }
  given_.erase(found);
  return reply;
}

// ---- at shards' leaders ----

SettleAsk Node::settlement_of(const Errand& errand) {
  return {.shard = errand.ask.shard,
          .ledger = errand.ask.ledger,
          .id = errand.ask.id,
          .holder = errand.clients_id ? errand.ask.ticket : 0};
}

void Node::begin(Settlement settlement, Instant now) {
  settlement.ask.ticket = next_ticket_++;
  settlement.deadline = now.slow + kSettlePatience;
  settlement.retry_at = now.slow + kSettleAgain;
  send_to_leader(settlement.ask.shard, settlement.ask);
  settlements_.emplace(settlement.ask.ticket, std::move(settlement));
}

void Node::call_off(SettleAsk ask, Instant now) {
  ask.actual = Tokens{};
  if (settlements_.size() < kErrandsMax) {
    begin({.ask = std::move(ask)}, now);
  }
}

// It was used as it was charged: nobody will settle it, and nothing depends on the answer.
void Node::close(SettleAsk ask, Tokens cost) {
  ask.actual = cost;
  ask.holder = 0;
  const ShardId shard = ask.shard;
  send_to_leader(shard, std::move(ask));
}

void Node::on(NodeId from, const SettleTold& told, Instant now) {
  const auto found = settlements_.find(told.ticket);
  if (found == settlements_.end()) {
    return;
  }
  const SettleAsk& ask = found->second.ask;
  if (told.elsewhere || told.unknown) {
    if (told.leader != from) {  // else it leads, and is not ready yet
      directory_.redirected(ask.shard, from, told.leader);
    }
    found->second.retry_at = std::min(found->second.retry_at, now.slow + kLookAgain);
    return;
  }
  if (const auto served = served_.find(ask.ledger.limit); served != served_.end()) {
    served->second.admitted -= told.settled.refunded;
  }
  Settlement done = std::move(found->second);
  settlements_.erase(found);
  finish(done, told.settled);
}

void Node::finish(const Settlement& settlement, const Settled& settled) {
  const auto given = given_.find(settlement.given);
  if (given == given_.end()) {
    return;
  }
  const Tokens over = settlement.ask.actual - given->second.reserved;
  given_.erase(given);
  SettleReply reply{.verdict = SettleVerdict::kConflict};
  if (!settled.conflict) {
    reply = {.verdict = SettleVerdict::kSettled,
             .refunded = settled.refunded,
             .overdraft = std::max(Tokens{}, over)};
  }
  settle_answers_.push_back({.ticket = settlement.client, .reply = reply});
}

void Node::run_settlements(Instant now) {
  for (auto it = settlements_.begin(); it != settlements_.end();) {
    Settlement& one = it->second;
    if (now.slow >= one.deadline) {
      COVERED("no leader heard of a settlement in time");
      if (const auto given = given_.find(one.given); given != given_.end()) {
        given->second.settling = false;  // it may be tried again
        settle_answers_.push_back(
            {.ticket = one.client, .reply = {.verdict = SettleVerdict::kNoWay}});
      }
      it = settlements_.erase(it);
      continue;
    }
    if (now.slow >= one.retry_at) {
      one.retry_at = now.slow + kSettleAgain;
      send_to_leader(one.ask.shard, one.ask);
    }
    ++it;
  }
}

}  // namespace brigade::node
