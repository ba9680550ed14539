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
      next_stamp_(now.slow + kStampEvery) {
  store_.ahead_books().forget_credits();  // of an earlier office
}

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

bool AheadDesk::note(std::string_view limit) {
  if (limits_.contains(limit)) {
    return true;
  }
  const ConfigRecord* config = store_.limit(limit);
  if (config != nullptr) {
    limits_.emplace(limit, config->version);
  }
  return config != nullptr;
}

AheadCredit* AheadDesk::credit_of(const LedgerId& id) const {
  const AheadBooks::Book* book = store_.ahead_books().find(id.limit);
  const AheadBooks::Bucket* bucket = book == nullptr ? nullptr : book->keys.find(id.key);
  return bucket == nullptr ? nullptr : &bucket->credit;
}

Tokens AheadDesk::returning(std::string_view limit, const KeyHash& key,
                            const AheadCredit& credit) const {
  if (!credit.wanted() || returning_.empty()) {
    return Tokens{};
  }
  const auto found = returning_.find({.limit = std::string(limit), .key = key});
  return found == returning_.end() ? Tokens{} : found->second;
}

Tokens AheadDesk::besides(std::string_view limit, const KeyHash& key,
                          const TokenStore::AheadView& view) const {
  if (view.credit == nullptr) {
    return Tokens{};
  }
  return cut(view.credit->left() + returning(limit, key, *view.credit), view);
}

Tokens AheadDesk::cut(Tokens credit, const TokenStore::AheadView& view) const {
  return plant_ == Plant::kCreditUncut ? credit : std::min(credit, view.terms.size - view.level);
}

// Spends from the credit, if it suffices, and asks for the next chunk before it is gone.
bool AheadDesk::pay(const KeyTake& take, const TokenStore::AheadView& view) {
  AheadCredit* const credit = view.credit;
  const bool logged = credit != nullptr && take.cost <= credit->left();
  if (!logged && plant_ != Plant::kSpendBeforeLogged) {
    return false;
  }
  bool next = credit == nullptr;
  if (credit != nullptr) {
    credit->set_left(credit->left() - take.cost);
    const bool low = credit->left() < chunk_of(view.terms.size).scaled(1, 2);
    const bool ahead = credit->chunks() >= kSteady && low && view.level > Tokens{};
    next = (ahead || !logged) && !credit->wanted();
    credit->set_wanted(credit->wanted() || next);
  }
  if (next) {
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
  note(take.limit);
  const Tokens size = view->terms.size;
  Tokens ours;
  if (AheadCredit* const credit = view->credit) {
    // What is on its way back has its place in the bucket.
    const Tokens back = returning(take.limit, take.key, *credit);
    Tokens left = cut(credit->left() + back, *view) - back;
    if (plant_ != Plant::kSpendBeforeLogged) {
      left = std::max(left, Tokens{});
    }
    credit->set_left(left);
    ours = left + back;
  }
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
  } else if (!looks && (!view->room || (spec.per_key && view->credit == nullptr &&
                                        store_.ahead_books().keys() >= keys_max_))) {
    told.verdict = Verdict::kTooManyKeys;
    after = total;
  } else if (looks || pay(take, *view)) {
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
  AheadCredit* const credit = view->credit;
  if (credit == nullptr) {
    COVERED("a refund of a slow key that is full is of no use");
    return;
  }
  const Tokens back = returning(id.limit, id.key, *credit);
  const Tokens left = std::max(Tokens{}, cut(credit->left() + back, *view) - back);
  credit->set_left(std::max(Tokens{}, cut(left + back + amount, *view) - back));
  if (credit->left() > chunk_of(view->terms.size).scaled(2, 1) && !credit->wanted()) {
    COVERED("a refund goes back into a slow key's bucket");
    credit->set_wanted(true);
    wanted_.emplace(id, AheadTerms{});
  }
}

// ---- the log ----

Tokens AheadDesk::chunk_for(const AheadSpend& need, Tokens missing, Instant now) {
  const auto view = look(need.ledger.limit, need.ledger.key, need.implicit, now);
  if (!view) {
    return Tokens{};
  }
  const Tokens left = view->credit == nullptr ? Tokens{} : cut(view->credit->left(), *view);
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
    asked_.push_back(spend.ledger);
    AheadCredit* const credit = credit_of(spend.ledger);
    if (credit != nullptr && spend.amount < Tokens{}) {
      credit->set_left(credit->left() + spend.amount);  // not ours any more, whatever becomes of it
      returning_[spend.ledger] = -spend.amount;
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

// What was asked for is here, or will never be.
void AheadDesk::answered() {
  in_flight_ = false;
  for (const LedgerId& id : asked_) {
    if (AheadCredit* credit = credit_of(id)) {
      credit->set_wanted(false);
    }
  }
  asked_.clear();
  returning_.clear();
}

std::vector<AheadDesk::Waiting> AheadDesk::applied(const SpendAhead& command,
                                                   const Outcome& outcome, Instant now) {
  answered();
  if (limits_.size() > store_.ahead_books().books()) {
    std::erase_if(limits_, [&](const auto& one) {
      return !one.second && store_.ahead_books().find(one.first) == nullptr;
    });
  }
  std::map<LedgerId, bool> asked;
  for (std::size_t i = 0; i < command.spends.size() && i < outcome.changes.size(); ++i) {
    const AheadSpend& spend = command.spends[i];
    asked.emplace(spend.ledger, true);
    if (outcome.changes[i] != Applied::kDone) {
      continue;
    }
    const auto view = look(spend.ledger.limit, spend.ledger.key, spend.implicit, now);
    if (!view || view->credit == nullptr) {
      continue;
    }
    if (!note(spend.ledger.limit)) {
      limits_.emplace(spend.ledger.limit, Version{});
    }
    // The bucket may have filled up since: what no longer fits beside it was never there.
    AheadCredit& credit = *view->credit;
    credit.set_left(cut(credit.left() + std::max(Tokens{}, spend.amount), *view));
    credit.count_chunk();
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
  answered();
  for (const auto& [id, implicit] : wanted_) {
    if (AheadCredit* credit = credit_of(id)) {
      credit->set_wanted(false);
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
    const bool over = config == nullptr ? static_cast<bool>(it->second) : !logs_ahead(config->spec);
    if (over) {
      ended.push_back(it->first);
      it = limits_.erase(it);
      continue;
    }
    const Version version = config == nullptr ? Version{} : config->version;
    if (it->second != version) {
      COVERED("a changed limit ends the credits of its keys");
      it->second = version;
      store_.ahead_books().forget_credits(it->first);
      std::erase_if(returning_, [&](const auto& one) { return one.first.limit == it->first; });
      ended.push_back(it->first);
    }
    ++it;
  }
  return ended;
}

void AheadDesk::hand_over(Handover& handover, std::size_t most, Instant now) {
  for (const auto& [name, version] : limits_) {
    const AheadBooks::Book* book = store_.ahead_books().find(name);
    if (book == nullptr) {
      continue;
    }
    HandoverCredits credits{.limit = name, .keys = {}};
    book->keys.for_each([&](const KeyHash& key, const AheadBooks::Bucket& bucket) {
      const Tokens level = AheadBooks::grown(bucket.level, book->limit.terms, stamp(now));
      const Tokens left = std::min(bucket.credit.left(), book->limit.terms.size - level);
      if (left <= Tokens{}) {
        return;
      }
      if (most == 0) {
        COVERED("a handover has no room for every credit");
        return;
      }
      credits.keys.push_back({.key = key, .level = left});
      --most;
    });
    if (!credits.keys.empty()) {
      handover.credits.push_back(std::move(credits));
    }
  }
  if (plant_ != Plant::kCreditsKept) {
    store_.ahead_books().forget_credits();
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
  return std::max(Tokens{}, view->terms.size - view->level - besides(limit, key, *view));
}

bool AheadDesk::know(std::string_view limit) {
  return store_.ahead_books().find(limit) != nullptr && note(limit);
}

Tokens AheadDesk::credit(const LedgerId& id, Instant now) const {
  const auto view = look(id.limit, id.key, {}, now);
  return view ? besides(id.limit, id.key, *view) : Tokens{};
}

Tokens AheadDesk::spendable(const LedgerId& id, Instant now) const {
  const auto view = look(id.limit, id.key, {}, now);
  return view ? view->level + besides(id.limit, id.key, *view) : Tokens{};
}

}  // namespace brigade::node
