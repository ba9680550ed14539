#include "bucket/token_bucket.h"

#include <doctest/doctest.h>

#include "base/prng.h"

using namespace brigade::bucket;
using brigade::base::milliseconds;
using brigade::base::Prng;
using brigade::base::seconds;

namespace {
constexpr TimePoint kStart{};
}  // namespace

TEST_SUITE("bucket/token_bucket") {
  TEST_CASE("refill never exceeds the size") {
    TokenBucket bucket(Rate::per_second(10), Tokens::whole(5), Tokens{}, kStart);
    bucket.mint(kStart + seconds(100));
    CHECK(bucket.level() == Tokens::whole(5));
  }

  TEST_CASE("minting often yields as much as minting once") {
    TokenBucket often(Rate::per_second(3), Tokens::whole(1000), Tokens{}, kStart);
    TokenBucket once = often;
    TimePoint now = kStart;
    for (int i = 0; i < 100'000; ++i) {
      now += Duration(1'000'003);
      often.mint(now);
    }
    once.mint(now);
    CHECK(once.level() == often.level());
  }

  TEST_CASE("a refused take changes nothing") {
    TokenBucket bucket(Rate::per_second(1), Tokens::whole(5), Tokens::whole(3), kStart);
    CHECK_FALSE(bucket.take(Tokens::whole(4), Tokens{}));
    CHECK_FALSE(bucket.take(Tokens::whole(2), Tokens::whole(2)));
    CHECK(bucket.level() == Tokens::whole(3));
    CHECK(bucket.take(Tokens::whole(3), Tokens{}));
  }

  TEST_CASE("held room is not minted into") {
    TokenBucket bucket(Rate::per_second(10), Tokens::whole(5), Tokens::whole(1), kStart);
    CHECK(bucket.hold(Tokens::whole(9)) == Tokens::whole(4));
    bucket.mint(kStart + seconds(10));
    CHECK(bucket.level() == Tokens::whole(1));
    bucket.release(Tokens::whole(4));
    bucket.put(Tokens::whole(2));
    CHECK(bucket.level() == Tokens::whole(3));
  }

  TEST_CASE("a smaller size cuts the level and says by how much") {
    TokenBucket bucket(Rate::per_second(10), Tokens::whole(5), Tokens::whole(5), kStart);
    CHECK(bucket.resize(Rate::per_second(1), Tokens::whole(2), kStart) == Tokens::whole(3));
    CHECK(bucket.level() == Tokens::whole(2));
  }

  TEST_CASE("after the promised wait the take succeeds") {
    TokenBucket bucket(Rate::per_second(7), Tokens::whole(5), Tokens{}, kStart);
    const Duration wait = bucket.wait_for(Tokens::whole(2), Tokens{});
    bucket.mint(kStart + wait);
    CHECK(bucket.take(Tokens::whole(2), Tokens{}));
    CHECK(bucket.wait_for(Tokens::whole(6), Tokens{}) == Duration::max());
  }

  TEST_CASE("random use never admits more than burst plus rate times time") {
    Prng prng(42);
    const Rate rate = Rate::per_second(1000);
    TokenBucket bucket(rate, Tokens::whole(50), Tokens::whole(50), kStart);
    Tokens admitted;
    TimePoint now = kStart;
    for (int i = 0; i < 20'000; ++i) {
      now += prng.between(Duration(0), milliseconds(3));
      bucket.mint(now);
      const Tokens cost = Tokens::micro(prng.between(0, 4'000'000));
      if (bucket.take(cost, Tokens{})) {
        admitted += cost;
      }
      bucket.check_invariants();
      REQUIRE(admitted <= Tokens::whole(50) + rate.over(now - kStart));
    }
  }
}
