#include "api/hoard.h"

#include <memory>
#include <optional>

#include <doctest/doctest.h>

using brigade::api::Hoard;

TEST_CASE("over the budget only those who hold much have to go") {
  const auto hoard = std::make_shared<Hoard>(100'000);
  std::optional<Hoard::Part> big(std::in_place, hoard);
  Hoard::Part small(hoard);
  CHECK(big->hold(90'000));
  CHECK(small.hold(9'000));
  CHECK(small.hold(20'000));
  CHECK_FALSE(big->hold(90'001));
  CHECK(hoard->held() == 110'001);
  big.reset();
  CHECK(hoard->held() == 20'000);
  CHECK(small.hold(80'000));
}
