#include "bucket/demand.h"

#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

#include "base/prng.h"

using namespace brigade::base;
using brigade::bucket::DemandMeter;
using brigade::bucket::LargestCost;

namespace {

constexpr TimePoint kStart{};

// The same averages in floating point, window by window.
struct NaiveMeter {
  double mean = 0;
  double deviation = 0;
  bool any = false;

  void close(double sample) {
    const double miss = std::abs(sample - mean);
    deviation = any ? deviation + (miss - deviation) / 4 : sample / 2;
    mean = any ? mean + (sample - mean) / 2 : sample;
    any = true;
  }
};

}  // namespace

TEST_SUITE("bucket/demand") {
  TEST_CASE("the largest cost is remembered for at least one window and at most two") {
    LargestCost largest;
    TimePoint now = kStart + seconds(100);
    largest.seen(Tokens::whole(7), now);
    largest.seen(Tokens::whole(3), now);
    CHECK(largest.recent(now + LargestCost::kWindow - milliseconds(1)) == Tokens::whole(7));
    largest.seen(Tokens::whole(2), now + LargestCost::kWindow);
    CHECK(largest.recent(now + LargestCost::kWindow) == Tokens::whole(7));
    CHECK(largest.recent(now + 2 * LargestCost::kWindow) == Tokens::whole(2));
    CHECK(largest.recent(now + 9 * LargestCost::kWindow) == Tokens{});
  }

  TEST_CASE("a constant load is measured exactly, without deviation") {
    DemandMeter meter(kStart);
    TimePoint now = kStart;
    for (int i = 0; i < 40'000; ++i) {
      meter.offer(Tokens::whole(2), now);
      now += milliseconds(1);
    }
    CHECK(meter.rate(now) == Rate::per_second(2000));
    CHECK(meter.sigma(now) < Rate::per_second(1));
    CHECK(meter.windows() == 159);
    CHECK(meter.last() == Tokens::whole(500));
  }

  TEST_CASE("averages agree with floating point under random load and pauses") {
    Prng prng(1);
    for (int run = 0; run < 50; ++run) {
      DemandMeter meter(kStart);
      NaiveMeter naive;
      std::int64_t offered = 0;
      std::int64_t window = 0;
      TimePoint now = kStart;
      for (int i = 0; i < 500; ++i) {
        now += prng.chance(1, 50) ? prng.between(Duration(0), seconds(80))
                                  : prng.between(Duration(0), milliseconds(100));
        for (; window < (now - kStart) / DemandMeter::kWindow; ++window) {
          naive.close(static_cast<double>(offered));
          offered = 0;
        }
        const std::int64_t cost = prng.between(0, 1'000'000'000);
        meter.offer(Tokens::micro(cost), now);
        offered += cost;
        REQUIRE(meter.windows() == window);
        REQUIRE(std::abs(meter.rate(now).as_double() - naive.mean * 4 / 1e6) < 1e-4);
        REQUIRE(std::abs(meter.sigma(now).as_double() - naive.deviation * 4 / 1e6) < 1e-4);
      }
    }
  }

  TEST_CASE("reading the rate changes nothing and sees pauses") {
    DemandMeter meter(kStart);
    meter.offer(Tokens::whole(100), kStart);
    CHECK(meter.rate(kStart) == Rate{});
    CHECK(meter.rate(kStart + milliseconds(250)) == Rate::per_second(400));
    CHECK(meter.rate(kStart + milliseconds(500)) == Rate::per_second(200));
    CHECK(meter.rate(kStart + seconds(1000)) == Rate{});
    CHECK(meter.rate(kStart) == Rate{});
    CHECK(meter.windows() == 0);
  }

  TEST_CASE("a surge is seen before its window is over") {
    DemandMeter meter(kStart);
    meter.offer(Tokens::whole(10), kStart);
    meter.offer(Tokens::whole(100), kStart + milliseconds(260));
    CHECK(meter.rate(kStart + milliseconds(260)) == Rate::per_second(40));
    CHECK(meter.surge(kStart + milliseconds(260)) == Rate::per_second(400));
    CHECK(meter.surge(kStart + seconds(100)) == Rate{});
  }

  TEST_CASE("the largest offers saturate") {
    DemandMeter meter(kStart);
    for (int i = 0; i < 100; ++i) {
      meter.offer(Tokens::micro(Tokens::kMaxMicro), kStart);
    }
    meter.offer(Tokens{}, kStart + seconds(1));
    CHECK(meter.rate(kStart + milliseconds(250)) > Rate{});
    CHECK(meter.rate(kStart + milliseconds(250)).nano_per_second() <= Rate::kMaxNano);
  }
}
