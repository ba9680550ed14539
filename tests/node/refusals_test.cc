#include "node/refusals.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

using base::Duration;
using base::KeyHash;
using base::milliseconds;
using base::Rate;
using base::TimePoint;
using base::Tokens;

constexpr KeyHash kKey{1, 7};
constexpr TimePoint kAsked{base::seconds(100)};
constexpr Rate kRate = Rate::per_second(100);

Refusals::Refusal refusal(std::int64_t cost, Duration retry_after) {
  return {.cost = Tokens::whole(cost), .remaining = Tokens::whole(1), .retry_after = retry_after};
}

std::optional<Refusals::Refusal> recall(const Refusals& refusals, std::int64_t cost, Duration ago,
                                        bucket::Permille reserved = 0, KeyHash key = kKey) {
  return refusals.recall(key, Tokens::whole(cost), reserved, kRate, kAsked + ago);
}

TEST_CASE("a refusal holds until its tokens could be there, counted from the ask") {
  Refusals refusals;
  CHECK_FALSE(recall(refusals, 3, Duration::zero()));
  refusals.remember(kKey, refusal(3, milliseconds(20)), kAsked);
  const auto told = recall(refusals, 3, milliseconds(19));
  REQUIRE(told);
  CHECK(told->retry_after == milliseconds(1));
  CHECK(told->remaining == Tokens::whole(1));
  CHECK_FALSE(recall(refusals, 3, milliseconds(20)));
}

TEST_CASE("what costs more is refused too, and for longer; what costs less is asked for") {
  Refusals refusals;
  refusals.remember(kKey, refusal(3, milliseconds(20)), kAsked);
  const auto told = recall(refusals, 5, milliseconds(10));
  REQUIRE(told);
  CHECK(told->retry_after == milliseconds(30));
  CHECK_FALSE(recall(refusals, 2, milliseconds(10)));
}

TEST_CASE("no refusal is remembered for longer than tokens may come back in") {
  Refusals refusals;
  refusals.remember(kKey, refusal(3, base::seconds(60)), kAsked);
  const auto told = recall(refusals, 3, Refusals::kRemembered - Duration(1));
  REQUIRE(told);
  CHECK(told->retry_after > base::seconds(59));
  CHECK_FALSE(recall(refusals, 3, Refusals::kRemembered));
}

TEST_CASE("what can never be taken stays never") {
  Refusals refusals;
  refusals.remember(kKey, refusal(3, Duration::max()), kAsked);
  const auto told = recall(refusals, 9, Duration::zero());
  REQUIRE(told);
  CHECK(told->retry_after == Duration::max());
}

TEST_CASE("another key, another class and a changed limit are asked for") {
  Refusals refusals;
  refusals.remember(kKey, refusal(3, milliseconds(20)), kAsked);
  CHECK_FALSE(recall(refusals, 3, milliseconds(1), 100));
  CHECK_FALSE(recall(refusals, 3, milliseconds(1), 0, {2, 7}));
  refusals.forget();
  CHECK_FALSE(recall(refusals, 3, milliseconds(1)));
}

}  // namespace
}  // namespace brigade::node
