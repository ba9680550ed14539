#include "node/ahead_books.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"
#include "base/wide.h"

namespace brigade::node {
namespace {

// The next one in order; zero after the last.
KeyHash after(const KeyHash& key) {
  return {.high = key.high + (key.low == UINT64_MAX ? 1 : 0), .low = key.low + 1};
}

AheadKeyRecord record_of(const std::string& limit, const KeyHash& key, const AheadLevel& level) {
  return {.id = {.limit = limit, .key = key}, .level = level};
}

}  // namespace

bool logs_ahead(const bucket::LimitSpec& spec) {
  // In 10 s a rate of n nano-tokens per second mints n/100 micro-tokens. No division: this is asked
  // with every decision about a key.
  return spec.kept_at_home() &&
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
  const AheadTerms before = book.limit.terms;
  const auto settle = [&](const AheadLevel& level) {
    return AheadLevel{.level = std::min(grown(level, before, now), terms.size), .refilled = now};
  };
  book.limit.fresh = settle(book.limit.fresh);
  book.limit.terms = terms;
  implicit_ -= std::exchange(book.limit.implicit, false) ? 1 : 0;
  write(book.limit, false);
  book.keys.for_each([&](const KeyHash& key, Bucket& bucket) {
    bucket.level = settle(bucket.level);
    write(record_of(found->first, key, bucket.level), false);
  });
}

void AheadBooks::close(std::string_view limit) {
  const auto found = books_.find(limit);
  if (found == books_.end()) {
    return;
  }
  found->second.keys.for_each([&](const KeyHash& key, const Bucket& bucket) {
    write(record_of(found->first, key, bucket.level), true);
  });
  keys_ -= found->second.keys.size();
  erase(found);
}

// ---- keys ----

void AheadBooks::put(Books::value_type& named, const KeyHash& key, const AheadLevel& level) {
  if (Bucket* bucket = named.second.keys.find(key)) {
    bucket->level = level;
  } else {
    named.second.keys.insert(key, {.level = level, .credit = {}});
    ++keys_;
  }
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
  COVERED("a slow key that is full again is dropped");
  write(record_of(book->first, key, {}), true);
  book->second.keys.erase(key);
  --keys_;
}

std::vector<KeyHash> AheadBooks::full_keys(const Book& book, KeyHash& from, std::size_t& most,
                                           Stamp now) const {
  const Tokens fresh = grown(book.limit.fresh, book.limit.terms, now);
  std::vector<KeyHash> full;
  KeyHash next;
  book.keys.walk(from, [&](const KeyHash& key, const Bucket& bucket) {
    next = after(key);
    if (grown(bucket.level, book.limit.terms, now) >= fresh) {
      full.push_back(key);
    }
    --most;
    return most > 0 && full.size() < kSwept;
  });
  from = most > 0 && full.size() < kSwept ? KeyHash{} : next;
  return full;
}

void AheadBooks::sweep(LedgerId& next, std::size_t spends, Stamp now) {
  std::size_t most = std::min(kLookedAt + kLookedAtPerSpend * spends, keys_);
  std::size_t dropped = 0;
  // Once around: every book, and the one it began with twice if it began in the middle.
  for (std::size_t visits = std::min(books_.size() + 1, kBooksLookedAt);
       visits > 0 && most > 0 && dropped < kSwept; --visits) {
    auto book = books_.lower_bound(next.limit);
    if (book == books_.end()) {
      next = {};
      book = books_.begin();
    }
    KeyHash from = book->first == next.limit ? next.key : KeyHash{};
    const std::vector<KeyHash> full = full_keys(book->second, from, most, now);
    for (const KeyHash& key : full) {
      drop(book, key);
    }
    dropped += full.size();
    next = {.limit = book->first, .key = from};
    if (from == KeyHash{}) {
      const auto following = std::next(book);
      next.limit = following == books_.end() ? std::string() : following->first;
    }
    if (book->second.keys.empty() && book->second.limit.implicit) {
      erase(book);
    }
  }
}

const AheadBooks::Book* AheadBooks::find(std::string_view limit) const {
  const auto found = books_.find(limit);
  return found == books_.end() ? nullptr : &found->second;
}

Tokens AheadBooks::level(const Book& book, const KeyHash& key, Stamp now) {
  const Bucket* found = book.keys.find(key);
  return grown(found == nullptr ? book.limit.fresh : found->level, book.limit.terms, now);
}

// ---- credits ----

void AheadBooks::forget_credits() const {
  for (const auto& [name, book] : books_) {
    forget_credits(name);
  }
}

void AheadBooks::forget_credits(std::string_view limit) const {
  if (const Book* book = find(limit)) {
    book->keys.for_each([](const KeyHash&, const Bucket& bucket) { bucket.credit = {}; });
  }
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

void AheadBooks::visit_records(const RecordVisit& visit) const {
  for (const auto& [name, book] : books_) {
    visit(book.limit);
    book.keys.for_each([&](const KeyHash& key, const Bucket& bucket) {
      visit(record_of(name, key, bucket.level));
    });
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
      !found->second.keys.insert(record.id.key, {.level = record.level, .credit = {}})) {
    return false;
  }
  ++keys_;
  return true;
}

void AheadBooks::check_invariants() const {
  std::size_t keys = 0;
  for (const auto& [name, book] : books_) {
    keys += book.keys.size();
    BRIGADE_CHECK(book.limit.limit == name);
    BRIGADE_CHECK(book.limit.fresh.level <= book.limit.terms.size);
    book.keys.check_invariants();
    book.keys.for_each([&](const KeyHash&, const Bucket& bucket) {
      BRIGADE_CHECK(bucket.level.level <= book.limit.terms.size);
    });
  }
  BRIGADE_CHECK(keys == keys_);
}

}  // namespace brigade::node
