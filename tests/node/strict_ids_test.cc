#include "node/strict_ids.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

StrictIdRecord id_of(std::uint64_t number, std::int64_t applied) {
  return {.id = {.high = number, .low = number * 7},
          .applied = Stamp(applied),
          .remaining = Tokens::whole(static_cast<std::int64_t>(number))};
}

TEST_CASE("an id is known until it is older than what is asked for, and added once") {
  StrictIds ids;
  CHECK(ids.add(id_of(1, 10)));
  CHECK(ids.add(id_of(2, 10)));
  CHECK(ids.add(id_of(3, 20)));
  CHECK_FALSE(ids.add(id_of(2, 30)));
  ids.check_invariants();
  REQUIRE(ids.find(id_of(2, 0).id) != nullptr);
  CHECK(*ids.find(id_of(2, 0).id) == id_of(2, 10));

  CHECK(ids.take_older(Stamp(10)).empty());
  CHECK(ids.take_older(Stamp(11)) == std::vector{id_of(1, 10), id_of(2, 10)});
  CHECK(ids.find(id_of(1, 0).id) == nullptr);
  CHECK(ids.find(id_of(3, 0).id) != nullptr);
  ids.check_invariants();
}

TEST_CASE("ids come back from records in any order and are listed in the same one") {
  StrictIds ids;
  for (const std::uint64_t number : {5U, 2U, 9U, 1U}) {
    REQUIRE(ids.add(id_of(number, 100 - static_cast<std::int64_t>(number))));
  }
  CHECK(ids.all() == std::vector{id_of(1, 99), id_of(2, 98), id_of(5, 95), id_of(9, 91)});
  CHECK(ids.take_older(Stamp(96)) == std::vector{id_of(9, 91), id_of(5, 95)});
}

}  // namespace
}  // namespace brigade::node
