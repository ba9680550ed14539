#include "bucket/key_table.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "base/wide.h"

using namespace brigade::bucket;
using brigade::base::milliseconds;
using brigade::base::Prng;
using brigade::base::seconds;
using brigade::base::Wide;
using Verdict = KeyTable::Verdict;

namespace {

constexpr TimePoint kStart{};

KeyHash key(std::uint64_t n) {
  return KeyHash{n * 0x9e3779b97f4a7c15U, n * 0xbf58476d1ce4e5b9U};
}

KeyTable table_of(Rate rate, std::int64_t size, bool full = true) {
  const Tokens ghost = full ? Tokens::whole(size) : Tokens{};
  return KeyTable(KeyPolicy{rate, Tokens::whole(size)}, 1'000'000, ghost, kStart);
}

bool take(KeyTable& table, std::uint64_t n, std::int64_t cost, TimePoint now) {
  return table.take(key(n), Tokens::whole(cost), Tokens{}, now).verdict == Verdict::kTaken;
}

// One bucket in exact arithmetic: units of 1e-12 micro-tokens, minted at every step.
struct ExactBucket {
  Wide level = 0;
  TimePoint until = kStart;

  static Wide units(Tokens tokens) { return static_cast<Wide>(tokens.micro()) * 1'000'000'000'000; }
  void mint(const KeyPolicy& policy, TimePoint now) {
    level += static_cast<Wide>(policy.rate.nano_per_second()) * (now - until).count();
    level = std::min(level, units(policy.size));
    until = now;
  }
};

// Exact buckets for keys 0..kKeys-1 (created as full or empty as the ghost) and the ghost.
class ExactTable {
 public:
  static constexpr std::uint64_t kKeys = 20;

  ExactTable(KeyPolicy policy, bool full) : policy_(policy), buckets_(kKeys + 1) {
    for (ExactBucket& bucket : buckets_) {
      bucket.level = full ? ExactBucket::units(policy.size) : 0;
    }
  }
  ExactBucket& at(std::uint64_t n, TimePoint now) {
    buckets_[n].mint(policy_, now);
    return buckets_[n];
  }
  void reconfigure(KeyPolicy policy, TimePoint now) {
    for (std::uint64_t n = 0; n <= kKeys; ++n) {
      at(n, now);
    }
    policy_ = policy;
    for (std::uint64_t n = 0; n <= kKeys; ++n) {
      at(n, now);
    }
  }
  const KeyPolicy& policy() const { return policy_; }

 private:
  KeyPolicy policy_;
  std::vector<ExactBucket> buckets_;
};

KeyPolicy random_policy(Prng& prng) {
  // From one token in three years to a million per second.
  const auto rate = static_cast<std::int64_t>(prng.next() >> (10 + prng.below(48)));
  return {Rate::nano_per_second(std::min<std::int64_t>(rate, 1'000'000'000'000'000)),
          Tokens::micro(prng.between(0, 50'000'000))};
}

// The table that goes on where this one ends, told at most `most` keys.
KeyTable heir(const KeyTable& table, std::size_t most, TimePoint now) {
  const KeyListing listing = table.listing(most, now);
  REQUIRE(listing.keys.size() <= most);
  KeyTable next(table.policy(), 1000, listing.ghost, now);
  for (const KeyListing::Key& one : listing.keys) {
    next.place(one.key, one.level, now);
  }
  return next;
}

// The table never has more than the exact model, and falls short of it only by `slack` per take
// or drop. `may_lag`: also allow lagging where the table may lose (drops, clamped refunds).
void run_against_exact_model(std::uint64_t seed, bool may_lag) {
  Prng prng(seed);
  const bool full = prng.chance(1, 2);
  ExactTable model(random_policy(prng), full);
  KeyTable table(model.policy(), 1000, full ? model.policy().size : Tokens{}, kStart);
  TimePoint now = kStart;
  std::int64_t operations = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto unit = static_cast<std::int64_t>(prng.next() >> (30 + prng.below(34)));
    now += Duration(unit);
    const std::uint64_t n = prng.below(ExactTable::kKeys);
    ExactBucket& exact = model.at(n, now);
    const Tokens level = table.level(key(n), now);
    REQUIRE(ExactBucket::units(level) <= exact.level);
    if (!may_lag) {
      REQUIRE(ExactBucket::units(level + Tokens::micro(operations + 2)) > exact.level);
    }
    ++operations;
    const Tokens amount = Tokens::micro(prng.between(0, 20'000'000));
    switch (prng.below(may_lag ? 13U : 6U)) {
      case 6:
        table.put(key(n), amount, now);
        exact.level += ExactBucket::units(amount);
        model.at(n, now);
        break;
      case 7:
        table.sweep(prng.below(10), now);
        break;
      case 8: {
        const KeyPolicy policy = random_policy(prng);
        table.reconfigure(policy, now);
        model.reconfigure(policy, now);
        break;
      }
      case 10:
        table.cut(key(n), amount, now);
        exact.level = std::min(exact.level, ExactBucket::units(amount));
        REQUIRE(table.level(key(n), now) <= amount);
        break;
      case 9:
        if (prng.chance(1, 20)) {
          table = heir(table, prng.below(30), now);
        }
        break;
      default:
        if (table.take(key(n), amount, Tokens{}, now).verdict == Verdict::kTaken) {
          exact.level -= ExactBucket::units(amount);
          REQUIRE(exact.level >= 0);
        }
    }
  }
  table.check_invariants();
}

}  // namespace

TEST_SUITE("bucket/key_table") {
  TEST_CASE("keys are independent and minted at the limit's rate") {
    KeyTable table = table_of(Rate::per_second(2), 3);
    CHECK(take(table, 1, 3, kStart));
    CHECK_FALSE(take(table, 1, 1, kStart));
    CHECK(take(table, 2, 3, kStart));
    CHECK_FALSE(take(table, 1, 1, kStart + milliseconds(499)));
    CHECK(take(table, 1, 1, kStart + milliseconds(500)));
    CHECK(table.count() == 2);
  }

  TEST_CASE("never more than an exact bucket, and less only by roundings") {
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
      CAPTURE(seed);
      run_against_exact_model(seed, false);
    }
  }

  TEST_CASE("refunds, sweeps, new policies and new terms never add a token") {
    for (std::uint64_t seed = 1000; seed < 1150; ++seed) {
      CAPTURE(seed);
      run_against_exact_model(seed, true);
    }
  }

  TEST_CASE("touching a key often at a low rate loses nothing") {
    // One token per hour, touched every 10 ms: 2.8 micro-tokens per touch.
    KeyTable table = table_of(Rate::of(Tokens::whole(1), seconds(3600)), 5, false);
    TimePoint now = kStart;
    std::int64_t taken = 0;
    for (int i = 0; i < 360'000 * 2; ++i) {
      now += milliseconds(10);
      taken += take(table, 7, 1, now) ? 1 : 0;
    }
    CHECK(taken == 1);  // the second token lacks the nano-tokens that the rate rounded away
    CHECK(table.level(key(7), now) == Tokens::micro(999'994));
  }

  TEST_CASE("saturating load gets at least 99.9 percent of rate times time, and never more") {
    Prng prng(5);
    const Rate rate = Rate::nano_per_second(333'333'333'333);
    KeyTable table = table_of(rate, 10);
    TimePoint now = kStart;
    Tokens taken;
    for (int i = 0; i < 100'000; ++i) {
      now += prng.between(Duration(1), milliseconds(2));
      const Tokens cost = Tokens::micro(prng.between(1, 2'000'000));
      if (table.take(key(1), cost, Tokens{}, now).verdict == Verdict::kTaken) {
        taken += cost;
      }
      REQUIRE(taken <= Tokens::whole(10) + rate.over(now - kStart));
    }
    CHECK(taken >= (rate.over(now - kStart)).scaled(999, 1000));
  }

  TEST_CASE("a full bucket can be emptied at any moment") {
    Prng prng(6);
    KeyTable table = table_of(Rate::nano_per_second(1'234'567'891), 5);
    TimePoint now = kStart;
    for (int i = 0; i < 1000; ++i) {
      REQUIRE(take(table, 1, 5, now));
      REQUIRE(table.level(key(1), now) == Tokens{});
      now += seconds(5) + prng.between(Duration(0), seconds(1));
    }
  }

  TEST_CASE("after the promised wait the take succeeds, and not a millisecond earlier") {
    Prng prng(8);
    for (int i = 0; i < 2000; ++i) {
      const Rate rate = Rate::nano_per_second(prng.between(1'000, 1'000'000'000'000));
      KeyTable table = table_of(rate, 10);
      TimePoint now = kStart + prng.between(Duration(0), seconds(3));
      table.take(key(1), Tokens::micro(prng.between(0, 10'000'000)), Tokens{}, now);
      const Tokens cost = Tokens::micro(prng.between(1, 6'000'000));
      const Tokens floor = Tokens::whole(prng.between(0, 4));
      const auto outcome = table.peek(key(1), cost, floor, now);
      REQUIRE((outcome.verdict == Verdict::kTaken) == (outcome.wait == Duration::zero()));
      if (outcome.wait > milliseconds(1)) {
        const TimePoint early = now + outcome.wait - milliseconds(1);
        if (rate.over(milliseconds(1)) > Tokens{}) {
          REQUIRE(table.peek(key(1), cost, floor, early).verdict == Verdict::kShort);
        }
      }
      REQUIRE(table.take(key(1), cost, floor, now + outcome.wait).verdict == Verdict::kTaken);
    }
    CHECK(table_of(Rate::per_second(1), 5).peek(key(1), Tokens::whole(6), {}, kStart).wait ==
          Duration::max());
  }

  TEST_CASE("an absent key has what the ghost has") {
    KeyTable table = table_of(Rate::per_second(1), 10, false);
    CHECK_FALSE(take(table, 1, 1, kStart));
    CHECK(table.count() == 0);
    CHECK(table.level(key(1), kStart + seconds(4)) == Tokens::whole(4));
    CHECK(take(table, 1, 4, kStart + seconds(4)));
    CHECK_FALSE(take(table, 1, 1, kStart + seconds(4)));
    CHECK(table.ghost_level(kStart + seconds(40)) == Tokens::whole(10));
  }

  TEST_CASE("a table goes on where another one ended, key by key") {
    KeyTable table = table_of(Rate::per_second(1), 10, false);
    const TimePoint later = kStart + seconds(8);
    CHECK(take(table, 1, 3, later));
    CHECK(take(table, 2, 8, later));
    KeyTable next = heir(table, 10, later);
    CHECK(next.level(key(1), later) == Tokens::whole(5));
    CHECK(next.level(key(2), later) == Tokens{});
    CHECK(next.level(key(3), later) == Tokens::whole(8));
    CHECK(next.level(key(3), later + seconds(1)) == Tokens::whole(9));
  }

  TEST_CASE("a table told too few keys has a ghost low enough for the others") {
    KeyTable table = table_of(Rate::per_second(1), 10);
    for (std::uint64_t n = 1; n <= 9; ++n) {
      CHECK(take(table, n, static_cast<std::int64_t>(n), kStart));
    }
    KeyTable next = heir(table, 4, kStart);
    CHECK(next.count() == 4);
    CHECK(next.level(key(9), kStart) == Tokens::whole(1));
    CHECK(next.level(key(6), kStart) == Tokens::whole(4));
    CHECK(next.level(key(5), kStart) == Tokens::whole(5));
    CHECK(next.level(key(1), kStart) == Tokens::whole(5));
    CHECK(next.level(key(77), kStart) == Tokens::whole(5));
  }

  TEST_CASE("where there is no room for a key that is placed, the ghost falls to its level") {
    KeyTable table(KeyPolicy{Rate::per_second(1), Tokens::whole(10)}, 1, Tokens::whole(10), kStart);
    table.place(key(1), Tokens::whole(2), kStart);
    table.place(key(2), Tokens::whole(3), kStart);
    CHECK(table.count() == 1);
    CHECK(table.level(key(2), kStart) == Tokens::whole(3));
    CHECK(table.ghost_level(kStart) == Tokens::whole(3));
  }

  TEST_CASE("a cut lowers one key to the ceiling and never raises it") {
    KeyTable table = table_of(Rate::per_second(2), 10);
    table.cut(key(1), Tokens::whole(4), kStart);
    CHECK(table.count() == 1);
    CHECK(table.level(key(1), kStart) == Tokens::whole(4));
    CHECK(table.level(key(2), kStart) == Tokens::whole(10));
    table.cut(key(1), Tokens::whole(6), kStart);
    CHECK(table.level(key(1), kStart) == Tokens::whole(4));
    CHECK(table.level(key(1), kStart + seconds(1)) == Tokens::whole(6));  // minted on top
    table.cut(key(1), Tokens::whole(3), kStart + seconds(1));
    CHECK(table.level(key(1), kStart + seconds(1)) == Tokens::whole(3));
    table.cut(key(1), Tokens::whole(-2), kStart + seconds(1));
    CHECK(table.level(key(1), kStart + seconds(1)) == Tokens{});
  }

  TEST_CASE("a cut above the level leaves no trace of an absent key") {
    KeyTable table = table_of(Rate::per_second(2), 10, false);
    table.cut(key(1), Tokens::whole(4), kStart + seconds(2));
    CHECK(table.count() == 0);
    CHECK(table.level(key(1), kStart + seconds(2)) == Tokens::whole(4));
  }

  TEST_CASE("where there is no room for a key that is cut, the ghost falls with it") {
    KeyTable table(KeyPolicy{Rate::per_second(1), Tokens::whole(10)}, 1, Tokens::whole(10), kStart);
    table.cut(key(1), Tokens::whole(2), kStart);
    table.cut(key(2), Tokens::whole(3), kStart);
    CHECK(table.count() == 1);
    CHECK(table.level(key(2), kStart) == Tokens::whole(3));
    CHECK(table.ghost_level(kStart) == Tokens::whole(3));
  }

  TEST_CASE("a cut between two micro-tokens keeps no fraction on top") {
    // One micro-token in 1000 ns.
    KeyTable table = table_of(Rate::per_second(1), 10);
    const TimePoint between = kStart + Duration(500);
    table.cut(key(1), Tokens::whole(4), between);
    CHECK(table.level(key(1), between) <= Tokens::whole(4));
    CHECK(table.level(key(1), between + Duration(999)) <= Tokens::whole(4));
    CHECK(table.level(key(1), between + Duration(1500)) == Tokens::whole(4) + Tokens::micro(1));
  }

  TEST_CASE("only keys that have what the ghost has are dropped") {
    KeyTable table = table_of(Rate::per_second(1), 10);
    for (std::uint64_t n = 1; n <= 100; ++n) {
      CHECK(take(table, n, n <= 50 ? 1 : 5, kStart));
    }
    CHECK(table.sweep(1000, kStart + milliseconds(999)) == 0);
    CHECK(table.sweep(1000, kStart + seconds(1)) == 50);
    CHECK(table.count() == 50);
    std::size_t dropped = 0;
    for (int i = 0; i < 60; ++i) {
      dropped += table.sweep(1, kStart + seconds(5));
    }
    CHECK(dropped == 50);
    table.check_invariants();
  }

  TEST_CASE("at max_keys new keys are refused until old ones can be dropped") {
    KeyTable table(KeyPolicy{Rate::per_second(1), Tokens::whole(10)}, 3, Tokens::whole(10), kStart);
    for (std::uint64_t n = 1; n <= 3; ++n) {
      CHECK(take(table, n, 2, kStart));
    }
    CHECK(table.take(key(4), Tokens::whole(1), {}, kStart).verdict == Verdict::kTooManyKeys);
    CHECK(take(table, 3, 1, kStart));
    CHECK(take(table, 4, 1, kStart + seconds(2)));
    CHECK(table.count() == 2);
  }

  TEST_CASE("where less is allowed, keys stay until they can be dropped and no new ones come") {
    KeyTable table = table_of(Rate::per_second(1), 10);
    for (std::uint64_t n = 1; n <= 3; ++n) {
      CHECK(take(table, n, 2, kStart));
    }
    table.allow(1);
    CHECK(table.count() == 3);
    CHECK(take(table, 1, 1, kStart));
    CHECK(table.take(key(4), Tokens::whole(1), {}, kStart).verdict == Verdict::kTooManyKeys);
    CHECK(take(table, 4, 1, kStart + seconds(3)));
  }

  TEST_CASE("a raised limit adds room but no tokens") {
    KeyTable table = table_of(Rate::per_second(1), 10);
    CHECK(take(table, 1, 4, kStart));
    table.reconfigure({Rate::per_second(2), Tokens::whole(100)}, kStart + seconds(3));
    CHECK(table.level(key(1), kStart + seconds(3)) == Tokens::whole(9));
    CHECK(table.level(key(2), kStart + seconds(3)) == Tokens::whole(10));
    CHECK(table.level(key(1), kStart + seconds(4)) == Tokens::whole(11));
    CHECK(table.level(key(1), kStart + seconds(400)) == Tokens::whole(100));
  }

  TEST_CASE("a lowered limit cuts levels, and raising it again does not bring them back") {
    KeyTable table = table_of(Rate::per_second(1), 100);
    CHECK(take(table, 1, 1, kStart));
    table.reconfigure({Rate::per_second(1), Tokens::whole(5)}, kStart);
    CHECK(table.level(key(1), kStart) == Tokens::whole(5));
    table.reconfigure({Rate::per_second(1), Tokens::whole(100)}, kStart);
    CHECK(table.level(key(1), kStart) == Tokens::whole(5));
    CHECK(table.level(key(2), kStart) == Tokens::whole(5));
  }

  TEST_CASE("the floor of a class stays out of its reach") {
    KeyTable table = table_of(Rate::per_second(1), 10);
    const Tokens floor = Tokens::whole(4);
    CHECK(table.take(key(1), Tokens::whole(6), floor, kStart).verdict == Verdict::kTaken);
    CHECK(table.take(key(1), Tokens::whole(1), floor, kStart).verdict == Verdict::kShort);
    CHECK(table.take(key(1), Tokens::whole(4), Tokens{}, kStart).verdict == Verdict::kTaken);
  }

  TEST_CASE("years at the largest rate neither overflow nor add a token") {
    const Rate rate = Rate::nano_per_second(Rate::kMaxNano);
    const Tokens size = Tokens::micro(Tokens::kMaxMicro);
    KeyTable table(KeyPolicy{rate, size}, 10, size, kStart);
    TimePoint now = kStart;
    for (int i = 0; i < 2000; ++i) {
      REQUIRE(table.take(key(1), size, {}, now).verdict == Verdict::kTaken);
      REQUIRE(table.take(key(1), size, {}, now).verdict == Verdict::kShort);
      REQUIRE(table.level(key(1), now + seconds(1)) == rate.over(seconds(1)));
      now += i % 10 == 9 ? seconds(3'000'000) : seconds(300);
    }
    CHECK(table.ghost_level(now) == size);
  }

  TEST_CASE("an idle key costs less than 40 bytes") {
    KeyTable table = table_of(Rate::per_second(1), 10);
    Prng prng(9);
    for (int i = 0; i < 200'000; ++i) {
      table.take(KeyHash{prng.next(), prng.next()}, Tokens::whole(1), {}, kStart);
    }
    CHECK(table.count() == 200'000);
    CHECK(table.memory() < 200'000U * 40);
  }
}
