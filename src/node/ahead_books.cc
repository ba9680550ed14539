#include "node/ahead_books.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"
#include "base/wide.h"

namespace brigade::node {
namespace {

Stamp full_at(const AheadLevel& from, const AheadTerms& terms) {
  const Stamp takes = terms.rate.time_for(terms.size - from.level);
  return takes > Stamp::max() - from.refilled ? Stamp::max() : from.refilled + takes;
}

AheadKeyRecord record_of(const std::string& limit, const KeyHash& key, const AheadLevel& level) {
  return {.id = {.limit = limit, .key = key}, .level = level};
}

}  // namespace

bool logs_ahead(const bucket::LimitSpec& spec) {
  // In 10 s a rate of n nano-tokens per second mints n/100 micro-tokens. No division: this is asked
  // with every decision about a key.
  return spec.per_key && spec.mode == bucket::Mode::kShared &&
         static_cast<base::Wide>(spec.burst.micro()) * 100 > spec.rate.nano_per_second();
}

Tokens AheadBooks::grown(const AheadLevel& from, const AheadTerms& terms, Stamp now) {
  const Tokens minted = now > from.refilled ? terms.rate.over(now - from.refilled) : Tokens{};
  return std::min(terms.size, from.level + minted);
}

// ---- limits ----

bool AheadBooks::open(const AheadLimitRecord& limit) {
  if ((limit.implicit && implicit_ >= kMaxImplicit) ||
      !books_.try_emplace(limit.limit, Book{limit, {}}).second) {
    return false;
  }
  implicit_ += limit.implicit ? 1 : 0;
  write(limit, false);
  return true;
}

void AheadBooks::erase(Books::iterator book) {
  implicit_ -= book->second.limit.implicit ? 1 : 0;
  write(book->second.limit, true);
  books_.erase(book);
}

void AheadBooks::change(std::string_view limit, const AheadTerms& terms, Stamp now) {
  const auto found = books_.find(limit);
  BRIGADE_CHECK(found != books_.end());
  Book& book = found->second;
  for (const auto& [key, level] : book.keys) {
    due_.erase(due(*found, key, level));
  }
  const AheadTerms before = book.limit.terms;
  const auto settle = [&](const AheadLevel& level) {
    return AheadLevel{.level = std::min(grown(level, before, now), terms.size), .refilled = now};
  };
  book.limit.fresh = settle(book.limit.fresh);
  book.limit.terms = terms;
  implicit_ -= std::exchange(book.limit.implicit, false) ? 1 : 0;
  write(book.limit, false);
  for (auto& [key, level] : book.keys) {
    level = settle(level);
    due_.insert(due(*found, key, level));
    write(record_of(found->first, key, level), false);
  }
}

void AheadBooks::close(std::string_view limit) {
  const auto found = books_.find(limit);
  if (found == books_.end()) {
    return;
  }
  for (const auto& [key, level] : found->second.keys) {
    due_.erase(due(*found, key, level));
    write(record_of(found->first, key, level), true);
  }
  keys_ -= found->second.keys.size();
  erase(found);
}

// ---- keys ----

AheadBooks::Due AheadBooks::due(const Books::value_type& named, const KeyHash& key,
                                const AheadLevel& level) {
  const AheadLimitRecord& limit = named.second.limit;
  return {.at = std::max(full_at(level, limit.terms), full_at(limit.fresh, limit.terms)),
          .key = key,
          .limit = &named.first};
}

void AheadBooks::put(Books::value_type& named, const KeyHash& key, const AheadLevel& level) {
  const auto [it, fresh] = named.second.keys.try_emplace(key, level);
  if (fresh) {
    ++keys_;
  } else {
    due_.erase(due(named, key, it->second));
    it->second = level;
  }
  due_.insert(due(named, key, level));
  write(record_of(named.first, key, level), false);
}

bool AheadBooks::spend(const LedgerId& id, Tokens amount, std::size_t max_keys, Stamp now) {
  const auto found = books_.find(id.limit);
  if (found == books_.end() || amount <= Tokens{}) {
    return false;
  }
  const Book& book = found->second;
  const Tokens had = level(book, id.key, now);
  if (amount > had + overdraft(book.limit.terms) ||
      (!book.keys.contains(id.key) && !has_room(book, max_keys))) {
    return false;
  }
  put(*found, id.key, {.level = had - amount, .refilled = now});
  return true;
}

void AheadBooks::put_back(const LedgerId& id, Tokens amount, Stamp now) {
  const auto found = books_.find(id.limit);
  if (found == books_.end() || amount <= Tokens{} || !found->second.keys.contains(id.key)) {
    return;
  }
  const Tokens had = level(found->second, id.key, now);
  const Tokens room = found->second.limit.terms.size - had;
  put(*found, id.key, {.level = had + std::min(amount, room), .refilled = now});
}

void AheadBooks::drop(Books::iterator book, const KeyHash& key) {
  const auto found = book->second.keys.find(key);
  write(record_of(book->first, key, found->second), true);
  book->second.keys.erase(found);
  --keys_;
  if (book->second.keys.empty() && book->second.limit.implicit) {
    erase(book);
  }
}

void AheadBooks::sweep(Stamp now) {
  swept_.clear();
  for (std::size_t i = 0; i < kSwept && sweepable(now); ++i) {
    COVERED("a slow key that is full again is dropped");
    const Due first = *due_.begin();
    due_.erase(due_.begin());
    swept_.push_back({.limit = *first.limit, .key = first.key});
    drop(books_.find(*first.limit), first.key);
  }
}

const AheadBooks::Book* AheadBooks::find(std::string_view limit) const {
  const auto found = books_.find(limit);
  return found == books_.end() ? nullptr : &found->second;
}

Tokens AheadBooks::level(const Book& book, const KeyHash& key, Stamp now) {
  const auto found = book.keys.find(key);
  return grown(found == book.keys.end() ? book.limit.fresh : found->second, book.limit.terms, now);
}

// ---- records ----

void AheadBooks::write(StateRecord record, bool dropped) {
  std::string key = record_key(record);
  writes_.push_back({.key = std::move(key), .dropped = dropped, .record = std::move(record)});
}

void AheadBooks::take_writes(std::vector<RecordWrite>& writes) {
  std::move(writes_.begin(), writes_.end(), std::back_inserter(writes));
  writes_.clear();
}

void AheadBooks::append_to(std::vector<StateRecord>& records) const {
  for (const auto& [name, book] : books_) {
    records.emplace_back(book.limit);
    for (const auto& [key, level] : book.keys) {
      records.emplace_back(record_of(name, key, level));
    }
  }
}

bool AheadBooks::restore(const AheadLimitRecord& record) {
  const bool sound = record.terms.rate >= Rate{} && record.fresh.level <= record.terms.size;
  if (!sound || !books_.try_emplace(record.limit, Book{record, {}}).second) {
    return false;
  }
  implicit_ += record.implicit ? 1 : 0;
  return true;
}

bool AheadBooks::restore(const AheadKeyRecord& record) {
  const auto found = books_.find(record.id.limit);
  if (found == books_.end() || record.level.level > found->second.limit.terms.size ||
      !found->second.keys.try_emplace(record.id.key, record.level).second) {
    return false;
  }
  ++keys_;
  due_.insert(due(*found, record.id.key, record.level));
  return true;
}

void AheadBooks::check_invariants() const {
  std::size_t keys = 0;
  for (const auto& [name, book] : books_) {
    keys += book.keys.size();
    BRIGADE_CHECK(book.limit.limit == name);
    BRIGADE_CHECK(book.limit.fresh.level <= book.limit.terms.size);
    for (const auto& [key, level] : book.keys) {
      BRIGADE_CHECK(level.level <= book.limit.terms.size);
    }
  }
  BRIGADE_CHECK(keys == keys_);
  BRIGADE_CHECK(keys == due_.size());
}

}  // namespace brigade::node
