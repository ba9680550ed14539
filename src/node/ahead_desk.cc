#include "node/ahead_desk.h"

#include <algorithm>

#include "base/coverage.h"

namespace brigade::node {
namespace {

constexpr std::int64_t kChunkPermille = 50;

// What is logged ahead of a key at a time.
Tokens chunk_of(Tokens size) {
  return std::max(Tokens::whole(1), size.scaled(kChunkPermille, 1000));
}

AheadTerms implicit_terms(const bucket::LimitSpec* spec) {
  return spec == nullptr ? AheadTerms{} : AheadTerms{.rate = spec->rate, .size = spec->burst};
}

}  // namespace

AheadDesk::AheadDesk(const TokenStore& store, base::Drift drift, Plant plant, Instant now)
    : store_(store),
      drift_(drift),
      plant_(plant),
      won_(now.slow),
      stamp_at_win_(store.meta().stamp),
      next_stamp_(now.slow + kStampEvery) {}

std::optional<TokenStore::AheadView> AheadDesk::look(std::string_view limit, const KeyHash& key,
                                                     const AheadTerms& implicit,
                                                     Instant now) const {
  auto view = store_.ahead(limit, key, implicit, stamp(now));
  if (view && plant_ == Plant::kSlowForgotten) {
    view->level = std::min(view->level, view->terms.rate.over(stamp(now) - stamp_at_win_));
  }
  return view;
}

// ---- credits ----

AheadDesk::Limit* AheadDesk::limit_of(std::string_view name) {
  const auto found = limits_.find(name);
  if (found != limits_.end()) {
    return &found->second;
  }
  const ConfigRecord* config = store_.limit(name);
  if (config == nullptr) {
    return nullptr;  // an implicit limit: known while one of its keys has a credit
  }
  return &limits_.emplace(std::string(name), Limit{.version = config->version, .credits = {}})
              .first->second;
}

AheadDesk::Credit& AheadDesk::credit_of(const LedgerId& id) {
  Limit* limit = limit_of(id.limit);
  if (limit == nullptr) {
    limit = &limits_[id.limit];
  }
  return limit->credits[id.key];
}

Tokens AheadDesk::cut(Tokens credit, const TokenStore::AheadView& view) const {
  return plant_ == Plant::kCreditUncut ? credit : std::min(credit, view.terms.size - view.level);
}

// Spends from the credit, if it suffices, and asks for the next chunk before it is gone.
bool AheadDesk::pay(const KeyTake& take, Credit* credit, const TokenStore::AheadView& view) {
  const bool logged = credit != nullptr && take.cost <= credit->left;
  if (!logged && plant_ != Plant::kSpendBeforeLogged) {
    return false;
  }
  if (credit == nullptr) {
    credit = &credit_of({.limit = std::string(take.limit), .key = take.key});
  }
  credit->left -= take.cost;
  const bool low = credit->left < chunk_of(view.terms.size).scaled(1, 2);
  const bool next = credit->chunks >= kSteady && low && view.level > Tokens{};
  if ((next || !logged) && !credit->wanted) {
    credit->wanted = true;
    wanted_.emplace(LedgerId{.limit = std::string(take.limit), .key = take.key},
                    implicit_terms(take.implicit));
  }
  return true;
}

// ---- decisions ----

std::optional<Told> AheadDesk::decide(const KeyTake& take, const bucket::LimitSpec& spec,
                                      Instant now) {
  Told told;
  const auto view = look(take.limit, take.key, implicit_terms(take.implicit), now);
  if (!view) {
    told.verdict = Verdict::kUnknownLimit;
    return told;
  }
  Limit* const limit = limit_of(take.limit);
  Credit* credit = nullptr;
  if (limit != nullptr) {
    const auto found = limit->credits.find(take.key);
    credit = found == limit->credits.end() ? nullptr : &found->second;
  }
  if (credit != nullptr) {
    // What is on its way back has its place in the bucket.
    credit->left = cut(credit->left + credit->returning, *view) - credit->returning;
    if (plant_ != Plant::kSpendBeforeLogged) {
      credit->left = std::max(credit->left, Tokens{});
    }
  }
  const Tokens size = view->terms.size;
  const Tokens ours = credit != nullptr ? credit->left + credit->returning : Tokens{};
  const Tokens total = std::min(size, view->level + ours);
  const Tokens floor =
      take.priority.empty() ? Tokens{} : size.scaled(spec.reserved(take.priority), 1000);
  const Rate rate = view->terms.rate.derated(drift_);
  const bool looks = take.peek || take.cost == Tokens{};
  Tokens after = total - take.cost;
  if (take.cost > Tokens{} && after < floor) {
    told.verdict = Verdict::kRefused;
    told.retry_after =
        take.cost + floor > size ? Duration::max() : rate.time_for(take.cost + floor - total);
    after = total;
  } else if (!looks &&
             (!view->room || (!view->known && store_.ahead_books().keys() >= keys_max_))) {
    told.verdict = Verdict::kTooManyKeys;
    after = total;
  } else if (looks || pay(take, credit, *view)) {
    told.verdict = Verdict::kAdmitted;
  } else {
    return std::nullopt;
  }
  told.remaining = std::max(Tokens{}, after);
  return told;
}

void AheadDesk::hold(Waiting waiting) {
  const std::pair who{waiting.from, waiting.ask.ticket};
  if (waiting.rounds < kRoundsMax && (waiting_.size() < kWaitingMax || waiting_.contains(who))) {
    waiting_.insert_or_assign(who, std::move(waiting));
  }
}

void AheadDesk::refund(const LedgerId& id, Tokens amount, Instant now) {
  const auto view = look(id.limit, id.key, {}, now);
  if (!view || amount <= Tokens{}) {
    return;
  }
  Credit& credit = credit_of(id);
  const Tokens back = credit.returning;
  const Tokens left = std::max(Tokens{}, cut(credit.left + back, *view) - back);
  credit.left = std::max(Tokens{}, cut(left + back + amount, *view) - back);
  if (credit.left > chunk_of(view->terms.size).scaled(2, 1) && !credit.wanted) {
    COVERED("a refund goes back into a slow key's bucket");
    credit.wanted = true;
    wanted_.emplace(id, AheadTerms{});
  }
}

// ---- the log ----

Tokens AheadDesk::chunk_for(const AheadSpend& need, Tokens missing, Instant now) {
  const auto view = look(need.ledger.limit, need.ledger.key, need.implicit, now);
  if (!view) {
    return Tokens{};
  }
  Tokens left;
  if (const auto limit = limits_.find(need.ledger.limit); limit != limits_.end()) {
    const auto credit = limit->second.credits.find(need.ledger.key);
    left = credit == limit->second.credits.end() ? left : cut(credit->second.left, *view);
  }
  if (missing == Tokens{} && left > chunk_of(view->terms.size).scaled(2, 1)) {
    return chunk_of(view->terms.size) - left;
  }
  // Whoever waits must find the whole of it, though the bucket mints meanwhile (ahead_books.h).
  const Tokens over = missing > Tokens{} ? AheadBooks::overdraft(view->terms) : Tokens{};
  const Tokens target = std::max(chunk_of(view->terms.size), missing + over);
  return std::clamp(target - left, Tokens{}, std::max(Tokens{}, view->level + over));
}

std::optional<SpendAhead> AheadDesk::flush(Instant now) {
  if (in_flight_) {
    return std::nullopt;
  }
  struct Need {
    AheadTerms implicit;
    Tokens missing;
  };
  std::map<LedgerId, Need> needs;
  for (const auto& [who, one] : waiting_) {
    Need& need = needs[one.ask.ledger];
    need.missing = std::min(need.missing + one.ask.cost, Tokens::micro(Tokens::kMaxMicro));
    need.implicit = implicit_terms(one.ask.implicit.get());
  }
  for (const auto& [id, implicit] : wanted_) {
    needs.try_emplace(id, Need{.implicit = implicit, .missing = {}});
  }
  SpendAhead command{.stamp = stamp(now), .spends = {}};
  for (auto it = needs.begin(); it != needs.end() && command.spends.size() < kSpendsMax; ++it) {
    AheadSpend spend{.ledger = it->first, .implicit = it->second.implicit, .amount = {}};
    spend.amount = chunk_for(spend, it->second.missing, now);
    wanted_.erase(spend.ledger);
    if (spend.amount < Tokens{}) {
      Credit& credit = credit_of(spend.ledger);
      credit.left += spend.amount;  // not ours any more, whatever becomes of it
      credit.returning = -spend.amount;
    }
    // Also a chunk of nothing: who waits for it is decided again, and refused.
    command.spends.push_back(std::move(spend));
  }
  const bool stamp_due = store_.ahead_books().keys() > 0 && now.slow >= next_stamp_;
  if (command.spends.empty() && !stamp_due) {
    return std::nullopt;
  }
  in_flight_ = true;
  next_stamp_ = now.slow + kStampEvery;
  return command;
}

// A bucket is dropped when it is full: nothing is left of its credit.
void AheadDesk::forget_swept() {
  for (const LedgerId& id : store_.ahead_books().swept()) {
    const auto limit = limits_.find(id.limit);
    if (limit == limits_.end()) {
      continue;
    }
    limit->second.credits.erase(id.key);
    if (!limit->second.version && limit->second.credits.empty()) {
      limits_.erase(limit);
    }
  }
}

std::vector<AheadDesk::Waiting> AheadDesk::applied(const SpendAhead& command,
                                                   const Outcome& outcome, Instant now) {
  in_flight_ = false;
  forget_swept();
  std::map<LedgerId, bool> asked;
  for (std::size_t i = 0; i < command.spends.size() && i < outcome.changes.size(); ++i) {
    const AheadSpend& spend = command.spends[i];
    asked.emplace(spend.ledger, true);
    if (outcome.changes[i] != Applied::kDone) {
      if (const auto limit = limits_.find(spend.ledger.limit); limit != limits_.end()) {
        const auto credit = limit->second.credits.find(spend.ledger.key);
        if (credit != limit->second.credits.end()) {
          credit->second.wanted = false;
          credit->second.returning = Tokens{};
        }
      }
      continue;
    }
    const auto view = look(spend.ledger.limit, spend.ledger.key, spend.implicit, now);
    Credit& credit = credit_of(spend.ledger);
    // The bucket may have filled up since: what no longer fits beside it was never there.
    credit.left = cut(credit.left + std::max(Tokens{}, spend.amount), *view);
    credit.chunks = std::min(credit.chunks + 1, kSteady);
    credit.wanted = false;
    credit.returning = Tokens{};
  }
  std::vector<Waiting> again;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (!asked.contains(it->second.ask.ledger)) {
      ++it;
      continue;
    }
    if (now.slow - it->second.since < kPatience) {
      again.push_back(std::move(it->second));
    }
    it = waiting_.erase(it);
  }
  return again;
}

std::vector<AheadDesk::Waiting> AheadDesk::failed() {
  in_flight_ = false;
  for (auto& [name, limit] : limits_) {
    for (auto& [key, credit] : limit.credits) {
      credit.wanted = false;
      credit.returning = Tokens{};
    }
  }
  wanted_.clear();
  std::vector<Waiting> all;
  all.reserve(waiting_.size());
  for (auto& [who, one] : waiting_) {
    all.push_back(std::move(one));
  }
  waiting_.clear();
  return all;
}

std::vector<std::string> AheadDesk::follow() {
  std::vector<std::string> ended;
  for (auto it = limits_.begin(); it != limits_.end();) {
    const ConfigRecord* config = store_.limit(it->first);
    const bool over =
        config == nullptr ? static_cast<bool>(it->second.version) : !logs_ahead(config->spec);
    if (over) {
      ended.push_back(it->first);
      it = limits_.erase(it);
      continue;
    }
    const Version version = config == nullptr ? Version{} : config->version;
    if (it->second.version != version) {
      COVERED("a changed limit ends the credits of its keys");
      it->second.version = version;
      it->second.credits.clear();
      ended.push_back(it->first);
    }
    ++it;
  }
  return ended;
}

void AheadDesk::hand_over(Handover& handover, std::size_t most, Instant now) {
  for (auto& [name, limit] : limits_) {
    HandoverCredits credits{.limit = name, .keys = {}};
    const AheadBooks::Book* book = store_.ahead_books().find(name);
    for (const auto& [key, credit] : limit.credits) {
      if (book == nullptr || most == 0) {
        COVERED("a handover has no room for every credit");
        break;
      }
      const Tokens room = book->limit.terms.size - AheadBooks::level(*book, key, stamp(now));
      if (const Tokens left = std::min(credit.left, room); left > Tokens{}) {
        credits.keys.push_back({.key = key, .level = left});
        --most;
      }
    }
    if (!credits.keys.empty()) {
      handover.credits.push_back(std::move(credits));
    }
    if (plant_ != Plant::kCreditsKept) {
      limit.credits.clear();
    }
  }
  wanted_.clear();
}

base::TimePoint AheadDesk::next_deadline(Instant now) const {
  if (in_flight_) {
    return base::kNever;
  }
  if (!waiting_.empty() || !wanted_.empty()) {
    return now.slow;
  }
  return store_.ahead_books().keys() > 0 ? next_stamp_ : base::kNever;
}

// ---- state ----

Tokens AheadDesk::room(std::string_view limit, const KeyHash& key, Instant now) const {
  const auto view = look(limit, key, {}, now);
  if (!view) {
    return Tokens{};
  }
  return std::max(Tokens{}, view->terms.size - view->level - credit(limit, key, *view));
}

bool AheadDesk::know(std::string_view limit) {
  return store_.ahead_books().find(limit) != nullptr && limit_of(limit) != nullptr;
}

Tokens AheadDesk::credit(const LedgerId& id, Instant now) const {
  const auto view = look(id.limit, id.key, {}, now);
  return view ? credit(id.limit, id.key, *view) : Tokens{};
}

Tokens AheadDesk::credit(std::string_view name, const KeyHash& key,
                         const TokenStore::AheadView& view) const {
  const auto limit = limits_.find(name);
  if (limit == limits_.end()) {
    return Tokens{};
  }
  const auto credit = limit->second.credits.find(key);
  if (credit == limit->second.credits.end()) {
    return Tokens{};
  }
  return cut(credit->second.left + credit->second.returning, view);
}

Tokens AheadDesk::spendable(const LedgerId& id, Instant now) const {
  const auto view = look(id.limit, id.key, {}, now);
  return view ? view->level + credit(id.limit, id.key, *view) : Tokens{};
}

}  // namespace brigade::node
