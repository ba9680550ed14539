#include "node/home_desk.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"
#include "base/wide.h"
#include "node/key_space.h"

namespace brigade::node {
namespace {

// Longer than any bucket takes to fill; as long as a time may be that is told on.
constexpr base::Duration kAlways = base::seconds(std::int64_t{100} * 366 * 86'400);
constexpr std::size_t kSweptKeys = 1024;
// A quantum lasts no longer than this, and less when the authority ends sooner.
constexpr base::Duration kQuantumLasts = base::milliseconds(250);

bucket::KeyPolicy policy_of(const bucket::LimitSpec& spec, Drift drift) {
  return {.rate = spec.rate.derated(drift), .size = spec.burst};
}

// The clock of reservations: it need not mean anything to others.
Stamp clock_of(Instant now) {
  return now.slow.time_since_epoch();
}

// d * (1 - rho) / (1 + rho), rounded down: when another clock has counted that, this one has not
// counted d yet.
base::Duration nested(base::Duration d, Drift drift) {
  const auto n = static_cast<base::Wide>(d.count()) * (1'000'000 - drift.ppm);
  return base::Duration(static_cast<std::int64_t>(n / (1'000'000 + drift.ppm)));
}

bool at_home(const bucket::LimitSpec& spec) {
  return spec.kept_at_home() && !logs_ahead(spec);
}

}  // namespace

HomeDesk::HomeDesk(const TokenStore& store, const HomeTerm& term, Instant now)
    : store_(store),
      term_begins_(term.begins),
      drift_(term.drift),
      plant_(term.plant),
      unbroken_since_(now.slow),
      reservations_(kReservations, false, term.plant),
      loans_(term.begins, term.drift, term.plant),
      ahead_(store, term.drift, term.plant, now) {
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
    homes_.emplace(one.limit,
                   Home{.keys = std::move(keys), .created = one.created, .away = {}, .heat = {}});
  }
  for (const Reservation& one : handover.reservations) {
    const bool ahead = ahead_.know(one.bucket.limit);
    if (consistent(one) && (ahead || homes_.contains(one.bucket.limit))) {
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
  BRIGADE_CHECK(loans_.empty() || plant_ == Plant::kHandoverAroundQuanta);
  handed_over_ = true;
  handover.unbroken = unbroken(now);
  // Their parts may come back with what is in the log before the handover.
  for (const std::string& limit : parted_) {
    start_empty(limit, now);
  }
  std::size_t room = kHandoverKeys;
  std::size_t left = homes_.size();
  for (auto& [name, home] : homes_) {
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
    cut(home, name, now);
  }
  for (const auto& [name, book] : ahead_.limits()) {
    for (const KeyHash& key : reservations_.keys_of(name)) {
      cut_ahead(name, key, now);
    }
  }
  reservations_.expire(clock_of(now));
  handover.reservations = reservations_.newest_open(kHandoverReservations);
  for (Reservation& one : handover.reservations) {
    one.since = clock_of(now) - one.since;
  }
  ahead_.hand_over(handover, room, now);
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
                       Home{.keys = std::move(keys), .created = {}, .away = {}, .heat = {}})
              .first->second;
}

void HomeDesk::follow(Instant now) {
  for (const std::string& limit : ahead_.follow()) {
    reservations_.forget_limit(limit);
  }
  for (auto it = homes_.begin(); it != homes_.end();) {
    const ConfigRecord* config = store_.limit(it->first);
    // Implicit limits live on; declared ones that were deleted do not.
    const bool over =
        config == nullptr ? static_cast<bool>(it->second.created) : !at_home(config->spec);
    if (over) {
      reservations_.forget_limit(it->first);
      // What was let go belonged to a life that is over.
      std::erase_if(let_go_, [&](const auto& one) { return one.first.limit == it->first; });
      it = homes_.erase(it);
      continue;
    }
    it->second.config = config;
    if (config != nullptr) {
      it->second.created = config->created;
      const bucket::KeyPolicy policy = policy_of(config->spec, drift_);
      if (!(it->second.keys.policy() == policy)) {
        cut(it->second, it->first, now);
        it->second.keys.reconfigure(policy, now.slow);
      }
    }
    ++it;
  }
  for (const auto& [name, config] : store_.limits()) {
    if (at_home(config.spec) && !homes_.contains(name)) {
      bucket::KeyTable keys(policy_of(config.spec, drift_), config.spec.max_keys, ghost(config),
                            now.slow);
      homes_.emplace(name, Home{.keys = std::move(keys),
                                .created = config.created,
                                .config = &config,
                                .away = {},
                                .heat = {}});
    }
  }
  follow_ledgers(now);
}

void HomeDesk::sweep(Instant now) {
  settle_lapsed(now);
  loans_.sweep(now.slow);
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
  ahead_.allow(more_keys);
  for (auto& [name, home] : homes_) {
    const ConfigRecord* config = store_.limit(name);
    const bool few = config != nullptr && !config->spec.per_key;  // nobody makes its key up
    const std::int64_t own = (config != nullptr ? config->spec : bucket::LimitSpec()).max_keys;
    home.keys.allow(std::min(static_cast<std::size_t>(std::max<std::int64_t>(own, 1)),
                             home.keys.count() + more_keys + (few ? 1 : 0)));
  }
}

// ---- decisions ----

std::optional<Told> HomeDesk::decide(const KeyTake& take, Instant now) {
  want(now);
  if (changing(take.limit)) {
    return std::nullopt;
  }
  const auto known = homes_.find(take.limit);
  Home* home = known == homes_.end() ? nullptr : &known->second;
  const ConfigRecord* config =
      home != nullptr ? home->config : store_.limit(std::string_view(take.limit));
  const bucket::LimitSpec* spec = config != nullptr ? &config->spec : take.implicit;
  const bool ours =
      spec != nullptr && spec->kept_at_home() &&
      (spec->per_key || (config != nullptr && take.key == KeySpace::whole(take.limit)));
  if (!ours) {
    // Whoever asks for another kind of limit than this one is now will soon know better.
    return Told{.verdict = spec == nullptr ? Verdict::kUnknownLimit : Verdict::kNoRights};
  }
  if (parted_.contains(take.limit.text)) {
    COVERED("a limit of few tokens waits until its parts are back");
    return Told{.verdict = Verdict::kNoRights};
  }
  const bool slow = logs_ahead(*spec);
  if (!slow && home == nullptr) {
    home = home_of(take.limit, *spec, now);
    if (home == nullptr) {
      return Told{.verdict = Verdict::kTooManyKeys};
    }
  }
  if (slow ? has_ledger(take) : !home->away.empty() && home->away.contains(take.key)) {
    return Told{.ledger = true};
  }
  if (const Reservation* made = take.reserve ? reservations_.find(take.id) : nullptr) {
    // One that was called off is not charged any more.
    return Told{.verdict = made->reserved > Tokens{} ? Verdict::kAdmitted : Verdict::kRefused,
                .remaining = made->remaining};
  }
  return slow ? take_ahead(*spec, take, now) : this->take(*home, *spec, take, now);
}

// A key keeps its ledger when its limit becomes slow.
bool HomeDesk::has_ledger(const KeyTake& take) const {
  return store_.key_ledgers() != 0 &&
         store_.ledger({.limit = std::string(take.limit), .key = take.key}) != nullptr;
}

std::optional<Told> HomeDesk::take_ahead(const bucket::LimitSpec& spec, const KeyTake& take,
                                         Instant now) {
  cut_ahead(take.limit, take.key, now);
  auto decided = ahead_.decide(take, spec, now);
  if (decided) {
    note_reservation(take, *decided, now);
  }
  return decided;
}

std::optional<Told> HomeDesk::take(Home& home, const bucket::LimitSpec& spec, const KeyTake& take,
                                   Instant now) {
  std::optional<Told> told(std::in_place);
  bucket::KeyTable& keys = home.keys;
  cut(home, take.limit, take.key, now);
  const Tokens floor =
      take.priority.empty() ? Tokens{} : spec.burst.scaled(spec.reserved(take.priority), 1000);
  const auto outcome = take.peek ? keys.peek(take.key, take.cost, floor, now.slow)
                                 : keys.take(take.key, take.cost, floor, now.slow);
  told->remaining = outcome.level;
  switch (outcome.verdict) {
    case bucket::KeyTable::Verdict::kTaken:
      told->verdict = Verdict::kAdmitted;
      break;
    case bucket::KeyTable::Verdict::kShort:
      told->verdict = Verdict::kRefused;
      told->retry_after = outcome.wait;
      if (take.cost + floor > loans_.ceiling(take.key, keys.policy().size)) {
        COVERED("quanta are called in for a cost that does not fit beside them");
        loans_.stop(take.key, now.slow + kCallsIn);
      }
      break;
    case bucket::KeyTable::Verdict::kTooManyKeys:
      told->verdict = Verdict::kTooManyKeys;
      break;
  }
  note_reservation(take, *told, now);
  return told;
}

void HomeDesk::note_reservation(const KeyTake& take, const Told& told, Instant now) {
  if (take.reserve && told.verdict == Verdict::kAdmitted && take.cost > Tokens{}) {
    reservations_.add({.id = take.id,
                       .bucket = {.limit = std::string(take.limit), .key = take.key},
                       .since = clock_of(now),
                       .reserved = take.cost,
                       .remaining = told.remaining,
                       .refundable = take.cost});
  }
}

std::optional<Told> HomeDesk::decide(const Ask& ask, Instant now) {
  auto told = decide(KeyTake{.limit = base::HashedName(ask.ledger.limit),
                             .key = ask.ledger.key,
                             .cost = ask.cost,
                             .priority = ask.priority,
                             .peek = ask.peek,
                             .implicit = ask.implicit.get(),
                             .reserve = ask.reserve && !ask.peek,
                             .id = ask.id},
                     now);
  if (told) {
    told->ticket = ask.ticket;
  }
  return told;
}

// ---- reservations ----

void HomeDesk::cut(Home& home, std::string_view limit, const KeyHash& key, Instant now) {
  loans_.touch(home.keys, key, now.slow);
  if (!reservations_.empty()) {
    const Tokens room = loans_.ceiling(key, home.keys.policy().size);
    reservations_.cut(limit, key, std::max(Tokens{}, room - home.keys.level(key, now.slow)));
  }
}

void HomeDesk::cut(Home& home, std::string_view limit, Instant now) {
  for (const KeyHash& key : reservations_.keys_of(limit)) {
    cut(home, limit, key, now);
  }
}

void HomeDesk::cut_ahead(std::string_view limit, const KeyHash& key, Instant now) {
  if (!reservations_.empty()) {
    reservations_.cut(limit, key, ahead_.room(limit, key, now));
  }
}

SettleTold HomeDesk::settle(const SettleAsk& ask, Instant now) {
  SettleTold told{.ticket = ask.ticket};
  const Reservation* one = reservations_.find(ask.id);
  if (one == nullptr) {
    reservations_.call_off(ask.id, ask.ledger, ask.actual, clock_of(now));
    return told;
  }
  const KeyHash key = one->bucket.key;
  const auto found = homes_.find(one->bucket.limit);
  if (found == homes_.end()) {
    const LedgerId bucket = one->bucket;
    cut_ahead(bucket.limit, key, now);
    const auto [settled, back] = reservations_.settle(ask.id, std::max(Tokens{}, ask.actual));
    ahead_.refund(bucket, back, now);
    told.settled = settled;
    return told;
  }
  Home& home = found->second;
  cut(home, found->first, key, now);
  const auto [settled, back] = reservations_.settle(ask.id, std::max(Tokens{}, ask.actual));
  if (back > Tokens{}) {
    home.keys.put(key, back, now.slow);
  }
  told.settled = settled;
  return told;
}

// ---- quanta ----

KeyLoans::Offer HomeDesk::offer(const bucket::LimitSpec& spec, Instant now) const {
  // Slow keys are too precious to be spread, as few tokens are: they are not here.
  const base::Duration lasts = std::min(kQuantumLasts, nested(until_ - now.fast, drift_));
  const bool lends = spec.lend.enabled && !changing(spec.name);
  return {.max_share = spec.lend.max_share,
          .reserve = spec.lend.reserve,
          .lasts = lends ? lasts : base::Duration::zero()};
}

Quantum HomeDesk::lend(NodeId to, const QuantumAsk& ask, Instant now) {
  want(now);
  const ConfigRecord* config = store_.limit(ask.ledger.limit);
  const bucket::LimitSpec* spec = config != nullptr ? &config->spec : ask.implicit.get();
  Home* const home = spec != nullptr && spec->per_key && at_home(*spec)
                         ? home_of(ask.ledger.limit, *spec, now)
                         : nullptr;
  if (home == nullptr || home->away.contains(ask.ledger.key)) {
    return {.ticket = ask.ticket};
  }
  cut(*home, ask.ledger.limit, ask.ledger.key, now);
  const Tokens before = home->keys.level(ask.ledger.key, now.slow);
  const Quantum quantum = loans_.answer(to, ask, offer(*spec, now), home->keys, now.slow);
  gave(ask.ledger, std::max(Tokens{}, before - home->keys.level(ask.ledger.key, now.slow)), now);
  return quantum;
}

bool HomeDesk::call_in(Instant now) {
  loans_.stop_all(now.slow + kCallsIn);
  settle_lapsed(now);
  return loans_.empty() || plant_ == Plant::kHandoverAroundQuanta;
}

void HomeDesk::settle_lapsed(Instant now) {
  for (const LedgerId& id : loans_.lapsed(now.slow)) {
    if (const auto home = homes_.find(id.limit); home != homes_.end()) {
      cut(home->second, id.limit, id.key, now);
    } else {
      loans_.forget_lapsed(id.key, now.slow);
    }
  }
}

// ---- state ----

std::size_t HomeDesk::keys() const {
  std::size_t sum = store_.ahead_books().keys();
  for (const auto& [name, home] : homes_) {
    sum += home.keys.count();
  }
  return sum;
}

Tokens HomeDesk::level(const LedgerId& id, Instant now) const {
  if (const auto held = let_go_.find(id); held != let_go_.end()) {
    return held->second;
  }
  const auto found = homes_.find(id.limit);
  if (found == homes_.end()) {
    return ahead_.spendable(id, now);
  }
  if (found->second.away.contains(id.key) || parted_.contains(id.limit)) {
    return Tokens{};
  }
  const bucket::KeyTable& keys = found->second.keys;
  return std::clamp(loans_.ceiling(id.key, keys.policy().size), Tokens{},
                    keys.level(id.key, now.slow));
}

void HomeDesk::check_invariants() const {
  for (const auto& [name, home] : homes_) {
    home.keys.check_invariants();
  }
  reservations_.check_invariants();
  loans_.check_invariants();
}

}  // namespace brigade::node
