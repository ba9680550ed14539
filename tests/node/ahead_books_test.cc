// Slow keys in the token store: what commands take from them, and what a new leader finds.
#include "node/ahead_books.h"

#include <string>

#include <doctest/doctest.h>

#include "node/token_store.h"

namespace brigade::node {
namespace {

constexpr KeyHash kAlice{.high = 1, .low = 2};
constexpr KeyHash kBob{.high = 3, .low = 4};
// 1 token a second, 100 tokens: 100 s to fill up.
constexpr AheadTerms kTerms{.rate = Rate::per_second(1), .size = Tokens::whole(100)};
const std::string kThrottle = "cl.throttle/99/1/1";

bucket::LimitSpec spec(const char* name, std::int64_t rate, std::int64_t burst) {
  bucket::LimitSpec limit;
  limit.name = name;
  limit.per_key = true;
  limit.rate = Rate::per_second(rate);
  limit.burst = Tokens::whole(burst);
  return limit;
}

const bucket::LimitSpec kSlow = spec("slow", 1, 100);

class Shard {
 public:
  explicit Shard(Plant plant = Plant::kNone) : store_(ShardId(0), 1, plant) {}

  void declare(const bucket::LimitSpec& limit, std::int64_t second) {
    REQUIRE(store_.apply(++index_, Configure{.stamp = base::seconds(second), .limits = {limit}})
                .applied == Applied::kDone);
    store_.check_invariants();
  }
  void forget(const char* limit, std::int64_t second) {
    store_.apply(++index_, Configure{.stamp = base::seconds(second), .dropped = {limit}});
    store_.check_invariants();
  }
  bool spend(const LedgerId& id, std::int64_t amount, std::int64_t second,
             AheadTerms implicit = {}) {
    const SpendAhead command{
        .stamp = base::seconds(second),
        .spends = {{.ledger = id, .implicit = implicit, .amount = Tokens::whole(amount)}}};
    const Outcome outcome = store_.apply(++index_, command);
    store_.check_invariants();
    return outcome.changes.front() == Applied::kDone;
  }
  // Whole tokens; -1: not logged ahead.
  [[nodiscard]] std::int64_t level(const LedgerId& id, std::int64_t second,
                                   AheadTerms implicit = {}) const {
    const auto view = store_.ahead(id.limit, id.key, implicit, base::seconds(second));
    return view ? view->level.floor() : -1;
  }
  void stamp(std::int64_t second) {
    store_.apply(++index_, SpendAhead{.stamp = base::seconds(second), .spends = {}});
    store_.check_invariants();
  }
  TokenStore& store() { return store_; }

 private:
  TokenStore store_;
  std::uint64_t index_ = 0;
};

// With a limit that takes 100 s to fill up.
class SlowShard : public Shard {
 public:
  SlowShard() { declare(kSlow, 0); }
};

const LedgerId kSlowAlice{.limit = "slow", .key = kAlice};
const LedgerId kSlowBob{.limit = "slow", .key = kBob};

TEST_SUITE("node/ahead_books") {
  TEST_CASE("slow is what takes more than ten seconds to fill up") {
    CHECK_FALSE(logs_ahead(spec("a", 10, 100)));
    CHECK(logs_ahead(spec("a", 10, 101)));
    bucket::LimitSpec largest = spec("a", 1, 1);
    largest.burst = Tokens::micro(Tokens::kMaxMicro);
    CHECK(logs_ahead(largest));
    bucket::LimitSpec shared = spec("a", 1, 100);
    shared.per_key = false;
    CHECK_FALSE(logs_ahead(shared));
    bucket::LimitSpec strict = spec("a", 1, 100);
    strict.mode = bucket::Mode::kStrict;
    CHECK_FALSE(logs_ahead(strict));
  }

  TEST_CASE("a key that was never spent from is full, and refills with shard time") {
    SlowShard shard;
    CHECK(shard.level(kSlowAlice, 0) == 100);
    CHECK(shard.spend(kSlowAlice, 70, 10));
    CHECK(shard.level(kSlowAlice, 10) == 30);
    CHECK(shard.level(kSlowAlice, 15) == 35);
    CHECK(shard.level(kSlowBob, 15) == 100);
    CHECK_FALSE(shard.spend(kSlowAlice, 37, 15));
    CHECK(shard.spend(kSlowAlice, 35, 15));
    CHECK(shard.level(kSlowAlice, 15) == 0);
    CHECK(shard.level(kSlowAlice, 1000) == 100);
  }

  TEST_CASE("a chunk may take what a second will mint") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 101, 0));
    CHECK(shard.level(kSlowAlice, 0) == -1);
    CHECK(shard.level(kSlowAlice, 1) == 0);
    CHECK_FALSE(shard.spend(kSlowAlice, 1, 0));
    Shard other;
    REQUIRE(other.store().restore(shard.store().records()));
    CHECK(other.level(kSlowAlice, 11) == 10);
  }

  TEST_CASE("time that goes backwards mints nothing") {
    Shard shard;
    shard.declare(kSlow, 50);
    CHECK(shard.spend(kSlowAlice, 100, 50));
    CHECK(shard.level(kSlowAlice, 20) == 0);
    CHECK_FALSE(shard.spend(kSlowAlice, 2, 20));
  }

  TEST_CASE("a key that is full again is dropped, and its record with it") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 10, 0));
    CHECK(shard.spend(kSlowBob, 20, 0));
    (void)shard.store().take_writes();
    shard.stamp(9);
    CHECK(shard.store().ahead_books().keys() == 2);
    shard.stamp(10);
    CHECK(shard.store().ahead_books().keys() == 1);
    CHECK(shard.store().ahead_books().find("slow")->keys.contains(kBob));
    std::size_t dropped = 0;
    for (const RecordWrite& write : shard.store().take_writes()) {
      dropped += write.dropped ? 1 : 0;
    }
    CHECK(dropped == 1);
    shard.stamp(20);
    CHECK(shard.store().ahead_books().keys() == 0);
    CHECK(shard.level(kSlowAlice, 20) == 100);
  }

  TEST_CASE("one command looks at a bounded number of keys, the rest follows, in a copy alike") {
    SlowShard shard;
    SpendAhead many{.stamp = {}, .spends = {}};
    for (std::uint64_t i = 1; i <= 2 * AheadBooks::kLookedAt + 10; ++i) {
      // Every third has more to mint.
      many.spends.push_back({.ledger = {.limit = "slow", .key = {.high = i << 50U, .low = i}},
                             .implicit = {},
                             .amount = Tokens::whole(i % 3 == 0 ? 50 : 1)});
    }
    shard.store().apply(2, many);
    CHECK(shard.spend({.limit = kThrottle, .key = kBob}, 1, 0, kTerms));
    const std::size_t all = shard.store().ahead_books().keys();
    shard.stamp(5);
    const std::size_t before = shard.store().ahead_books().keys();
    CHECK(before < all);
    CHECK(before >= all - AheadBooks::kLookedAt);
    Shard other;
    REQUIRE(other.store().restore(shard.store().records()));
    for (int i = 0; i < 3; ++i) {
      shard.stamp(5);
      other.stamp(5);
      CHECK(other.store().records() == shard.store().records());
    }
    CHECK(shard.store().ahead_books().keys() == (2 * AheadBooks::kLookedAt + 10) / 3);
    CHECK(shard.store().ahead_books().find(kThrottle) == nullptr);
    CHECK(shard.store().ahead_books().find("slow") != nullptr);
    shard.store().check_invariants();
  }

  TEST_CASE("many books have their turn one after the other") {
    Shard shard;
    const std::size_t all = 2 * AheadBooks::kBooksLookedAt;
    for (std::size_t i = 0; i < all; ++i) {
      CHECK(shard.spend({.limit = kThrottle + std::to_string(i), .key = kBob}, 1, 0, kTerms));
    }
    shard.stamp(5);
    CHECK(shard.store().ahead_books().keys() >= all - AheadBooks::kBooksLookedAt);
    shard.stamp(5);
    shard.stamp(5);
    CHECK(shard.store().ahead_books().keys() == 0);
  }

  TEST_CASE("a credit keeps what it is told in eight bytes") {
    AheadCredit credit;
    static_assert(sizeof(AheadCredit) == 8);
    credit.set_left(Tokens::micro(-5));
    credit.count_chunk();
    credit.set_wanted(true);
    CHECK(credit.left() == Tokens::micro(-5));
    CHECK(credit.chunks() == 1);
    CHECK(credit.wanted());
    credit.set_left(Tokens::micro(Tokens::kMaxMicro));
    for (int i = 0; i < 5; ++i) {
      credit.count_chunk();
    }
    credit.set_wanted(false);
    CHECK(credit.left() == Tokens::micro(Tokens::kMaxMicro - 1));
    CHECK(credit.chunks() == AheadCredit::kChunksMax);
    CHECK_FALSE(credit.wanted());
  }

  TEST_CASE("records bring everything back") {
    SlowShard shard;
    const LedgerId throttled{.limit = kThrottle, .key = kBob};
    CHECK(shard.spend(kSlowAlice, 70, 10));
    CHECK(shard.spend(throttled, 5, 12, kTerms));
    Shard other;
    REQUIRE(other.store().restore(shard.store().records()));
    CHECK(other.store().records() == shard.store().records());
    CHECK(other.level(kSlowAlice, 15) == 35);
    CHECK(other.level(throttled, 12, kTerms) == 95);
    // Both drop the same at the same time.
    shard.stamp(50);
    other.stamp(50);
    CHECK(other.store().records() == shard.store().records());
  }

  TEST_CASE("a key whose limit has no book is no state") {
    Shard shard;
    const AheadKeyRecord lost{.id = kSlowAlice, .level = {}};
    CHECK_FALSE(shard.store().restore({lost}));
    CHECK(shard.store().ahead_books().keys() == 0);
  }

  TEST_CASE("at max_keys a new key is refused until another is full") {
    Shard shard;
    bucket::LimitSpec one = kSlow;
    one.max_keys = 1;
    shard.declare(one, 0);
    CHECK(shard.spend(kSlowAlice, 10, 0));
    CHECK_FALSE(shard.spend(kSlowBob, 1, 1));
    CHECK(shard.spend(kSlowAlice, 1, 1));
    CHECK_FALSE(shard.store().ahead("slow", kBob, {}, base::seconds(1))->room);
    CHECK(shard.spend(kSlowBob, 1, 30));
  }

  TEST_CASE("what was spent ahead for nothing goes back with a handover") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 50, 0));
    const HandoverCredits credits{.limit = "slow",
                                  .keys = {{.key = kAlice, .level = Tokens::whole(4)},
                                           {.key = kBob, .level = Tokens::whole(9)}}};
    shard.store().apply(10, Handover{.stamp = base::seconds(1), .credits = {credits}});
    CHECK(shard.level(kSlowAlice, 1) == 55);
    CHECK(shard.level(kSlowBob, 1) == 100);
    // Never more than fits, whatever a handover says.
    shard.store().apply(11, Handover{.stamp = base::seconds(95), .credits = {credits}});
    CHECK(shard.level(kSlowAlice, 95) == 100);
    shard.store().check_invariants();
  }
}

TEST_SUITE("node/ahead_books: limits that change") {
  TEST_CASE("deleted and declared again, keys start empty and mint from then on") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 100, 0));
    shard.forget("slow", 10);
    CHECK(shard.level(kSlowAlice, 10) == -1);
    CHECK(shard.store().ahead_books().keys() == 0);
    shard.declare(kSlow, 20);
    CHECK(shard.level(kSlowAlice, 20) == 0);
    CHECK(shard.level(kSlowBob, 25) == 5);
    CHECK(shard.spend(kSlowBob, 5, 25));
    CHECK(shard.level(kSlowBob, 25) == 0);
    // A bucket is dropped no sooner than a fresh key is full as well.
    shard.stamp(119);
    CHECK(shard.store().ahead_books().keys() == 1);
    shard.stamp(125);
    CHECK(shard.store().ahead_books().keys() == 0);
  }

  TEST_CASE("declared again long after it was deleted, keys start full") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 100, 0));
    shard.forget("slow", 10);
    shard.declare(kSlow, 111);
    CHECK(shard.level(kSlowAlice, 111) == 100);
  }

  TEST_CASE(
      "a limit that becomes slow starts its keys empty: nobody logged what was spent before") {
    Shard shard;
    shard.declare(spec("slow", 20, 100), 0);
    CHECK(shard.level(kSlowAlice, 0) == -1);
    CHECK_FALSE(shard.spend(kSlowAlice, 1, 0));
    shard.declare(kSlow, 50);
    CHECK(shard.level(kSlowAlice, 50) == 0);
    CHECK(shard.level(kSlowAlice, 53) == 3);
  }

  TEST_CASE("a limit that stops being slow forgets its levels, and its life begins anew") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 100, 0));
    const Version created = shard.store().limit("slow")->created;
    shard.declare(spec("slow", 20, 100), 1);
    CHECK(shard.level(kSlowAlice, 1) == -1);
    CHECK(shard.store().ahead_books().keys() == 0);
    // So that nobody takes its keys for full: they were just deleted.
    CHECK(shard.store().limit("slow")->created != created);
    CHECK(shard.store().recently_deleted("slow"));
    // And back again: still nothing that was spent in between is known.
    shard.declare(kSlow, 2);
    CHECK(shard.level(kSlowAlice, 2) == 0);
  }

  TEST_CASE("a slower rate counts from the moment it is in force") {
    Shard shard;
    shard.declare(spec("slow", 2, 100), 0);
    CHECK(shard.spend(kSlowAlice, 100, 0));
    shard.declare(kSlow, 10);
    CHECK(shard.level(kSlowAlice, 10) == 20);
    CHECK(shard.level(kSlowAlice, 20) == 30);
    CHECK(shard.level(kSlowBob, 20) == 100);
  }

  TEST_CASE("a higher burst adds room and no token, to no key") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 100, 0));
    shard.declare(spec("slow", 1, 200), 10);
    CHECK(shard.level(kSlowAlice, 10) == 10);
    CHECK(shard.level(kSlowBob, 10) == 100);
    CHECK(shard.level(kSlowBob, 60) == 150);
    CHECK(shard.level(kSlowBob, 500) == 200);
  }

  TEST_CASE("a lower burst cuts, and raising it again brings nothing back") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 10, 0));
    shard.declare(spec("slow", 1, 50), 0);
    CHECK(shard.level(kSlowAlice, 0) == 50);
    shard.declare(kSlow, 0);
    CHECK(shard.level(kSlowAlice, 0) == 50);
    CHECK(shard.level(kSlowBob, 0) == 50);
  }

  TEST_CASE("other settings change nothing about levels") {
    SlowShard shard;
    CHECK(shard.spend(kSlowAlice, 40, 0));
    bucket::LimitSpec shadow = kSlow;
    shadow.shadow = true;
    shard.declare(shadow, 0);
    CHECK(shard.level(kSlowAlice, 0) == 60);
    CHECK(shard.level(kSlowBob, 0) == 100);
  }

  TEST_CASE("a strict limit that becomes slow and shared starts its keys empty") {
    Shard shard;
    bucket::LimitSpec strict = kSlow;
    strict.mode = bucket::Mode::kStrict;
    shard.declare(strict, 0);
    shard.declare(kSlow, 5);
    CHECK(shard.level(kSlowAlice, 5) == 0);
  }
}

TEST_SUITE("node/ahead_books: implicit limits") {
  const LedgerId kThrottled{.limit = kThrottle, .key = kAlice};

  TEST_CASE("an implicit limit needs no configuration: a spend says what its name stands for") {
    Shard shard;
    CHECK(shard.level(kThrottled, 0, kTerms) == 100);
    CHECK(shard.spend(kThrottled, 60, 0, kTerms));
    CHECK(shard.level(kThrottled, 10, kTerms) == 50);
    // Gone with its last key.
    CHECK(shard.store().ahead_books().find(kThrottle) != nullptr);
    shard.stamp(60);
    CHECK(shard.store().ahead_books().find(kThrottle) == nullptr);
    CHECK(shard.level(kThrottled, 60, kTerms) == 100);
  }

  TEST_CASE("a name stands for one thing only, and only for a slow one") {
    Shard shard;
    CHECK(shard.spend(kThrottled, 60, 0, kTerms));
    const AheadTerms more{.rate = kTerms.rate, .size = Tokens::whole(1000)};
    CHECK_FALSE(shard.spend(kThrottled, 60, 0, more));
    CHECK_FALSE(shard.spend(kThrottled, 1, 0));
    const AheadTerms fast{.rate = Rate::per_second(10), .size = Tokens::whole(100)};
    CHECK_FALSE(shard.spend({.limit = "cl.throttle/99/10/1", .key = kAlice}, 1, 0, fast));
    CHECK_FALSE(shard.spend({.limit = "", .key = kAlice}, 1, 0, kTerms));
    CHECK_FALSE(shard.spend({.limit = "no name", .key = kAlice}, 1, 0, kTerms));
  }

  TEST_CASE("a period without end mints nothing and is no mistake") {
    Shard shard;
    const AheadTerms never{.rate = {}, .size = Tokens::whole(5)};
    const LedgerId id{.limit = "cl.throttle/4/1/3000000000", .key = kAlice};
    CHECK(shard.spend(id, 5, 0, never));
    CHECK(shard.level(id, 1'000'000, never) == 0);
  }

  TEST_CASE("a declared limit goes on with the keys of the implicit one whose name it takes") {
    Shard shard;
    CHECK(shard.spend(kThrottled, 60, 0, kTerms));
    shard.declare(spec(kThrottle.c_str(), 1, 100), 10);
    CHECK(shard.level(kThrottled, 10) == 50);
    CHECK(shard.level({.limit = kThrottle, .key = kBob}, 10) == 100);
    // Deleted, it is implicit again and starts empty.
    shard.forget(kThrottle.c_str(), 20);
    CHECK(shard.level(kThrottled, 20, kTerms) == 0);
    CHECK(shard.level(kThrottled, 25, kTerms) == 5);
    CHECK(shard.spend(kThrottled, 5, 25, kTerms));
    CHECK(shard.level(kThrottled, 25, kTerms) == 0);
    CHECK(shard.level({.limit = kThrottle, .key = kBob}, 30, kTerms) == 10);
  }

  TEST_CASE("a declared limit that takes an implicit name starts empty where nothing was logged") {
    Shard shard;
    shard.declare(spec("cl.throttle/99/10/1", 1, 100), 0);
    CHECK(shard.level({.limit = "cl.throttle/99/10/1", .key = kAlice}, 0) == 0);
    // Fast, so that its keys are spent in memory: not taken for full there either.
    CHECK(shard.spend(kThrottled, 60, 0, kTerms));
    shard.declare(spec(kThrottle.c_str(), 50, 100), 1);
    CHECK(shard.store().recently_deleted(kThrottle));
    CHECK(shard.store().ahead_books().find(kThrottle) == nullptr);
  }
}

}  // namespace
}  // namespace brigade::node
