// The replicated buckets of slow keys: of limits in home mode that need more than 10 s to fill up
// (semantics 6); one of few tokens has only one. Their leader spends what it has logged as spent
// before, so that a new leader goes on from the log and not from an empty ghost.
//
// A key without a bucket here has its limit's `fresh` level: full, except where something may have
// been spent that no bucket here knows of. That is so when a limit
//   - is declared again soon after it was deleted, or changes `per` or `mode`;
//   - starts to be slow: until then its keys were spent in memory only;
//   - becomes one of few tokens: nodes had parts of it, and its book is opened when they are back;
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
// A bucket is dropped once a sweep finds it as full as a fresh one; so is an implicit limit's book
// with its last bucket. A sweep looks at some buckets per command and the next one goes on behind
// them; it depends on nothing but the records and shard time: every replica does alike. It looks at
// more buckets than a command adds, so that those that could be dropped stay few among the others.
//
// There may be millions of buckets: one is 40 bytes of a table that is a quarter empty. 8 of them
// are what its shard's leader keeps of it in memory (AheadCredit), which is no part of the state.
//
// Threads: single-threaded (owner: token store). Time: shard time, which runs derated already.
// Limits: kMaxKeys, kMaxImplicit; refused beyond, except a limit's first key. kSwept buckets are
// dropped per command at most. A change of a limit settles all of its keys.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bucket/key_map.h"
#include "node/records.h"

namespace brigade::node {

// Buckets of this limit are logged ahead: b/r > 10 s, in home mode.
[[nodiscard]] bool logs_ahead(const bucket::LimitSpec& spec);

// What was logged of a key and is not spent yet, with what its leader has to know besides
// (ahead_desk.h), in 8 bytes.
class AheadCredit {
 public:
  static constexpr int kChunksMax = 3;

  [[nodiscard]] Tokens left() const { return Tokens::micro(packed_ >> kShift); }
  void set_left(Tokens left) {
    const Tokens most = Tokens::micro(Tokens::kMaxMicro - 1);
    packed_ = std::clamp(left, -most, most).micro() * (1 << kShift) + (packed_ & kFlags);
  }
  // How many chunks it had, up to kChunksMax.
  [[nodiscard]] int chunks() const { return static_cast<int>(packed_ & kChunksMax); }
  void count_chunk() { packed_ += chunks() < kChunksMax ? 1 : 0; }
  // A chunk of it is asked for.
  [[nodiscard]] bool wanted() const { return (packed_ & kWanted) != 0; }
  void set_wanted(bool wanted) { packed_ = wanted ? packed_ | kWanted : packed_ & ~kWanted; }

 private:
  static constexpr int kShift = 3;
  static constexpr std::int64_t kWanted = 4;
  static constexpr std::int64_t kFlags = kWanted | kChunksMax;
  std::int64_t packed_ = 0;
};

class AheadBooks {
 public:
  static constexpr std::size_t kMaxKeys = 4'000'000;
  static constexpr std::size_t kMaxImplicit = 10'000;
  static constexpr std::size_t kSwept = 2048;
  // What a sweep looks at: so many buckets, and so many more for each that its command may add.
  static constexpr std::size_t kLookedAt = 1024;
  static constexpr std::size_t kLookedAtPerSpend = 8;
  static constexpr std::size_t kBooksLookedAt = 256;
  // The longest way to the log after which a chunk still covers what it was taken for.
  static constexpr base::Duration kOverdraft = base::seconds(1);

  struct Bucket {
    AheadLevel level;
    mutable AheadCredit credit;  // of whoever leads, and nothing to anybody else
  };
  struct Book {
    AheadLimitRecord limit;
    bucket::KeyMap<Bucket> keys;
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
  // Before a command with so many spends: looks at some buckets from `next` on, and at the first
  // ones after the last, and drops what is as full as if it were fresh. `next` is where to go on.
  void sweep(LedgerId& next, std::size_t spends, Stamp now);

  [[nodiscard]] const Book* find(std::string_view limit) const;
  [[nodiscard]] static Tokens level(const Book& book, const KeyHash& key, Stamp now);
  // What a bucket has now that was last touched as `from` says.
  [[nodiscard]] static Tokens grown(const AheadLevel& from, const AheadTerms& terms, Stamp now);
  [[nodiscard]] bool has_room(const Book& book, std::size_t max_keys) const {
    return book.keys.size() < max_keys && (keys_ < kMaxKeys || book.keys.empty());
  }
  [[nodiscard]] bool has_room_for_implicit() const {
    return implicit_ < kMaxImplicit && keys_ < kMaxKeys;
  }
  [[nodiscard]] std::size_t keys() const { return keys_; }
  [[nodiscard]] std::size_t books() const { return books_.size(); }

  // ---- credits: of a leader, which begins without any ----
  void forget_credits() const;
  void forget_credits(std::string_view limit) const;

  // ---- records ----
  void visit_records(const RecordVisit& visit) const;
  // False: it contradicts what was restored before. A limit comes before its keys.
  bool restore(const AheadLimitRecord& record);
  bool restore(const AheadKeyRecord& record);
  void take_writes(std::vector<RecordWrite>& writes);

  void check_invariants() const;

 private:
  using Books = std::map<std::string, Book, std::less<>>;

  void put(Books::value_type& named, const KeyHash& key, const AheadLevel& level);
  void drop(Books::iterator book, const KeyHash& key);
  void erase(Books::iterator book);
  // What of a book's buckets from `from` on is full, among at most `most`, which becomes less. Sets
  // `from` behind them, or to zero at the end.
  [[nodiscard]] std::vector<KeyHash> full_keys(const Book& book, KeyHash& from, std::size_t& most,
                                               Stamp now) const;
  void write(StateRecord record, bool dropped);

  Books books_;
  std::size_t keys_ = 0;
  std::size_t implicit_ = 0;  // books of implicit limits
  std::vector<RecordWrite> writes_;
};

}  // namespace brigade::node
