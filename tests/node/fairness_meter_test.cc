#include "node/fairness_meter.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

PurseTotals totals(std::int64_t admitted, std::int64_t refused) {
  return {.admitted = Tokens::whole(admitted), .refused = Tokens::whole(refused)};
}

// Two accounts that have asked for nothing yet.
FairnessMeter of_two() {
  FairnessMeter meter;
  for (const std::uint64_t account : {1ULL, 2ULL}) {
    meter.reported(Account(account), totals(0, 0));
  }
  return meter;
}

TEST_CASE("what was admitted before the first report does not count") {
  FairnessMeter meter;
  meter.reported(Account(1), totals(1000, 0));
  meter.reported(Account(2), totals(0, 1000));
  CHECK(meter.figures().jain == 1000);
  CHECK(meter.figures().max_min_gap == 0);
}

TEST_CASE("the same refusal probability everywhere is fair, whatever the sizes") {
  FairnessMeter meter = of_two();
  meter.reported(Account(1), totals(80, 20));
  meter.reported(Account(2), totals(800, 200));
  CHECK(meter.figures().jain == 1000);
  // Max-min would have given the small one everything it asked for.
  CHECK(meter.figures().max_min_gap == 200);
}

TEST_CASE("one node that gets nothing halves the index of two") {
  FairnessMeter meter = of_two();
  meter.reported(Account(1), totals(100, 0));
  meter.reported(Account(2), totals(0, 100));
  CHECK(meter.figures().jain == 500);
  CHECK(meter.figures().max_min_gap == 1000);
}

TEST_CASE("the past fades") {
  FairnessMeter meter = of_two();
  meter.reported(Account(1), totals(100, 0));
  meter.reported(Account(2), totals(0, 100));
  for (int i = 0; i < 1000; ++i) {
    meter.age();
  }
  meter.reported(Account(1), totals(200, 100));
  meter.reported(Account(2), totals(100, 200));
  CHECK(meter.figures().jain >= 999);
}

TEST_CASE("absurd totals of a peer do no harm") {
  FairnessMeter meter;
  meter.reported(Account(1), {.admitted = Tokens::micro(INT64_MIN), .refused = {}});
  for (int i = 0; i < 200; ++i) {
    meter.reported(Account(1), {.admitted = Tokens::micro(INT64_MAX),
                                .refused = Tokens::micro(i % 2 == 0 ? INT64_MAX : INT64_MIN)});
    meter.reported(Account(2), {.admitted = Tokens::micro(i % 2 == 0 ? 0 : INT64_MAX)});
  }
  CHECK(meter.figures().jain >= 0);
  CHECK(meter.figures().max_min_gap <= 1000);
}

}  // namespace
}  // namespace brigade::node
