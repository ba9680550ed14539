#include "bucket/sizing.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "base/wide.h"
#include "bucket/water_fill.h"

using namespace brigade::bucket;
using brigade::base::Prng;
using brigade::base::Rate;
using brigade::base::Tokens;
using brigade::base::Wide;

namespace {

Rate nano(std::int64_t value) {
  return Rate::nano_per_second(value);
}
constexpr RateBounds kAny{Rate{}, Rate::nano_per_second(Rate::kMaxNano)};

std::vector<Part> random_parts(Prng& prng) {
  std::vector<Part> parts(prng.below(12));
  const std::int64_t scale = prng.chance(1, 3) ? 20 : 1'000'000'000'000;
  for (Part& part : parts) {
    part.want = prng.chance(1, 5) ? 0 : prng.between(0, scale);
    part.floor = prng.chance(1, 2) ? 0 : prng.between(0, part.want);
    part.weight = prng.chance(1, 2) ? 1 : prng.between(1, 1000);
  }
  return parts;
}

template <class Items>
Wide sum(const Items& items) {
  return std::accumulate(items.begin(), items.end(), Wide{0});
}

void check_water_fill(const std::vector<Part>& parts, std::int64_t capacity) {
  const std::vector<std::int64_t> shares = water_fill(parts, capacity);
  Wide floors = 0;
  Wide wants = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    floors += parts[i].floor;
    wants += parts[i].want;
    REQUIRE(shares[i] <= parts[i].want);
    REQUIRE(shares[i] >= 0);
  }
  REQUIRE(sum(shares) <= capacity);
  REQUIRE(sum(shares) + static_cast<Wide>(parts.size()) >= std::min<Wide>(wants, capacity));
  if (floors > capacity) {
    return;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    REQUIRE(shares[i] >= parts[i].floor);
    for (std::size_t j = 0; j < parts.size(); ++j) {
      // One unit of rounding at most: j is not above i while i wants more and j could give.
      const bool unfair = shares[i] < parts[i].want && shares[j] > parts[j].floor &&
                          static_cast<Wide>(shares[j]) * parts[i].weight >
                              (static_cast<Wide>(shares[i]) + 1) * parts[j].weight;
      REQUIRE_FALSE(unfair);
    }
  }
}

SizingSpec random_spec(Prng& prng) {
  LimitSpec limit;
  limit.name = "x";
  limit.rate = Rate::per_second(1);
  limit.burst = Tokens::whole(1);
  do {
    limit.sizing.threshold_high = static_cast<Permille>(prng.between(2, 1000));
    limit.sizing.threshold_low = static_cast<Permille>(prng.between(1, 999));
    limit.sizing.growth = static_cast<Permille>(prng.between(1001, 5000));
    limit.sizing.shrink = static_cast<Permille>(prng.between(1, 999));
  } while (!validate(limit).has_value());
  return limit.sizing;
}

std::vector<Claim> random_claims(Prng& prng, std::int64_t scale) {
  std::vector<Claim> claims(1 + prng.below(10));
  for (Claim& claim : claims) {
    claim.min = nano(prng.chance(1, 2) ? 0 : prng.between(0, scale / 10));
    claim.max = prng.chance(1, 2) ? nano(scale) : claim.min + nano(prng.between(0, scale));
    claim.want = std::clamp(nano(prng.between(0, scale)), claim.min, claim.max);
    claim.sigma = nano(prng.chance(1, 2) ? 0 : prng.between(0, scale / 5));
    claim.weight = prng.between(1, 5);
  }
  return claims;
}

}  // namespace

TEST_SUITE("bucket/water_fill") {
  TEST_CASE("a small case by hand") {
    const std::vector<Part> parts{{0, 10, 1}, {0, 40, 1}, {0, 100, 1}, {30, 60, 1}};
    CHECK(water_fill(parts, 100) == std::vector<std::int64_t>{10, 30, 30, 30});
    CHECK(water_fill(parts, 130) == std::vector<std::int64_t>{10, 40, 40, 40});
    CHECK(water_fill(parts, 15) == std::vector<std::int64_t>{0, 0, 0, 15});
    CHECK(water_fill(parts, 1000) == std::vector<std::int64_t>{10, 40, 100, 60});
    CHECK(water_fill(std::vector<Part>{{0, 90, 1}, {0, 90, 2}}, 30) ==
          std::vector<std::int64_t>{10, 20});
  }

  TEST_CASE("every small division is max-min fair, within bounds and within the capacity") {
    // Exhaustive: three parts with floors and wants of 0..3 and two weights.
    std::vector<Part> kinds;
    for (std::int64_t want = 0; want <= 3; ++want) {
      for (std::int64_t floor = 0; floor <= want; ++floor) {
        kinds.push_back({floor, want, 1});
        kinds.push_back({floor, want, 3});
      }
    }
    for (const Part& a : kinds) {
      for (const Part& b : kinds) {
        for (const Part& c : kinds) {
          for (std::int64_t capacity = 0; capacity <= 10; ++capacity) {
            check_water_fill({a, b, c}, capacity);
          }
        }
      }
    }
  }

  TEST_CASE("random divisions are max-min fair, within bounds and within the capacity") {
    Prng prng(1);
    for (int i = 0; i < 20'000; ++i) {
      const std::vector<Part> parts = random_parts(prng);
      Wide wants = 0;
      for (const Part& part : parts) {
        wants += part.want;
      }
      check_water_fill(parts, prng.between(0, static_cast<std::int64_t>(wants) + 5));
    }
  }

  TEST_CASE("the largest amounts do not overflow") {
    const std::int64_t most = std::int64_t{1} << 62;
    check_water_fill(std::vector<Part>(1000, Part{0, most, std::int64_t{1} << 31}), most);
    check_water_fill(std::vector<Part>(1000, Part{most, most, 1}), most);
  }
}

TEST_SUITE("bucket/sizing") {
  TEST_CASE("wants follow the thresholds") {
    const SizingSpec spec;
    CHECK(want(spec, kAny, {nano(86), nano(100)}) == nano(150));
    CHECK(want(spec, kAny, {nano(85), nano(100)}) == nano(100));
    CHECK(want(spec, kAny, {nano(50), nano(100)}) == nano(100));
    CHECK(want(spec, kAny, {nano(49), nano(100)}) == nano(70));
    CHECK(want(spec, kAny, {nano(675), nano(100)}) == nano(1000));  // p / mid
    CHECK(want(spec, kAny, {nano(675), nano(0)}) == nano(1000));
    CHECK(want(spec, {nano(80), nano(120)}, {nano(9), nano(100)}) == nano(80));
    CHECK(want(spec, {nano(80), nano(120)}, {nano(99), nano(100)}) == nano(120));
  }

  TEST_CASE("under constant load wants move one way and then stay, for every valid setting") {
    Prng prng(2);
    for (int i = 0; i < 3000; ++i) {
      const SizingSpec spec = random_spec(prng);
      const Rate load = nano(prng.chance(1, 2) ? prng.between(0, 50) : prng.between(0, 1 << 30));
      Rate size = nano(prng.chance(1, 2) ? prng.between(0, 50) : prng.between(0, 1 << 30));
      int direction = 0;
      int steps = 0;
      for (; steps < 30'000; ++steps) {
        const Rate next = want(spec, kAny, {load, size});
        if (next == size) {
          break;
        }
        const int step = next > size ? 1 : -1;
        REQUIRE((direction == 0 || direction == step));
        direction = step;
        size = next;
      }
      REQUIRE(steps < 30'000);
    }
  }

  TEST_CASE("a load that is not above another never wants more") {
    Prng prng(3);
    for (int i = 0; i < 20'000; ++i) {
      const SizingSpec spec = random_spec(prng);
      const Rate size = nano(prng.between(0, 1000));
      const std::int64_t load = prng.between(0, 1000);
      REQUIRE(want(spec, kAny, {nano(load), size}) <= want(spec, kAny, {nano(load + 1), size}));
    }
  }

  TEST_CASE("shares and their reserve never exceed the limit, whatever is claimed") {
    Prng prng(4);
    for (int i = 0; i < 10'000; ++i) {
      const std::int64_t scale = prng.chance(1, 2) ? 100 : 1'000'000'000'000;
      const std::vector<Claim> claims = random_claims(prng, scale);
      const Supply supply{nano(prng.between(0, 8 * scale)), 50, 5};
      const std::vector<Rate> shares = fit(claims, supply);
      Wide total = 0;
      Wide wants = 0;
      bool all_at_most = true;
      bool all_have_theirs = true;
      for (std::size_t j = 0; j < claims.size(); ++j) {
        total += shares[j].nano_per_second();
        wants += claims[j].want.nano_per_second();
        REQUIRE(shares[j] <= claims[j].max);
        all_at_most = all_at_most && shares[j] == claims[j].max;
        all_have_theirs = all_have_theirs && shares[j] >= claims[j].want;
      }
      const Wide relaxed = supply.total.scaled(950, 1000).nano_per_second();
      REQUIRE(total <= supply.total.scaled(995, 1000).nano_per_second());
      if (wants <= relaxed) {
        REQUIRE(all_have_theirs);
        REQUIRE(total <= relaxed);
        REQUIRE((all_at_most || total + static_cast<Wide>(claims.size()) >= relaxed));
      }
    }
  }

  TEST_CASE("slack is divided by risk: the same number of deviations for all") {
    std::vector<Claim> claims(3, Claim{nano(1000), Rate{}, nano(1'000'000), 1, nano(100)});
    claims[1].sigma = nano(300);
    claims[2].sigma = Rate{};
    const std::vector<Rate> shares = fit(claims, {nano(3800), 0, 0});
    CHECK(shares[0] == nano(1200));
    CHECK(shares[1] == nano(1600));
    CHECK(shares[2] == nano(1000));
  }

  TEST_CASE("slack that no risk asks for is spread evenly by weight") {
    std::vector<Claim> claims(2, Claim{nano(100), Rate{}, nano(1'000'000), 1, Rate{}});
    claims[1].weight = 3;
    const std::vector<Rate> shares = fit(claims, {nano(1000), 0, 0});
    CHECK(shares[0] == nano(300));
    CHECK(shares[1] == nano(700));
    claims[1].max = nano(150);
    CHECK(fit(claims, {nano(1000), 0, 0})[0] == nano(850));
  }

  TEST_CASE("raising the limit never lowers a share by more than rounding") {
    Prng prng(5);
    for (int i = 0; i < 5000; ++i) {
      const std::vector<Claim> claims = random_claims(prng, 1'000'000);
      const std::int64_t total = prng.between(0, 8'000'000);
      const std::vector<Rate> before = fit(claims, {nano(total)});
      const std::vector<Rate> after = fit(claims, {nano(total + prng.between(0, 1'000'000))});
      for (std::size_t j = 0; j < claims.size(); ++j) {
        REQUIRE(before[j] <= after[j] + nano(1));
      }
    }
  }

  TEST_CASE("wanting more never yields less, while the limit is over-subscribed") {
    Prng prng(6);
    for (int i = 0; i < 5000; ++i) {
      std::vector<Claim> claims = random_claims(prng, 1'000'000);
      const std::int64_t total = prng.between(0, 1'000'000);
      const std::size_t who = prng.below(claims.size());
      const Rate before = fit(claims, {nano(total)})[who];
      claims[who].want = std::min(claims[who].max, claims[who].want + nano(1000));
      REQUIRE(before <= fit(claims, {nano(total)})[who] + nano(1));
    }
  }

  TEST_CASE("under constant load the whole loop comes to rest") {
    Prng prng(7);
    for (int i = 0; i < 60; ++i) {
      const SizingSpec spec = random_spec(prng);
      std::vector<Claim> claims(1 + prng.below(6), Claim{{}, {}, nano(1'000'000), 1, {}});
      std::vector<Rate> loads;
      for (std::size_t j = 0; j < claims.size(); ++j) {
        loads.push_back(nano(prng.between(0, 500'000)));
        claims[j].want = nano(prng.between(0, 1'000'000));
        claims[j].sigma = nano(prng.between(0, 10'000));
      }
      int changes_late = 0;
      std::vector<Rate> shares;
      for (int round = 0; round < 12'000; ++round) {
        for (std::size_t j = 0; j < claims.size(); ++j) {
          claims[j].want = want(spec, {Rate{}, nano(1'000'000)}, {loads[j], claims[j].want});
        }
        std::vector<Rate> next = fit(claims, {nano(1'000'000)});
        changes_late += round > 11'000 && next != shares ? 1 : 0;
        shares = std::move(next);
      }
      REQUIRE(changes_late == 0);
    }
  }

  TEST_CASE("sizes follow rates, everybody gets the floor, and the burst is never exceeded") {
    const std::vector<Rate> two{Rate::per_second(90), Rate{}};
    const Tokens burst = Tokens::whole(100);
    const std::vector<Tokens> no_needs(2);
    const std::vector<Tokens> got =
        sizes(two, {Rate::per_second(100), burst, size_floors(no_needs, burst)});
    CHECK(got[1] == Tokens::whole(25));
    CHECK(got[0] == Tokens::whole(75));
    Prng prng(8);
    for (int i = 0; i < 10'000; ++i) {
      const auto n = static_cast<std::int64_t>(1 + prng.below(10));
      const Rate limit = nano(prng.between(1, 1'000'000'000'000));
      const Tokens b = Tokens::micro(prng.between(0, 1'000'000'000));
      std::vector<Rate> rates;
      Rate left = limit;
      for (std::int64_t j = 0; j < n; ++j) {
        rates.push_back(nano(prng.between(0, left.nano_per_second())));
        left -= rates.back();
      }
      std::vector<Tokens> needs(rates.size());
      for (Tokens& need : needs) {
        need = prng.chance(1, 3) ? Tokens::micro(prng.between(0, 1'000'000'000)) : Tokens{};
      }
      const std::vector<Tokens> floors = size_floors(needs, b);
      const std::vector<Tokens> all = sizes(rates, {limit, b, floors});
      Tokens total;
      for (std::size_t j = 0; j < all.size(); ++j) {
        REQUIRE(all[j] >= floors[j]);
        total += all[j];
      }
      REQUIRE(total <= b);
    }
  }

  TEST_CASE("who needs room for a large cost gets it while the others keep some headroom") {
    const Tokens burst = Tokens::whole(100);
    const std::vector<Tokens> one{Tokens{}, Tokens::whole(70), Tokens{}, Tokens{}};
    CHECK(size_floors(one, burst) == std::vector{Tokens::micro(12'500'000), Tokens::whole(70),
                                                 Tokens::micro(12'500'000), Tokens::whole(5)});
    // Two at once do not fit: the first is served.
    const std::vector<Tokens> two{Tokens::whole(70), Tokens::whole(70)};
    CHECK(size_floors(two, burst)[0] == Tokens::whole(70));
    CHECK(size_floors(two, burst)[1] == Tokens::whole(25));
    // More than the others can do without is not served.
    const std::vector<Tokens> all{Tokens::whole(100), Tokens{}};
    CHECK(size_floors(all, burst)[0] == Tokens::whole(25));
  }

  TEST_CASE("bounds in tokens become bounds in rates at the limit's own ratio") {
    SizingSpec spec;
    spec.min = Tokens::whole(10);
    const RateBounds open = rate_bounds(spec, Rate::per_second(1000), Tokens::whole(100));
    CHECK(open.min == Rate::per_second(100));
    CHECK(open.max == Rate::per_second(1000));
    spec.max = Tokens::whole(50);
    CHECK(rate_bounds(spec, Rate::per_second(1000), Tokens::whole(100)).max ==
          Rate::per_second(500));
  }

  TEST_CASE("only changes above five percent are worth making") {
    CHECK_FALSE(worth_making({1000, 1050}));
    CHECK(worth_making({1000, 1051}));
    CHECK(worth_making({1000, 949}));
    CHECK(worth_making({0, 1}));
    CHECK_FALSE(worth_making({0, 0}));
    CHECK_FALSE(worth_making({1000, 1100}, 100));
  }
}
