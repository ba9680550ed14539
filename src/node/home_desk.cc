#include "node/home_desk.h"

#include <algorithm>
#include <utility>

#include "base/coverage.h"

namespace brigade::node {
namespace {

// Longer than any bucket takes to fill; as long as a time may be that is told on.
constexpr base::Duration kAlways = base::seconds(std::int64_t{100} * 366 * 86'400);
constexpr std::size_t kSweptKeys = 1024;

bucket::KeyPolicy policy_of(const bucket::LimitSpec& spec, Drift drift) {
  return {.rate = spec.rate.derated(drift), .size = spec.burst};
}

// The clock of reservations: it need not mean anything to others.
Stamp clock_of(Instant now) {
  return now.slow.time_since_epoch();
}

bool at_home(const bucket::LimitSpec& spec) {
  return spec.per_key && spec.mode == bucket::Mode::kShared;
}

}  // namespace

HomeDesk::HomeDesk(const TokenStore& store, const HomeTerm& term, Instant now)
    : store_(store),
      term_begins_(term.begins),
      drift_(term.drift),
      plant_(term.plant),
      unbroken_since_(now.slow),
      reservations_(kReservations, false, term.plant) {
  if (term.handover != nullptr) {
    COVERED("a leader goes on where the last one handed over");
    inherit(*term.handover, now);
    want(now);
  } else if (term.begins <= kFirstTermBegins) {
    unbroken_since_ = now.slow - kAlways;
  }
  follow(now);
}

void HomeDesk::inherit(const Handover& handover, Instant now) {
  unbroken_since_ = now.slow - std::min(handover.unbroken, kAlways);
  for (const HandoverLimit& one : handover.limits) {
    const ConfigRecord* config = store_.limit(one.limit);
    const bool implicit = config == nullptr && !one.created && !store_.recently_deleted(one.limit);
    const bool declared =
        config != nullptr && at_home(config->spec) && config->created == one.created;
    if (!implicit && !declared) {
      continue;
    }
    const bucket::LimitSpec unlisted;
    const bucket::KeyPolicy policy = declared
                                         ? policy_of(config->spec, drift_)
                                         : bucket::KeyPolicy{.rate = one.rate, .size = one.size};
    const auto max_keys = declared ? config->spec.max_keys : unlisted.max_keys;
    bucket::KeyTable keys(policy, max_keys, one.ghost, now.slow);
    for (const HandoverKey& key : one.keys) {
      keys.place(key.key, key.level, now.slow);
    }
    homes_.emplace(one.limit, Home{.keys = std::move(keys), .created = one.created, .totals = {}});
  }
  for (const Reservation& one : handover.reservations) {
    if (consistent(one) && homes_.contains(one.bucket.limit)) {
      Reservation ours = one;
      ours.since = clock_of(now) - one.since;
      reservations_.add(std::move(ours));
    }
  }
}

// ---- authority ----

void HomeDesk::confirmed(Instant started, Instant now) {
  const Instant dated = plant_ == Plant::kHomeFromReceipt ? now : started;
  if (!handed_over_ && started.fast >= resumed_at_) {
    until_ = std::max(until_, dated.fast + kTauHome);
  }
}

void HomeDesk::hand_over(Handover& handover, Instant now) {
  handed_over_ = true;
  handover.unbroken = unbroken(now);
  std::size_t room = kHandoverKeys;
  std::size_t left = homes_.size();
  for (const auto& [name, home] : homes_) {
    const bucket::KeyListing listing = home.keys.listing(room / left, now.slow);
    HandoverLimit limit{.limit = name,
                        .created = home.created,
                        .rate = home.keys.policy().rate,
                        .size = home.keys.policy().size,
                        .ghost = listing.ghost,
                        .keys = {}};
    limit.keys.reserve(listing.keys.size());
    for (const auto& [key, level] : listing.keys) {
      limit.keys.push_back({.key = key, .level = level});
    }
    handover.limits.push_back(std::move(limit));
    room -= listing.keys.size();
    --left;
    cut_refundable(home, name, now);
  }
  reservations_.expire(clock_of(now));
  handover.reservations = reservations_.newest_open(kHandoverReservations);
  for (Reservation& one : handover.reservations) {
    one.since = clock_of(now) - one.since;
  }
}

void HomeDesk::resume(Instant now) {
  handed_over_ = false;
  resumed_at_ = now.fast;
}

base::Duration HomeDesk::unbroken(Instant now) const {
  return std::min(kAlways, now.slow - unbroken_since_);
}

// ---- tables ----

Tokens HomeDesk::ghost(const ConfigRecord& config) const {
  // Created under this leader, and not in the shadow of an earlier life: nobody else ever spent it.
  const bool ours = term_begins_ <= kFirstTermBegins || config.created.value() > term_begins_ ||
                    plant_ == Plant::kTakeoverFull;
  return ours && !store_.recently_deleted(config.spec.name) ? config.spec.burst : Tokens{};
}

Tokens HomeDesk::implicit_ghost(const bucket::LimitSpec& spec, Instant now) const {
  if (store_.recently_deleted(spec.name)) {
    return Tokens{};
  }
  return std::min(spec.burst, spec.rate.derated(drift_).over(unbroken(now)));
}

HomeDesk::Home* HomeDesk::home_of(std::string_view limit, const bucket::LimitSpec& spec,
                                  Instant now) {
  const auto known = homes_.find(limit);
  if (known != homes_.end()) {
    return &known->second;
  }
  if (homes_.size() >= kMaxImplicit + TokenStore::kMaxLimits) {
    return nullptr;
  }
  bucket::KeyTable keys(policy_of(spec, drift_), spec.max_keys, implicit_ghost(spec, now),
                        now.slow);
  return &homes_
              .emplace(std::string(limit),
                       Home{.keys = std::move(keys), .created = {}, .totals = {}})
              .first->second;
}

void HomeDesk::follow(Instant now) {
  for (auto it = homes_.begin(); it != homes_.end();) {
    const ConfigRecord* config = store_.limit(it->first);
    // Implicit limits live on; declared ones that were deleted do not.
    const bool over =
        config == nullptr ? static_cast<bool>(it->second.created) : !at_home(config->spec);
    if (over) {
      reservations_.forget_limit(it->first);
      it = homes_.erase(it);
      continue;
    }
    if (config != nullptr) {
      it->second.created = config->created;
      const bucket::KeyPolicy policy = policy_of(config->spec, drift_);
      if (!(it->second.keys.policy() == policy)) {
        cut_refundable(it->second, it->first, now);
        it->second.keys.reconfigure(policy, now.slow);
      }
    }
    ++it;
  }
  for (const auto& [name, config] : store_.limits()) {
    if (at_home(config.spec) && !homes_.contains(name)) {
      bucket::KeyTable keys(policy_of(config.spec, drift_), config.spec.max_keys, ghost(config),
                            now.slow);
      homes_.emplace(name, Home{.keys = std::move(keys), .created = config.created, .totals = {}});
    }
  }
}

void HomeDesk::sweep(Instant now) {
  for (auto it = homes_.begin(); it != homes_.end();) {
    bucket::KeyTable& keys = it->second.keys;
    keys.sweep(kSweptKeys, now.slow);
    const bool as_new = !it->second.created && keys.count() == 0 &&
                        keys.ghost_level(now.slow) == keys.policy().size;
    it = as_new ? homes_.erase(it) : std::next(it);
  }
  reservations_.expire(clock_of(now));
}

void HomeDesk::make_room(std::size_t more_keys) {
  for (auto& [name, home] : homes_) {
    const ConfigRecord* config = store_.limit(name);
    const std::int64_t own = (config != nullptr ? config->spec : bucket::LimitSpec()).max_keys;
    home.keys.allow(std::min(static_cast<std::size_t>(std::max<std::int64_t>(own, 1)),
                             home.keys.count() + more_keys));
  }
}

// ---- decisions ----

Told HomeDesk::decide(const KeyTake& take, Instant now) {
  want(now);
  Told told;
  const ConfigRecord* config = store_.limit(take.limit);
  const bucket::LimitSpec* spec = config != nullptr ? &config->spec : take.implicit;
  if (spec == nullptr || !at_home(*spec)) {
    told.verdict = Verdict::kUnknownLimit;
    return told;
  }
  Home* const home = home_of(take.limit, *spec, now);
  if (home == nullptr) {
    told.verdict = Verdict::kTooManyKeys;
    return told;
  }
  if (const Reservation* known = take.reserve ? reservations_.find(take.id) : nullptr) {
    // One that was called off is not charged any more.
    told.verdict = known->reserved > Tokens{} ? Verdict::kAdmitted : Verdict::kRefused;
    told.remaining = known->remaining;
    return told;
  }
  return this->take(*home, *spec, take, now);
}

Told HomeDesk::take(Home& home, const bucket::LimitSpec& spec, const KeyTake& take, Instant now) {
  Told told;
  bucket::KeyTable& keys = home.keys;
  cut_refundable(home, take.limit, take.key, now);
  const Tokens floor =
      take.priority.empty() ? Tokens{} : spec.burst.scaled(spec.reserved(take.priority), 1000);
  const auto outcome = take.peek ? keys.peek(take.key, take.cost, floor, now.slow)
                                 : keys.take(take.key, take.cost, floor, now.slow);
  told.remaining = outcome.level;
  told.reset_after = keys.policy().rate.time_for(keys.policy().size - outcome.level);
  const Tokens counted = take.peek ? Tokens{} : take.cost;
  switch (outcome.verdict) {
    case bucket::KeyTable::Verdict::kTaken:
      told.verdict = Verdict::kAdmitted;
      home.totals.admitted += counted;
      break;
    case bucket::KeyTable::Verdict::kShort:
      told.verdict = Verdict::kRefused;
      told.retry_after = outcome.wait;
      home.totals.refused += counted;
      break;
    case bucket::KeyTable::Verdict::kTooManyKeys:
      told.verdict = Verdict::kTooManyKeys;
      break;
  }
  if (take.reserve && told.verdict == Verdict::kAdmitted && take.cost > Tokens{}) {
    reservations_.add({.id = take.id,
                       .bucket = {.limit = std::string(take.limit), .key = take.key},
                       .since = clock_of(now),
                       .reserved = take.cost,
                       .remaining = told.remaining,
                       .refundable = take.cost});
  }
  return told;
}

Told HomeDesk::decide(const Ask& ask, Instant now) {
  Told told = decide(KeyTake{.limit = ask.ledger.limit,
                             .key = ask.ledger.key,
                             .cost = ask.cost,
                             .priority = ask.priority,
                             .peek = ask.peek,
                             .implicit = ask.implicit.name.empty() ? nullptr : &ask.implicit,
                             .reserve = ask.reserve && !ask.peek,
                             .id = ask.id},
                     now);
  told.ticket = ask.ticket;
  return told;
}

// ---- reservations ----

void HomeDesk::cut_refundable(const Home& home, std::string_view limit, const KeyHash& key,
                              Instant now) {
  if (!reservations_.empty()) {
    const Tokens level = home.keys.level(key, now.slow);
    reservations_.cut(limit, key, home.keys.policy().size - level);
  }
}

void HomeDesk::cut_refundable(const Home& home, std::string_view limit, Instant now) {
  for (const KeyHash& key : reservations_.keys_of(limit)) {
    cut_refundable(home, limit, key, now);
  }
}

SettleTold HomeDesk::settle(const SettleAsk& ask, Instant now) {
  SettleTold told{.ticket = ask.ticket};
  const Reservation* one = reservations_.find(ask.id);
  if (one == nullptr) {
    reservations_.call_off(ask.id, ask.ledger, ask.actual, clock_of(now));
    return told;
  }
  const auto found = homes_.find(one->bucket.limit);
  if (found == homes_.end()) {
    return told;
  }
  Home& home = found->second;
  const KeyHash key = one->bucket.key;
  cut_refundable(home, found->first, key, now);
  const auto [settled, back] = reservations_.settle(ask.id, std::max(Tokens{}, ask.actual));
  if (back > Tokens{}) {
    home.keys.put(key, back, now.slow);
    home.totals.admitted -= back;
  }
  told.settled = settled;
  return told;
}

// ---- state ----

std::map<std::string, HomeDesk::Totals> HomeDesk::totals() const {
  std::map<std::string, Totals> all;
  for (const auto& [name, home] : homes_) {
    all.emplace(name, home.totals);
  }
  return all;
}

std::size_t HomeDesk::keys() const {
  std::size_t sum = 0;
  for (const auto& [name, home] : homes_) {
    sum += home.keys.count();
  }
  return sum;
}

Tokens HomeDesk::level(const LedgerId& id, Instant now) const {
  const auto found = homes_.find(id.limit);
  return found == homes_.end() ? Tokens{} : found->second.keys.level(id.key, now.slow);
}

void HomeDesk::check_invariants() const {
  for (const auto& [name, home] : homes_) {
    home.keys.check_invariants();
  }
  reservations_.check_invariants();
}

}  // namespace brigade::node
