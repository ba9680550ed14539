#include "app/cli/rate_unit.h"

#include <doctest/doctest.h>

#include "api/limits_file.h"

namespace brigade::cli {
namespace {

// As a node would tell it.
std::string shown(const char* declared) {
  const double per_second = api::read_rate(declared)->as_double();
  return rate_text(per_second, unit_of(per_second));
}

TEST_CASE("a rate is shown in the unit that keeps it whole") {
  CHECK(shown("6/m") == "6/m");
  CHECK(shown("1/m") == "1/m");
  CHECK(shown("600/m") == "10/s");
  CHECK(shown("90/30s") == "3/s");
  CHECK(shown("10/1.5s") == "400/m");
  CHECK(shown("5000/h") == "5000/h");
  CHECK(shown("100000/d") == "100000/d");
  CHECK(shown("1/d") == "1/d");
  CHECK(shown("4000000000/s") == "4000000000/s");
}

TEST_CASE("a rate that no unit keeps whole is shown by the second") {
  CHECK(shown("0.12345/s") == "0.123/s");
  CHECK(rate_text(70.524193, unit_of(70.524193)) == "70.524/s");
  CHECK(rate_text(0, unit_of(0)) == "0/s");
}

TEST_CASE("a share is shown in its limit's unit") {
  CHECK(rate_text(0.05, unit_of(0.1)) == "3/m");
  CHECK(rate_text(0.0321, unit_of(0.1)) == "1.926/m");
}

}  // namespace
}  // namespace brigade::cli
