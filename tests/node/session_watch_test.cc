#include "node/session_watch.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr Account kOne(1);
constexpr Account kTwo(2);

base::TimePoint at(std::int64_t ms) {
  return base::TimePoint(base::milliseconds(ms));
}

TEST_CASE("an account is over only when every honest clock has counted tau") {
  SessionWatch watch(base::seconds(3), base::Drift{.ppm = 1000});
  watch.renewed(kOne, at(0));
  CHECK(watch.expired(at(3000)).empty());
  CHECK(watch.expired(at(3006)).empty());  // 3 s x 1.001 / 0.999
  CHECK(watch.expired(at(3007)) == std::vector{kOne});
  watch.renewed(kOne, at(3007));
  CHECK(watch.expired(at(3008)).empty());
}

TEST_CASE("an account that is being reclaimed is not renewed again, nor reclaimed twice") {
  SessionWatch watch(base::seconds(3), {});
  watch.renewed(kOne, at(0));
  CHECK(watch.may_renew(kOne));
  watch.reclaiming(kOne);
  CHECK_FALSE(watch.may_renew(kOne));
  CHECK(watch.expired(at(10'000)).empty());
  CHECK_FALSE(watch.next_expiry());
  watch.gone(kOne);
  CHECK_FALSE(watch.may_renew(kOne));
}

TEST_CASE("a session whose renewal was stopped still runs out in its own time") {
  SessionWatch watch(base::seconds(3), {});
  watch.renewed(kOne, at(0));
  watch.stop_renewing(kOne);
  CHECK_FALSE(watch.may_renew(kOne));
  CHECK(watch.expired(at(2000)).empty());
  CHECK(watch.expired(at(4000)) == std::vector{kOne});
}

TEST_CASE("what is left of a session is passed on, and nobody else is mixed up with it") {
  SessionWatch watch(base::seconds(3), base::Drift{.ppm = 0});
  watch.renewed(kOne, at(0));
  watch.renewed(kTwo, at(1000));
  CHECK(watch.remaining(kOne, at(2000)) == base::milliseconds(1000));
  CHECK(watch.remaining(kTwo, at(2000)) == base::milliseconds(2000));
  CHECK(watch.remaining(kOne, at(5000)) == base::Duration::zero());
  CHECK(watch.next_expiry() == at(3000));
}

}  // namespace
}  // namespace brigade::node
