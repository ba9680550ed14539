#include "bucket/limit_spec.h"

#include <doctest/doctest.h>

namespace brigade::bucket {
namespace {

LimitSpec of(std::int64_t burst) {
  return {.name = "a", .burst = base::Tokens::whole(burst)};
}

TEST_CASE("few tokens are not divided among nodes, unless parts are spoken of") {
  CHECK(of(16).divided());
  CHECK_FALSE(of(15).divided());
  CHECK(of(15).kept_at_home());
  LimitSpec sized = of(15);
  sized.sizing.max = base::Tokens::whole(5);
  CHECK(sized.divided());
  LimitSpec kept = of(15);
  kept.on_isolated = OnIsolated::kKeep;
  CHECK(kept.divided());
  LimitSpec generous = of(15);
  generous.lend.max_share = 1000;
  CHECK(generous.divided());
}

TEST_CASE("keys and what is strict are never divided") {
  LimitSpec keyed = of(100);
  keyed.per_key = true;
  CHECK_FALSE(keyed.divided());
  CHECK(keyed.kept_at_home());
  LimitSpec strict = of(1);
  strict.mode = Mode::kStrict;
  CHECK_FALSE(strict.divided());
  CHECK_FALSE(strict.kept_at_home());
}

}  // namespace
}  // namespace brigade::bucket
