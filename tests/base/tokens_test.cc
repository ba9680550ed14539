#include "base/tokens.h"

#include <doctest/doctest.h>

using namespace brigade::base;

TEST_SUITE("base/tokens") {
  TEST_CASE("minting rounds down and waiting rounds up") {
    const Rate rate = Rate::per_second(3);
    CHECK(rate.over(Duration(333'333'333)).micro() == 999'999);
    CHECK(rate.time_for(Tokens::whole(1)) == Duration(333'333'334));
    CHECK(rate.over(rate.time_for(Tokens::whole(1))) >= Tokens::whole(1));
  }

  TEST_CASE("slow rates keep their precision") {
    const Rate daily = Rate::of(Tokens::whole(100'000), std::chrono::hours(24));
    CHECK(daily.over(std::chrono::hours(24)).floor() == 99'999);
    CHECK(daily.over(std::chrono::hours(24)).as_double() == doctest::Approx(100'000).epsilon(1e-8));
  }

  TEST_CASE("scaling rounds towards minus infinity") {
    CHECK(Tokens::micro(-3).scaled(1, 2).micro() == -2);
    CHECK(Tokens::micro(3).scaled(1, 2).micro() == 1);
    CHECK(Tokens::micro(-3).floor() == -1);
  }

  TEST_CASE("long times saturate instead of overflowing") {
    CHECK(Rate::per_second(1'000'000'000).over(Duration::max()).micro() == Tokens::kMaxMicro);
    CHECK(Rate::nano_per_second(1).time_for(Tokens::micro(Tokens::kMaxMicro)) == Duration::max());
    CHECK(Rate{}.time_for(Tokens::whole(1)) == Duration::max());
  }

  TEST_CASE("drift bounds are one-sided") {
    const Drift drift{1000};
    CHECK(drift.outlast(seconds(3)) > seconds(3));
    CHECK(drift.derate(seconds(3)) < seconds(3));
  }
}
