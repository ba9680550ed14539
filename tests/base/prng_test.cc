#include "base/prng.h"

#include <vector>

#include <doctest/doctest.h>

using brigade::base::Prng;

TEST_SUITE("base/prng") {
  TEST_CASE("the same seed gives the same stream") {
    Prng a(7);
    Prng b(7);
    for (int i = 0; i < 100; ++i) {
      CHECK(a.next() == b.next());
    }
  }

  TEST_CASE("below stays under its bound and reaches every value") {
    Prng prng(1);
    std::vector<int> seen(5, 0);
    for (int i = 0; i < 1000; ++i) {
      ++seen.at(prng.below(5));
    }
    for (int count : seen) {
      CHECK(count > 100);
    }
  }

  TEST_CASE("the stream is the published one, on every compiler") {
    Prng prng(0);
    CHECK(prng.next() == 0x99ec5f36cb75f2b4U);
  }
}
