#include "bucket/lending.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using namespace brigade::bucket;
using namespace brigade::base;

namespace {

LendInput lender_of(std::int64_t level) {
  return {Tokens::whole(level), Tokens::whole(100), Tokens{}, Tokens{}, 500, 0};
}

Candidate candidate(std::uint64_t id, std::int64_t free) {
  Candidate c;
  c.id = NodeId(id);
  c.free = Tokens::whole(free);
  c.rtt = milliseconds(1);
  return c;
}

// How often each candidate is chosen in 1000 draws; the last entry counts "none".
std::vector<int> draws(const std::vector<Candidate>& candidates, Tokens want) {
  Prng prng(11);
  std::vector<int> chosen(candidates.size() + 1, 0);
  for (int i = 0; i < 1000; ++i) {
    ++chosen[choose(candidates, want, prng).value_or(candidates.size())];
  }
  return chosen;
}

}  // namespace

TEST_SUITE("bucket/lending") {
  TEST_CASE("a lender keeps the largest of its need, its reserve and the class reserve") {
    LendInput lender = lender_of(80);
    lender.max_share = 1000;
    CHECK(lendable(lender, {Tokens::whole(90), {}}) == Tokens::whole(80));
    lender.near_term_need = Tokens::whole(30);
    CHECK(lendable(lender, {Tokens::whole(90), {}}) == Tokens::whole(50));
    lender.reserve = Tokens::whole(40);
    CHECK(lendable(lender, {Tokens::whole(90), {}}) == Tokens::whole(40));
    lender.class_reserve = 600;
    CHECK(lendable(lender, {Tokens::whole(90), {}}) == Tokens::whole(20));
    lender.level = Tokens::whole(59);
    CHECK(lendable(lender, {Tokens::whole(90), {}}) == Tokens{});
  }

  TEST_CASE(
      "a lender gives at most its share, at most what is wanted, and nothing below the least") {
    CHECK(lendable(lender_of(80), {Tokens::whole(90), {}}) == Tokens::whole(40));
    CHECK(lendable(lender_of(80), {Tokens::whole(7), {}}) == Tokens::whole(7));
    CHECK(lendable(lender_of(80), {Tokens::whole(90), Tokens::whole(41)}) == Tokens{});
    CHECK(lendable(lender_of(0), {Tokens::whole(90), {}}) == Tokens{});
  }

  TEST_CASE("what is lent never exceeds the level, for any input") {
    Prng prng(1);
    for (int i = 0; i < 20'000; ++i) {
      const auto amount = [&] { return Tokens::micro(prng.between(0, 1000)); };
      const LendInput lender{amount(),
                             amount(),
                             amount(),
                             amount(),
                             static_cast<Permille>(prng.between(0, 1000)),
                             static_cast<Permille>(prng.between(0, 1000))};
      const LendRequest request{amount(), amount()};
      const Tokens lent = lendable(lender, request);
      REQUIRE(lent >= Tokens{});
      REQUIRE(lent <= request.want);
      REQUIRE((lent == Tokens{} || lender.level - lent >= lender.near_term_need));
      REQUIRE((lent == Tokens{} || lender.level - lent >= lender.reserve));
    }
  }

  TEST_CASE("prefetching starts when the level does not last for two round trips") {
    BorrowInput borrower;
    borrower.demand = Rate::per_second(1000);
    borrower.rtt_p99 = milliseconds(4);
    borrower.level = Tokens::whole(10);
    CHECK_FALSE(should_prefetch(borrower));
    borrower.level = Tokens::micro(9'999'999);
    CHECK(should_prefetch(borrower));
    borrower.demand = Rate{};
    CHECK_FALSE(should_prefetch(borrower));
  }

  TEST_CASE("a borrower asks for its shortfall, and leaves room for its own refill") {
    BorrowInput borrower;
    borrower.demand = Rate::per_second(1000);
    borrower.rate = Rate::per_second(200);
    borrower.rtt_p99 = milliseconds(10);
    borrower.room = Tokens::whole(1000);
    CHECK(borrow_want(borrower) == Tokens::micro(35'200'000));  // 800/s x 44 ms
    borrower.rate = Rate::per_second(999);
    CHECK(borrow_want(borrower) == Tokens::whole(10));  // 10 ms of demand
    borrower.room = Tokens::whole(21);
    CHECK(borrow_want(borrower) == Tokens::micro(1'020'000));  // less 20 ms of refill
    borrower.waiting = Tokens::whole(15);
    CHECK(borrow_want(borrower) == Tokens::whole(15));
    borrower.room = Tokens{};
    CHECK(borrow_want(borrower) == Tokens{});
  }

  TEST_CASE("a borrower never asks for more than its room, for any input") {
    Prng prng(2);
    for (int i = 0; i < 20'000; ++i) {
      BorrowInput borrower;
      borrower.level = Tokens::micro(prng.between(0, 1'000'000));
      borrower.room = Tokens::micro(prng.between(0, 1'000'000));
      borrower.waiting = Tokens::micro(prng.between(0, 1'000'000));
      borrower.demand = Rate::nano_per_second(prng.between(0, 1'000'000'000'000));
      borrower.rate = Rate::nano_per_second(prng.between(0, 1'000'000'000'000));
      borrower.rtt_p99 = prng.between(Duration(0), milliseconds(50));
      const Tokens want = borrow_want(borrower);
      REQUIRE(want >= Tokens{});
      REQUIRE(want <= borrower.room);
      // Parked requests that fit are always asked for.
      const Tokens parked = borrower.waiting - borrower.level;
      REQUIRE((parked > borrower.room || want >= parked));
    }
  }

  TEST_CASE("nobody is asked who has nothing, is silent, or whose breaker is open") {
    std::vector<Candidate> all{candidate(1, 0), candidate(2, 10), candidate(3, 10)};
    all[1].breaker_closed = false;
    all[2].age = kDigestAgeMax;
    CHECK(draws(all, Tokens::whole(5)).back() == 1000);
    CHECK(draws({}, Tokens::whole(5)).back() == 1000);
    all.push_back(candidate(4, 1));
    CHECK(draws(all, Tokens::whole(5))[3] == 1000);
  }

  TEST_CASE("equal lenders are asked equally, and rich ones more often") {
    const std::vector<int> equal = draws({candidate(1, 10), candidate(2, 10)}, Tokens::whole(5));
    CHECK(equal[0] > 400);
    CHECK(equal[1] > 400);
    const std::vector<int> rich = draws({candidate(1, 10), candidate(2, 40)}, Tokens::whole(5));
    CHECK(rich[1] > 700);
    CHECK(rich[0] > 100);
  }

  TEST_CASE("near lenders with enough come before far ones, and those before empty ones") {
    std::vector<Candidate> all{candidate(1, 10), candidate(2, 10), candidate(3, 1)};
    all[1].same_region = false;
    all[1].same_zone = false;
    all[1].rtt = milliseconds(80);
    CHECK(draws(all, Tokens::whole(10))[0] == 1000);
    CHECK(score(all[1], Tokens::whole(10)) > score(all[2], Tokens::whole(10)));
    all[0].same_zone = false;
    CHECK(score(all[0], Tokens::whole(10)) < score(candidate(1, 10), Tokens::whole(10)));
  }

  TEST_CASE("who owes credit is asked before others") {
    std::vector<Candidate> all{candidate(1, 10), candidate(2, 10)};
    all[0].credit = 1000;
    all[1].credit = -1000;
    const std::vector<int> chosen = draws(all, Tokens::whole(10));
    CHECK(chosen[0] > 3 * chosen[1]);
  }

  TEST_CASE("extreme digests overflow nothing") {
    Candidate c = candidate(1, 0);
    c.free = Tokens::micro(Tokens::kMaxMicro);
    c.rtt = Duration::max();
    c.credit = INT32_MAX;
    std::vector<Candidate> all(1000, c);
    CHECK(draws(all, Tokens::micro(1)).back() == 0);
    CHECK(draws(all, Tokens::micro(Tokens::kMaxMicro)).back() == 0);
    CHECK(draws(all, Tokens{}).back() == 0);
  }

  TEST_CASE("back-off doubles from 2 to 64 ms with jitter, and ends when enough comes") {
    Prng prng(3);
    Backoff backoff;
    const TimePoint now = TimePoint{} + seconds(1);
    CHECK(backoff.may_ask(now));
    for (const std::int64_t expected : {2, 4, 8, 16, 32, 64, 64, 64}) {
      backoff.little_came(now, prng);
      const Duration delay = backoff.next() - now;
      CHECK(delay >= milliseconds(expected) * 3 / 4);
      CHECK(delay <= milliseconds(expected) * 5 / 4);
      CHECK_FALSE(backoff.may_ask(now));
      CHECK(backoff.may_ask(backoff.next()));
    }
    backoff.enough_came();
    CHECK(backoff.may_ask(now));
    CHECK(Backoff::is_little(Tokens{}, Tokens{}));
    CHECK(Backoff::is_little(Tokens::whole(24), Tokens::whole(100)));
    CHECK_FALSE(Backoff::is_little(Tokens::whole(25), Tokens::whole(100)));
  }
}
