// Slow keys: what their limits' books are opened and closed with, and what is spent ahead of them.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/coverage.h"
#include "node/token_store.h"

namespace brigade::node {
namespace {

// Names that stand for themselves (node/implicit_limits.h).
constexpr std::string_view kImplicitNames = "cl.throttle/";

AheadTerms terms_of(const bucket::LimitSpec& spec) {
  return {.rate = spec.rate, .size = spec.burst};
}

bool sound(const std::string& name, const AheadTerms& terms) {
  bucket::LimitSpec spec;
  spec.name = name;
  spec.per_key = true;
  spec.burst = terms.size;
  spec.rate = terms.rate;
  if (!logs_ahead(spec) || terms.size <= Tokens{} || terms.rate < Rate{}) {
    return false;
  }
  spec.rate = std::max(spec.rate, Rate::nano_per_second(1));  // a period may be as good as endless
  return bucket::validate(spec).has_value();
}

}  // namespace

std::size_t TokenStore::max_keys(std::string_view limit) const {
  const ConfigRecord* config = this->limit(limit);
  return static_cast<std::size_t>(
      (config != nullptr ? config->spec : bucket::LimitSpec()).max_keys);
}

// Until the limit was deleted it was spent under terms that ended then.
AheadLevel TokenStore::fresh_level(const std::string& limit, Tokens size) const {
  if (recently_deleted(limit)) {
    return {.level = {}, .refilled = tombs_.at(limit).deleted};
  }
  return {.level = size, .refilled = meta_.stamp};
}

void TokenStore::succeed_implicit(std::uint64_t index, const bucket::LimitSpec& spec) {
  const bool open = ahead_.find(spec.name) != nullptr;
  if (open ? !logs_ahead(spec) : spec.name.starts_with(kImplicitNames)) {
    COVERED("a limit is declared under an implicit one's name");
    bury(index, spec);
  }
}

void TokenStore::keep_ahead_books(const std::string& name, const bucket::LimitSpec* spec) {
  if (spec == nullptr || !logs_ahead(*spec)) {
    ahead_.close(name);
    return;
  }
  if (parts_out(*spec)) {
    return;  // its book is opened when they are back
  }
  const AheadTerms terms = terms_of(*spec);
  if (ahead_.find(name) != nullptr) {
    ahead_.change(name, terms, meta_.stamp);
    return;
  }
  AheadLevel fresh = fresh_level(name, terms.size);
  if (plant_ == Plant::kSlowFromFull) {
    fresh.level = terms.size;
  }
  fresh.refilled = meta_.stamp;  // nothing was minted while there was no such limit
  ahead_.open({.limit = name, .terms = terms, .fresh = fresh});
}

bool TokenStore::parted(const std::string& limit) const {
  const ConfigRecord* config = this->limit(limit);
  return config != nullptr && config->spec.kept_at_home() && parts_out(config->spec);
}

bool TokenStore::parts_out(const bucket::LimitSpec& few) const {
  return !few.per_key && plant_ != Plant::kPartsStillOut &&
         ledgers_.contains({.limit = few.name, .key = {}});
}

// Nodes had parts of this limit until now: what they spent is in no book.
void TokenStore::end_parts(const std::string& name) {
  const ConfigRecord* config = limit(name);
  if (config != nullptr && !config->spec.per_key && logs_ahead(config->spec)) {
    COVERED("a slow limit of few tokens begins when its parts are back");
    ahead_.open({.limit = name,
                 .terms = terms_of(config->spec),
                 .fresh = {.level = {}, .refilled = meta_.stamp}});
  }
}

std::optional<TokenStore::AheadView> TokenStore::ahead(std::string_view limit, const KeyHash& key,
                                                       const AheadTerms& implicit,
                                                       Stamp now) const {
  if (key_ledgers_ != 0 && ledgers_.contains({.limit = std::string(limit), .key = key})) {
    return std::nullopt;  // its rights are there; it closes full, and a fresh key has no more
  }
  const bool declared = this->limit(limit) != nullptr;
  if (const AheadBooks::Book* book = ahead_.find(limit)) {
    if (!declared && book->limit.terms != implicit) {
      return std::nullopt;
    }
    const AheadBooks::Bucket* bucket = book->keys.find(key);
    return AheadView{
        .terms = book->limit.terms,
        .level = AheadBooks::grown(bucket != nullptr ? bucket->level : book->limit.fresh,
                                   book->limit.terms, now),
        .credit = bucket != nullptr ? &bucket->credit : nullptr,
        .room = bucket != nullptr || ahead_.has_room(*book, max_keys(limit))};
  }
  const std::string name(limit);
  if (declared || !sound(name, implicit)) {
    return std::nullopt;
  }
  return AheadView{.terms = implicit,
                   .level = AheadBooks::grown(fresh_level(name, implicit.size), implicit, now),
                   .credit = nullptr,
                   .room = ahead_.has_room_for_implicit()};
}

bool TokenStore::spend_ahead(const AheadSpend& spend) {
  const auto view = ahead(spend.ledger.limit, spend.ledger.key, spend.implicit, meta_.stamp);
  if (view && spend.amount < Tokens{}) {
    ahead_.put_back(spend.ledger, -spend.amount, meta_.stamp);
    return true;
  }
  if (!view || !view->room || spend.amount == Tokens{} ||
      spend.amount > view->level + AheadBooks::overdraft(view->terms)) {
    return false;
  }
  if (ahead_.find(spend.ledger.limit) == nullptr) {
    COVERED("the first key of a slow implicit limit");
    ahead_.open({.limit = spend.ledger.limit,
                 .terms = spend.implicit,
                 .fresh = fresh_level(spend.ledger.limit, spend.implicit.size),
                 .implicit = true});
  }
  return ahead_.spend(spend.ledger, spend.amount, max_keys(spend.ledger.limit), meta_.stamp);
}

Outcome TokenStore::apply_one(std::uint64_t, const SpendAhead& command) {
  advance(command.stamp);
  ahead_.sweep(meta_.swept, command.spends.size(), meta_.stamp);
  touch(meta_);
  Outcome outcome;
  outcome.changes.reserve(command.spends.size());
  for (const AheadSpend& spend : command.spends) {
    outcome.changes.push_back(spend_ahead(spend) ? Applied::kDone : Applied::kRefused);
  }
  return outcome;
}

// A handover binds only the replica that leads next, by where it is in the log; what was spent
// ahead for nothing comes back whoever that is: its leader spends nothing of it from here on.
Outcome TokenStore::apply_one(std::uint64_t, const Handover& command) {
  advance(command.stamp);
  for (const HandoverCredits& limit : command.credits) {
    for (const HandoverKey& key : limit.keys) {
      ahead_.put_back({.limit = limit.limit, .key = key.key}, key.level, meta_.stamp);
    }
  }
  return {};
}

}  // namespace brigade::node
