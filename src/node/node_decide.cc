// How a node decides: here when it holds tokens, at a shard's leader for keys and strict limits.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "node/node.h"

namespace brigade::node {
namespace {

// How long a decision elsewhere may take before the client hears that there is no way.
constexpr base::Duration kErrandPatience = base::seconds(1);
// An unanswered ask is repeated after this long, perhaps to another leader.
constexpr base::Duration kAskAgain = base::milliseconds(200);
// A leader that moved is asked for at this pace.
constexpr base::Duration kLookAgain = base::milliseconds(20);
constexpr std::uint64_t kKeySeed = 0x6b65792d68617368;

Decision verdict_only(Verdict verdict) {
  return Decision{.verdict = verdict};
}

// The limit that CL.THROTTLE's arguments stand for; the same arguments give the same name.
bucket::LimitSpec implicit_limit(const ThrottleRequest& request) {
  bucket::LimitSpec spec;
  spec.name = "cl.throttle/" + std::to_string(request.max_burst) + "/" +
              std::to_string(request.count) + "/" + std::to_string(request.period_s);
  spec.per_key = true;
  spec.burst = Tokens::whole(request.max_burst + 1);
  spec.rate = Rate::of(Tokens::whole(request.count), base::seconds(request.period_s));
  return spec;
}

}  // namespace

std::optional<Decision> Node::check(const Served& served, const AcquireRequest& request,
                                    Instant now) const {
  const bucket::LimitSpec& spec = served.config.spec;
  if (served.dropped) {
    return verdict_only(Verdict::kUnknownLimit);
  }
  if (draining_) {
    return verdict_only(Verdict::kNoRights);
  }
  const bool key_fits = spec.per_key != request.key.empty();
  const bool priority_known = request.priority.empty() || spec.has_priority(request.priority);
  if (!key_fits || !priority_known || request.cost < Tokens{}) {
    return verdict_only(Verdict::kBadRequest);
  }
  if (served.elsewhere && request.cost > spec.largest_cost(request.priority)) {
    Decision never{.verdict = Verdict::kNever, .burst = spec.burst, .rate = spec.rate};
    never.source = spec.per_key ? Source::kHome : Source::kStrict;
    return never;
  }
  (void)now;
  return std::nullopt;
}

ReservationId Node::reserve(SharedLimit& limit, Tokens cost) {
  const std::uint64_t sequence = next_reservation_++;
  limit.reserve(sequence, cost);
  reserved_at_[sequence] = &limit;
  if (reserved_at_.size() > SharedLimit::kReservations) {
    reserved_at_.erase(reserved_at_.begin());
  }
  return {.node = config_.id.value(), .boot = config_.boot.low, .sequence = sequence};
}

std::optional<Decision> Node::acquire_shared(SharedLimit& limit, const AcquireRequest& request,
                                             Ticket ticket, Instant now) {
  Decision decision;
  if (limit.acquire(request, now, decision) == SharedLimit::Fate::kShort) {
    if (limit.park(request, ticket, book_, now, decision)) {
      parked_at_[ticket] = {.limit = &limit, .cost = request.cost, .reserve = request.reserve};
      return std::nullopt;
    }
    return decision;
  }
  if (request.reserve && decision.admitted() && !request.peek) {
    decision.reservation = reserve(limit, request.cost);
  }
  return decision;
}

std::optional<Decision> Node::acquire(const AcquireRequest& request, Ticket ticket, Instant now) {
  const auto found = served_.find(request.limit);
  if (found == served_.end()) {
    return verdict_only(Verdict::kUnknownLimit);
  }
  Served& served = found->second;
  if (auto refusal = check(served, request, now)) {
    return refusal;
  }
  if (!served.elsewhere) {
    return acquire_shared(*served.shared, request, ticket, now);
  }
  Errand errand = errand_for(served.config.spec, request, now);
  errand.client = ticket;
  return run(std::move(errand), now);
}

std::optional<Decision> Node::throttle(const ThrottleRequest& request, Ticket ticket, Instant now) {
  if (draining_) {
    return verdict_only(Verdict::kNoRights);
  }
  const bucket::LimitSpec spec = implicit_limit(request);
  const AcquireRequest asked{.limit = spec.name,
                             .key = request.key,
                             .cost = Tokens::whole(request.quantity),
                             .peek = request.quantity == 0};
  if (asked.cost > spec.burst) {
    Decision never{.verdict = Verdict::kNever, .source = Source::kHome};
    never.burst = spec.burst;
    never.rate = spec.rate;
    return never;
  }
  Errand errand = errand_for(spec, asked, now);
  errand.ask.implicit = spec;
  errand.client = ticket;
  return run(std::move(errand), now);
}

SettleReply Node::settle_reservation(const ReservationId& id, Tokens actual) {
  if (actual < Tokens{}) {
    return {.verdict = SettleVerdict::kBadRequest};
  }
  if (id.node != config_.id.value() || id.boot != config_.boot.low) {
    return {.verdict = SettleVerdict::kUnknown};
  }
  const auto found = reserved_at_.find(id.sequence);
  if (found == reserved_at_.end()) {
    const bool was_ours = id.sequence < next_reservation_;
    return {.verdict = was_ours ? SettleVerdict::kConflict : SettleVerdict::kUnknown};
  }
  SharedLimit* limit = found->second;
  reserved_at_.erase(found);
  return limit->settle(id.sequence, actual).value_or(SettleReply{SettleVerdict::kConflict, {}, {}});
}

void Node::abandon(Ticket ticket) {
  if (const auto found = parked_at_.find(ticket); found != parked_at_.end()) {
    found->second.limit->cancel(ticket);
    parked_at_.erase(found);
  }
  if (const auto found = errand_of_.find(ticket); found != errand_of_.end()) {
    errands_.erase(found->second);
    errand_of_.erase(found);
  }
  if (const auto found = wholes_.find(ticket); found != wholes_.end()) {
    give_back(found->second);
    wholes_.erase(found);
  }
}

// ---- errands ----

Node::Errand Node::errand_for(const bucket::LimitSpec& spec, const AcquireRequest& request,
                              Instant now) {
  const KeyHash key = spec.per_key
                          ? base::hash_key(request.key, kKeySeed ^ base::hash_key(spec.name, 0).low)
                          : KeyHash{};
  Errand errand{.ask = {.ledger = {.limit = spec.name, .key = key},
                        .cost = request.cost,
                        .priority = std::string(request.priority),
                        .wait = request.wait,
                        .peek = request.peek},
                .client = 0,
                .whole = 0,
                .deadline = now.slow + kErrandPatience,
                .retry_at = now.slow,
                .wait_until = now.slow,
                .source = spec.mode == bucket::Mode::kStrict ? Source::kStrict : Source::kHome,
                .shadow = spec.shadow,
                .reserve = request.reserve,
                .burst = spec.burst,
                .rate = spec.rate};
  errand.ask.shard = spec.per_key ? TokenStore::home_of(spec.name, key, config_.shards)
                                  : TokenStore::home_of(spec.name, config_.shards);
  if (request.wait > base::Duration::zero()) {
    errand.wait_until = now.slow + std::min(request.wait, spec.queue.max_wait);
    errand.deadline = std::max(errand.deadline, errand.wait_until + kErrandPatience);
  }
  if (errand.source == Source::kStrict) {
    errand.ask.id = request.id.empty() ? KeyHash{dice_.next(), dice_.next()}
                                       : base::hash_key(request.id, kKeySeed);
  }
  return errand;
}

Decision Node::decision_of(const Errand& errand, const Told& told) const {
  Decision decision{.verdict = told.verdict,
                    .source = errand.source,
                    .remaining = told.remaining,
                    .retry_after = told.retry_after,
                    .reset_after = told.reset_after,
                    .burst = errand.burst,
                    .rate = errand.rate};
  if (errand.shadow && told.verdict == Verdict::kRefused) {
    decision.verdict = Verdict::kAdmitted;
    decision.source = Source::kShadow;
  }
  return decision;
}

std::optional<Decision> Node::run(Errand errand, Instant now) {
  const auto replica = replicas_.find(errand.ask.shard);
  if (replica != replicas_.end() && replica->second->serves() && errand.source == Source::kHome &&
      errand.whole == 0) {
    Replica& leader = *replica->second;
    if (leader.home()->in_authority(now)) {
      const Told told = leader.decide(errand.ask, now);
      const bool again = told.verdict == Verdict::kRefused && errand.wait_until > now.slow &&
                         now.slow + told.retry_after <= errand.wait_until;
      if (!again) {
        Decision decision = decision_of(errand, told);
        decision.valid_until = leader.home()->until();
        return decision;
      }
    }
  }
  if (errands_.size() >= kErrandsMax) {
    return verdict_only(Verdict::kTooManyWaiting);
  }
  const Ticket ticket = next_ticket_++;
  errand.ask.ticket = ticket;
  if (errand.client != 0) {
    errand_of_[errand.client] = ticket;
  }
  ask(ticket, errands_.emplace(ticket, std::move(errand)).first->second, now);
  return std::nullopt;
}

void Node::ask(Ticket, Errand& errand, Instant now) {
  errand.retry_at = now.slow + kAskAgain;
  send_to_leader(errand.ask.shard, errand.ask);
}

void Node::on(NodeId from, const Told& told, Instant now) {
  const auto found = errands_.find(told.ticket);
  if (found == errands_.end()) {
    return;
  }
  Errand& errand = found->second;
  if (told.elsewhere || told.unknown) {
    directory_.doubt(errand.ask.shard, from);
    if (told.leader && told.leader != from) {
      directory_.heard(errand.ask.shard, told.leader, directory_.term(errand.ask.shard));
    }
    errand.retry_at = std::min(errand.retry_at, now.slow + kLookAgain);
    return;
  }
  if (told.verdict == Verdict::kRefused && now.slow + told.retry_after <= errand.wait_until &&
      errand.wait_until > now.slow) {
    COVERED("a decision elsewhere waits for tokens still to be minted");
    errand.retry_at = now.slow + std::max(told.retry_after, base::milliseconds(1));
    return;
  }
  finish(told.ticket, decision_of(errand, told), now);
}

void Node::finish(Ticket ticket, Decision decision, Instant now) {
  auto node = errands_.extract(ticket);
  const Errand& errand = node.mapped();
  if (errand.whole != 0) {
    on_part(errand.whole, std::move(decision), now);
    return;
  }
  errand_of_.erase(errand.client);
  answers_.push_back({.ticket = errand.client, .decision = std::move(decision)});
}

void Node::run_errands(Instant now) {
  std::vector<Ticket> over;
  for (auto& [ticket, errand] : errands_) {
    if (now.slow >= errand.deadline) {
      over.push_back(ticket);
    } else if (now.slow >= errand.retry_at) {
      ask(ticket, errand, now);
    }
  }
  for (const Ticket ticket : over) {
    COVERED("no leader decided in time");
    Decision decision = verdict_only(Verdict::kNoRights);
    decision.source = errands_.at(ticket).source;
    finish(ticket, std::move(decision), now);
  }
}

}  // namespace brigade::node
