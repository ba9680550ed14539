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
constexpr std::uint64_t kRequestSeed = 0x6b65792d68617368;

Decision verdict_only(Verdict verdict) {
  return Decision{.verdict = verdict};
}

// What is left was asked for, of a limit that can never hold the cost.
void refuse_for_good(Decision& looked) {
  looked.verdict = Verdict::kNever;
  looked.retry_after = base::Duration::zero();
}

}  // namespace

std::optional<Decision> Node::check(const Served& served, const AcquireRequest& request) const {
  const bucket::LimitSpec& spec = served.config.spec;
  if (served.dropped) {
    return verdict_only(Verdict::kUnknownLimit);
  }
  if (draining_) {
    return verdict_only(Verdict::kDraining);
  }
  if (spec.per_key == request.key.empty()) {
    return verdict_only(spec.per_key ? Verdict::kKeyMissing : Verdict::kKeyUnwanted);
  }
  if (!request.priority.empty() && !spec.has_priority(request.priority)) {
    return verdict_only(Verdict::kUnknownPriority);
  }
  if (!request.id.empty() && spec.mode != bucket::Mode::kStrict) {
    return verdict_only(Verdict::kIdUnwanted);  // who sends an id relies on it
  }
  if (request.cost < Tokens{}) {
    return verdict_only(Verdict::kBadRequest);
  }
  return std::nullopt;
}

std::optional<Decision> Node::never(const bucket::LimitSpec& spec, const AcquireRequest& request) {
  if (request.cost <= spec.largest_cost(request.priority)) {
    return std::nullopt;
  }
  return Decision{.verdict = Verdict::kNever,
                  .source = terms_of(spec).source,
                  .burst = spec.burst,
                  .rate = spec.rate};
}

std::optional<Decision> Node::look_only(const Served& served, const AcquireRequest& request,
                                        Ticket ticket, Instant now) {
  const bucket::LimitSpec& spec = served.config.spec;
  const AcquireRequest look{.limit = request.limit, .key = request.key, .cost = {}, .peek = true};
  if (auto decision = decide_here(spec, served.keys, look, false, now)) {
    refuse_for_good(*decision);
    return decision;
  }
  Errand errand = errand_for(spec, served.keys, look, now);
  errand.terms.never = true;
  errand.deadline = now.slow + kAskAgain;  // the refusal is certain: what is left is a courtesy
  errand.client = ticket;
  const bool asked = !run(std::move(errand), now);
  return asked ? std::nullopt : never(spec, request);
}

Decision Node::unknown(std::string_view limit) const {
  // Before its shard's leader has spoken once, this node does not know which limits there are.
  const ShardId home = TokenStore::home_of(limit, config_.shards);
  const bool told = tenants_[home.value()].answered();
  return verdict_only(told ? Verdict::kUnknownLimit : Verdict::kNoRights);
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
    decision.reservation = reserve(limit, decision, request.cost);
  }
  return decision;
}

std::optional<Decision> Node::acquire(const AcquireRequest& request, Ticket ticket, Instant now) {
  const auto found = served_.find(request.limit);
  if (found == served_.end()) {
    return unknown(request.limit);
  }
  Served& served = found->second;
  if (auto refusal = check(served, request)) {
    return refusal;
  }
  return served.elsewhere ? acquire_elsewhere(served, request, ticket, now)
                          : acquire_shared(*served.shared, request, ticket, now);
}

std::optional<Decision> Node::acquire_elsewhere(Served& served, const AcquireRequest& request,
                                                Ticket ticket, Instant now) {
  const bucket::LimitSpec& spec = served.config.spec;
  std::optional<Decision> decision = never(spec, request);
  if (!decision) {
    decision = decide_elsewhere(served, request, ticket, now);
  } else if (!spec.shadow) {
    return look_only(served, request, ticket, now);
  }
  if (decision && spec.shadow && cast_shadow(*decision) && request.reserve && !request.peek) {
    decision->reservation = give_out({.reserved = request.cost});
  }
  if (decision && !request.peek) {
    count(served, *decision, request.cost);
  }
  return decision;
}

std::optional<Decision> Node::decide_elsewhere(Served& served, const AcquireRequest& request,
                                               Ticket ticket, Instant now) {
  if (!request.peek) {
    served.demand->offer(request.cost, now.slow);
  }
  const bool hot = !served.hot.empty() && served.config.spec.mode == bucket::Mode::kShared;
  const auto held = hot ? served.hot.find(served.keys.hash(request.key)) : served.hot.end();
  return held != served.hot.end() ? acquire_hot(*held->second, served, request, ticket, now)
                                  : acquire_at_home(served, request, ticket, now);
}

std::optional<Decision> Node::acquire_at_home(const Served& served, const AcquireRequest& request,
                                              Ticket ticket, Instant now) {
  const bucket::LimitSpec& spec = served.config.spec;
  std::optional<Decision> decision = decide_here(spec, served.keys, request, false, now);
  if (!decision) {
    decision = decide_near(spec, served.keys, request, false, now);
  }
  if (!decision) {
    Errand errand = errand_for(spec, served.keys, request, now);
    errand.client = ticket;
    decision = run(std::move(errand), now);
  }
  return decision;
}

std::optional<Decision> Node::throttle(const ThrottleRequest& request, Ticket ticket, Instant now) {
  if (draining_) {
    return verdict_only(Verdict::kDraining);
  }
  const ImplicitLimit& implicit = implicit_.of(request);
  const bucket::LimitSpec& spec = *implicit.spec;
  AcquireRequest asked{.limit = spec.name,
                       .key = request.key,
                       .cost = Tokens::whole(request.quantity),
                       .peek = request.quantity == 0};
  throttled_.offer(asked.cost, now.slow);
  const bool never = asked.cost > spec.burst;
  if (never) {
    asked.cost = Tokens{};  // what is left is told all the same
    asked.peek = true;
  }
  std::optional<Decision> decision = decide_here(spec, implicit.keys, asked, true, now);
  if (!decision) {
    decision = decide_near(spec, implicit.keys, asked, true, now);
  }
  if (!decision) {
    Errand errand = errand_for(spec, implicit.keys, asked, now);
    errand.ask.implicit = implicit.spec;
    errand.terms.never = never;
    errand.client = ticket;
    decision = run(std::move(errand), now);
  } else if (never) {
    refuse_for_good(*decision);
  }
  return decision;
}

void Node::abandon(Ticket ticket, Instant now) {
  if (const auto found = parked_at_.find(ticket); found != parked_at_.end()) {
    found->second.limit->cancel(ticket);
    parked_at_.erase(found);
  }
  if (const auto found = errand_of_.find(ticket); found != errand_of_.end()) {
    const Errand& errand = errands_.at(found->second);
    if (errand.ask.reserve) {
      COVERED("a client went away while its reservation was made");
      call_off(settlement_of(errand), now);
    }
    end_wait(errand);
    errands_.erase(found->second);
    errand_of_.erase(found);
  }
  if (const auto found = wholes_.find(ticket); found != wholes_.end()) {
    give_back(found->second, now);
    wholes_.erase(found);
  }
}

// ---- errands ----

std::optional<Decision> Node::decide_here(const bucket::LimitSpec& spec, const KeySpace& keys,
                                          const AcquireRequest& request, bool implicit,
                                          Instant now) {
  std::optional<Decision> decision;
  if (spec.mode == bucket::Mode::kStrict) {
    return decision;
  }
  const KeyHash key = keys.hash(request.key);
  const auto replica = replicas_.find(keys.home(key, config_.shards));
  if (replica == replicas_.end() || !replica->second->serves() ||
      !replica->second->home()->in_authority(now)) {
    return decision;
  }
  const bool reserve = request.reserve && !request.peek;
  const KeyHash id = reserve ? KeyHash{dice_.next(), dice_.next()} : KeyHash{};
  const auto told = replica->second->decide({.limit = keys.named(spec.name),
                                             .key = key,
                                             .cost = request.cost,
                                             .priority = request.priority,
                                             .peek = request.peek,
                                             .implicit = implicit ? &spec : nullptr,
                                             .reserve = reserve,
                                             .id = id},
                                            now);
  const bool wait = told && told->verdict == Verdict::kRefused &&
                    request.wait > base::Duration::zero() &&
                    told->retry_after <= std::min(request.wait, spec.queue.max_wait);
  if (!told || told->ledger || wait) {
    return decision;  // worth waiting for
  }
  fill(decision.emplace(), terms_of(spec), *told);
  decision->valid_until = replica->second->home()->until();
  if (reserve && decision->admitted()) {
    const SettleAsk ask{
        .shard = replica->first, .ledger = {.limit = spec.name, .key = key}, .id = id};
    decision->reservation = give_out({.ask = ask, .reserved = request.cost});
  }
  return decision;
}

Node::Errand Node::errand_for(const bucket::LimitSpec& spec, const KeySpace& keys,
                              const AcquireRequest& request, Instant now) {
  const bool strict = spec.mode == bucket::Mode::kStrict;
  const KeyHash key = strict ? KeyHash{} : keys.hash(request.key);
  Errand errand{.ask = {.ledger = {.limit = spec.name, .key = key},
                        .cost = request.cost,
                        .priority = std::string(request.priority),
                        .wait = request.wait,
                        .peek = request.peek,
                        .reserve = request.reserve && !request.peek},
                .client = 0,
                .whole = 0,
                .deadline = now.slow + kErrandPatience,
                .retry_at = now.slow,
                .look_again = now.slow,
                .wait_until = now.slow,
                .terms = terms_of(spec)};
  errand.ask.shard = keys.home(key, config_.shards);
  if (request.wait > base::Duration::zero()) {
    errand.wait_until = now.slow + std::min(request.wait, spec.queue.max_wait);
    errand.deadline = std::max(errand.deadline, errand.wait_until + kErrandPatience);
  }
  errand.clients_id = errand.terms.source == Source::kStrict && !request.id.empty();
  if (errand.clients_id) {
    errand.ask.id = base::hash_key(request.id, kRequestSeed ^ config_.key_seed);
  } else if (errand.ask.reserve || errand.terms.source == Source::kStrict) {
    errand.ask.id = {dice_.next(), dice_.next()};
  }
  return errand;
}

Node::Terms Node::terms_of(const bucket::LimitSpec& spec) {
  return {.source = spec.mode == bucket::Mode::kStrict ? Source::kStrict : Source::kHome,
          .shadow = spec.shadow,
          .burst = spec.burst,
          .rate = spec.rate};
}

void Node::fill(Decision& decision, const Terms& terms, const Told& told) {
  decision.verdict = told.verdict;
  decision.source = terms.source;
  decision.remaining = told.remaining;
  decision.retry_after = told.retry_after;
  decision.burst = terms.burst;
  decision.rate = terms.rate;
  if (terms.never) {
    refuse_for_good(decision);
  }
}

std::optional<Decision> Node::run(Errand errand, Instant now) {
  if (errands_.size() >= kErrandsMax) {
    return verdict_only(Verdict::kTooManyWaiting);
  }
  const Ticket ticket = next_ticket_++;
  errand.ask.ticket = ticket;
  errand_of_[errand.client != 0 ? errand.client : errand.whole] = ticket;
  ask(ticket, errands_.emplace(ticket, std::move(errand)).first->second, now);
  return std::nullopt;
}

void Node::ask(Ticket, Errand& errand, Instant now) {
  errand.retry_at = now.slow + kAskAgain;
  errand.look_again = now.slow + kLookAgain;
  if (++errand.asks == 1) {
    errand.asked = now.fast;
  }
  errands_due_ = std::min({errands_due_, errand.retry_at, errand.deadline});
  send_to_leader(errand.ask.shard, errand.ask);
}

void Node::on(NodeId from, const Told& told, Instant now) {
  const auto found = errands_.find(told.ticket);
  if (found == errands_.end()) {
    return;
  }
  Errand& errand = found->second;
  if (told.ledger) {
    begin_hot(errand.ask.ledger, now);
  }
  if (told.elsewhere || told.unknown) {
    const bool pointed = directory_.redirected(errand.ask.shard, from, told.leader);
    // One hint is followed at once; hints that lead nowhere must not chase each other.
    const bool at_once = pointed && !errand.pointed;
    errand.pointed = at_once;
    errand.retry_at = std::min(errand.retry_at, at_once ? now.slow : now.slow + kLookAgain);
    errands_due_ = std::min(errands_due_, errand.retry_at);
    return;
  }
  remember_refusal(errand, told);
  const bool in_time = told.verdict == Verdict::kRefused && errand.wait_until > now.slow &&
                       now.slow + told.retry_after <= errand.wait_until;
  if (in_time && may_wait(errand)) {
    COVERED("a decision elsewhere waits for tokens still to be minted");
    errand.retry_at = now.slow + std::max(told.retry_after, base::milliseconds(1));
    errands_due_ = std::min(errands_due_, errand.retry_at);
    return;
  }
  Decision decision;
  fill(decision, errand.terms, told);
  if (in_time) {
    decision.verdict = Verdict::kTooManyWaiting;
  }
  decision.decided_by = from == config_.id ? NodeId() : from;
  if (errand.ask.reserve && told.verdict != Verdict::kAdmitted && errand.asks > 1) {
    COVERED("another copy of an ask that was refused may still be charged");
    call_off(settlement_of(errand), now);
  }
  finish(told.ticket, std::move(decision), !(told.again && errand.clients_id), now);
}

void Node::count(Served& served, const Decision& decision, Tokens cost) {
  const bool charged = decision.admitted() && decision.source != Source::kShadow;
  (charged ? served.admitted : served.refused) += cost;
}

void Node::finish(Ticket ticket, Decision decision, bool ours, Instant now) {
  auto node = errands_.extract(ticket);
  const Errand& errand = node.mapped();
  end_wait(errand);
  if (errand.terms.shadow) {
    cast_shadow(decision);
  }
  const auto served = served_.find(errand.ask.ledger.limit);
  if (served != served_.end() && !errand.ask.peek) {
    count(served->second, decision, errand.ask.cost);
  }
  errand_of_.erase(errand.client != 0 ? errand.client : errand.whole);
  if (errand.whole != 0) {
    on_part(errand, std::move(decision), ours, now);
    return;
  }
  if (errand.ask.reserve && decision.admitted()) {
    Given given{.reserved = errand.ask.cost};
    if (decision.source != Source::kShadow) {
      given.ask = settlement_of(errand);
      given.ask->holder = 0;
    }
    decision.reservation = give_out(std::move(given));
  }
  answers_.push_back({.ticket = errand.client, .decision = std::move(decision)});
}

void Node::run_errands(Instant now) {
  if (now.slow < errands_due_) {
    return;
  }
  errands_due_ = base::kNever;
  std::vector<Ticket> over;
  for (auto& [ticket, errand] : errands_) {
    if (now.slow >= errand.deadline) {
      over.push_back(ticket);
    } else if (now.slow >= errand.retry_at) {
      ask(ticket, errand, now);
    }
    errands_due_ = std::min({errands_due_, errand.retry_at, errand.deadline});
  }
  for (const Ticket ticket : over) {
    COVERED("no leader decided in time");
    const Errand& errand = errands_.at(ticket);
    Decision decision{.verdict = errand.terms.never ? Verdict::kNever : Verdict::kNoRights,
                      .source = errand.terms.source,
                      .burst = errand.terms.burst,
                      .rate = errand.terms.rate};
    if (errand.ask.reserve) {
      call_off(settlement_of(errand), now);  // a leader that was not heard may have charged it
    }
    finish(ticket, std::move(decision), true, now);
  }
}

}  // namespace brigade::node
