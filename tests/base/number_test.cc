#include "base/number.h"

#include <doctest/doctest.h>

namespace brigade::base {
namespace {

TEST_CASE("a number is its whole text") {
  CHECK(read_number("12") == 12);
  CHECK(read_number("-0.5") == -0.5);
  CHECK(read_number("1e3") == 1000);
  for (const char* bad : {"", " 1", "1 ", "1x", "x", "+1", "nan", "inf", "1e999"}) {
    CAPTURE(bad);
    CHECK(!read_number(bad));
  }
}

}  // namespace
}  // namespace brigade::base
