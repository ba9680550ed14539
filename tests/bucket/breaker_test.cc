#include "bucket/breaker.h"

#include <cstdint>

#include <doctest/doctest.h>

#include "base/prng.h"

using brigade::base::Duration;
using brigade::base::milliseconds;
using brigade::base::Prng;
using brigade::base::seconds;
using brigade::base::TimePoint;
using brigade::bucket::Breaker;
using State = Breaker::State;

namespace {

constexpr TimePoint kStart = TimePoint{} + seconds(100);
constexpr Duration kTimeout = milliseconds(50);

void fail(Breaker& breaker, int times, TimePoint now) {
  for (int i = 0; i < times; ++i) {
    breaker.failed(now);
  }
}

Breaker opened() {
  Breaker breaker(kTimeout);
  fail(breaker, 5, kStart);
  return breaker;
}

}  // namespace

TEST_SUITE("bucket/breaker") {
  TEST_CASE("five failures in a row open it, four and a success do not") {
    Breaker breaker(kTimeout);
    fail(breaker, 4, kStart);
    breaker.succeeded(milliseconds(1), kStart);
    fail(breaker, 4, kStart);
    CHECK(breaker.allow(kStart));
    breaker.failed(kStart);
    CHECK_FALSE(breaker.allow(kStart));
    CHECK(breaker.next_probe() == kStart + milliseconds(100));
  }

  TEST_CASE("more than half of at least twenty failing opens it") {
    Breaker breaker(kTimeout);
    for (int i = 0; i < 10; ++i) {
      breaker.failed(kStart);
      breaker.succeeded(milliseconds(1), kStart);
    }
    CHECK(breaker.closed());
    breaker.failed(kStart);
    CHECK_FALSE(breaker.closed());
  }

  TEST_CASE("failures of more than ten seconds ago count no more") {
    Breaker breaker(kTimeout);
    for (int i = 0; i < 9; ++i) {
      breaker.failed(kStart);
      breaker.succeeded(milliseconds(1), kStart);
    }
    breaker.failed(kStart + seconds(10));
    breaker.succeeded(milliseconds(1), kStart + seconds(10));
    breaker.failed(kStart + seconds(10));
    breaker.failed(kStart + seconds(10));
    CHECK(breaker.closed());
  }

  TEST_CASE("a p99 above the timeout opens it") {
    Breaker breaker(kTimeout);
    for (int i = 0; i < 99; ++i) {
      breaker.succeeded(milliseconds(1), kStart);
    }
    breaker.succeeded(milliseconds(51), kStart);
    CHECK(breaker.closed());
    breaker.succeeded(milliseconds(51), kStart);
    CHECK_FALSE(breaker.closed());
  }

  TEST_CASE("half-open lets one probe pass") {
    Breaker breaker = opened();
    const TimePoint later = kStart + milliseconds(100);
    CHECK_FALSE(breaker.allow(later - Duration(1)));
    CHECK(breaker.state(later) == State::kHalfOpen);
    CHECK(breaker.allow(later));
    CHECK_FALSE(breaker.allow(later));
    breaker.succeeded(milliseconds(1), later + milliseconds(1));
    CHECK(breaker.closed());
    CHECK(breaker.allow(later));
  }

  TEST_CASE("a probe that is never reported is replaced") {
    Breaker breaker = opened();
    const TimePoint later = kStart + milliseconds(100);
    CHECK(breaker.allow(later));
    CHECK_FALSE(breaker.allow(later + milliseconds(99)));
    CHECK(breaker.allow(later + milliseconds(100)));
  }

  TEST_CASE("failing or slow probes double the back-off up to ten seconds") {
    Breaker breaker = opened();
    for (const std::int64_t expected : {200, 400, 800, 1600, 3200, 6400, 10'000, 10'000}) {
      const TimePoint probe = breaker.next_probe();
      CHECK(breaker.allow(probe));
      if (expected % 800 == 0) {
        breaker.succeeded(milliseconds(51), probe);
      } else {
        breaker.failed(probe);
      }
      CHECK(breaker.next_probe() == probe + milliseconds(expected));
    }
  }

  TEST_CASE("a peer that fails again soon after its probe waits longer, a recovered one does not") {
    Breaker breaker = opened();
    const TimePoint probe = breaker.next_probe();
    CHECK(breaker.allow(probe));
    breaker.succeeded(milliseconds(1), probe);
    Breaker recovered = breaker;
    fail(breaker, 5, probe + seconds(1));
    CHECK(breaker.next_probe() == probe + seconds(1) + milliseconds(200));
    fail(recovered, 5, probe + seconds(10));
    CHECK(recovered.next_probe() == probe + seconds(10) + milliseconds(100));
  }

  TEST_CASE("answers that come while it is open neither close nor open it") {
    Breaker breaker = opened();
    breaker.succeeded(milliseconds(1), kStart);
    breaker.failed(kStart);
    CHECK(breaker.state(kStart) == State::kOpen);
    CHECK(breaker.next_probe() == kStart + milliseconds(100));
  }

  TEST_CASE(
      "a dead peer costs at most a handful of requests a minute, a healthy one is never cut") {
    Prng prng(5);
    Breaker dead(kTimeout);
    Breaker healthy(kTimeout);
    int sent = 0;
    TimePoint now = kStart;
    for (; now < kStart + seconds(60); now += milliseconds(5)) {
      if (dead.allow(now)) {
        ++sent;
        dead.failed(now);
      }
      REQUIRE(healthy.allow(now));
      healthy.succeeded(prng.between(Duration(0), kTimeout), now);
      if (prng.chance(1, 10)) {
        healthy.failed(now);
        healthy.succeeded(milliseconds(1), now);
      }
    }
    CHECK(sent <= 5 + 15);
    CHECK(sent >= 5 + 8);
  }
}
