// The replicated buckets of slow keys: of `per: key` limits in home mode that need more than 10 s
// to fill up (semantics 6). Their leader spends what it has logged as spent before, so that a new
// leader goes on from the log and not from an empty ghost.
//
// A key without a bucket here has its limit's `fresh` level: full, except where something may have
// been spent that no bucket here knows of. That is so when a limit
//   - is declared again soon after it was deleted, or changes `per` or `mode`;
//   - starts to be slow: until then its keys were spent in memory only;
//   - takes the name of an implicit limit (CL.THROTTLE): the same.
// Then fresh keys are empty and mint from that moment on. When a limit stops being slow its book is
// closed, and its keys start empty in memory, for at most 10 s. Other changes go on with every
// level, under the new terms: a lower burst cuts, a higher one adds room and no token, also for
// fresh keys.
//
// A chunk may overdraw its bucket by what is minted in kOverdraft. While a chunk is on its way to
// the log, its bucket goes on minting; of a full bucket's last token, a part would come back before
// it could be spent, and a cost of b could never be logged as a whole.
//
// A bucket is dropped once it is as full as a fresh one; so is an implicit limit's book with its
// last bucket. Both depend on nothing but the records and shard time: every replica does alike.
//
// Threads: single-threaded (owner: token store). Time: shard time, which runs derated already.
// Limits: kMaxKeys, kMaxImplicit; refused beyond. kSwept buckets are dropped per command at most,
// which is more than one command adds. A change of a limit settles all of its keys.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "node/records.h"

namespace brigade::node {

// Keys of this limit are logged ahead: b/r > 10 s, in home mode.
[[nodiscard]] bool logs_ahead(const bucket::LimitSpec& spec);

class AheadBooks {
 public:
  static constexpr std::size_t kMaxKeys = 1'000'000;
  static constexpr std::size_t kMaxImplicit = 10'000;
  static constexpr std::size_t kSwept = 2048;
  // The longest way to the log after which a chunk still covers what it was taken for.
  static constexpr base::Duration kOverdraft = base::seconds(1);

  struct Book {
    AheadLimitRecord limit;
    std::map<KeyHash, AheadLevel> keys;
  };

  AheadBooks() = default;
  AheadBooks(AheadBooks&&) = default;
  AheadBooks& operator=(AheadBooks&&) = default;
  AheadBooks(const AheadBooks&) = delete;
  AheadBooks& operator=(const AheadBooks&) = delete;
  ~AheadBooks() = default;

  // False: there is one already, or no room for another implicit one.
  bool open(const AheadLimitRecord& limit);
  // Goes on under these terms; from now on the limit is a declared one. Requires: its book is open.
  void change(std::string_view limit, const AheadTerms& terms, Stamp now);
  void close(std::string_view limit);

  [[nodiscard]] static Tokens overdraft(const AheadTerms& terms) {
    return terms.rate.over(kOverdraft);
  }
  // Takes `amount` out of a key that has it, or all but the overdraft. False: nothing changed,
  // because there is no such book, not as much, or no room for one more key among `max_keys`.
  bool spend(const LedgerId& id, Tokens amount, std::size_t max_keys, Stamp now);
  // What was spent ahead and never used; no bucket that is gone comes back for it.
  void put_back(const LedgerId& id, Tokens amount, Stamp now);
  // Drops what is as full as if it were fresh; swept() says what.
  void sweep(Stamp now);
  [[nodiscard]] const std::vector<LedgerId>& swept() const { return swept_; }

  [[nodiscard]] const Book* find(std::string_view limit) const;
  [[nodiscard]] static Tokens level(const Book& book, const KeyHash& key, Stamp now);
  // What a bucket has now that was last touched as `from` says.
  [[nodiscard]] static Tokens grown(const AheadLevel& from, const AheadTerms& terms, Stamp now);
  [[nodiscard]] bool has_room(const Book& book, std::size_t max_keys) const {
    return book.keys.size() < max_keys && keys_ < kMaxKeys;
  }
  [[nodiscard]] bool has_room_for_implicit() const {
    return implicit_ < kMaxImplicit && keys_ < kMaxKeys;
  }
  [[nodiscard]] std::size_t keys() const { return keys_; }
  // Something can be dropped.
  [[nodiscard]] bool sweepable(Stamp now) const { return !due_.empty() && due_.begin()->at <= now; }

  // ---- records ----
  void append_to(std::vector<StateRecord>& records) const;
  // False: it contradicts what was restored before. A limit comes before its keys.
  bool restore(const AheadLimitRecord& record);
  bool restore(const AheadKeyRecord& record);
  void take_writes(std::vector<RecordWrite>& writes);

  void check_invariants() const;

 private:
  // When a key can be dropped.
  struct Due {
    Stamp at{0};
    KeyHash key;
    const std::string* limit = nullptr;  // the name in books_
    friend bool operator<(const Due& a, const Due& b) {
      return std::tie(a.at, a.key, *a.limit) < std::tie(b.at, b.key, *b.limit);
    }
  };
  using Books = std::map<std::string, Book, std::less<>>;

  [[nodiscard]] static Due due(const Books::value_type& named, const KeyHash& key,
                               const AheadLevel& level);
  void put(Books::value_type& named, const KeyHash& key, const AheadLevel& level);
  void drop(Books::iterator book, const KeyHash& key);
  void erase(Books::iterator book);
  void write(StateRecord record, bool dropped);

  Books books_;
  std::set<Due> due_;
  std::size_t keys_ = 0;
  std::size_t implicit_ = 0;     // books of implicit limits
  std::vector<LedgerId> swept_;  // by the last sweep
  std::vector<RecordWrite> writes_;
};

}  // namespace brigade::node
