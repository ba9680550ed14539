#include "app/replay/over_admission.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "base/wide.h"

namespace brigade::replay {
namespace {

using base::Wide;

constexpr Wide kPerMicro = 1'000'000'000'000;

// What was admitted inside [from, until] less what was allowed, in 1e-18 tokens.
Wide over_in(const std::vector<Admission>& admissions, Rate rate, Tokens burst,
             const OverAdmission& interval) {
  Wide sum = 0;
  for (const Admission& admission : admissions) {
    if (admission.sent >= interval.from && admission.received <= interval.until) {
      sum += static_cast<Wide>(admission.cost.micro()) * kPerMicro;
    }
  }
  return sum - static_cast<Wide>(burst.micro()) * kPerMicro -
         static_cast<Wide>(rate.nano_per_second()) * (interval.until - interval.from).count();
}

Wide brute_force(const std::vector<Admission>& admissions, Rate rate, Tokens burst) {
  Wide worst = -static_cast<Wide>(burst.micro()) * kPerMicro;
  for (const Admission& first : admissions) {
    for (const Admission& last : admissions) {
      if (last.received >= first.sent) {
        worst = std::max(
            worst, over_in(admissions, rate, burst, {.from = first.sent, .until = last.received}));
      }
    }
  }
  return worst;
}

Wide ceiling(Wide amount) {
  const Wide whole = amount / kPerMicro;
  return amount > whole * kPerMicro ? whole + 1 : whole;
}

std::vector<Admission> random_case(base::Prng& dice) {
  std::vector<Admission> admissions(dice.below(14));
  const std::int64_t span = dice.chance(1, 2) ? 20 : 2'000'000'000;
  for (Admission& admission : admissions) {
    admission.sent = Duration(dice.between(std::int64_t{0}, span));
    admission.received = admission.sent + Duration(dice.between(std::int64_t{0}, span / 4));
    admission.cost = Tokens::micro(dice.between(std::int64_t{0}, std::int64_t{3'000'000}));
  }
  return admissions;
}

// What a correct bucket admits, each decided somewhere between its send and its receipt.
std::vector<Admission> lawful(base::Prng& dice, std::size_t count, Rate rate, Tokens burst) {
  std::vector<Admission> admissions;
  Wide level = static_cast<Wide>(burst.micro()) * kPerMicro;
  Duration now{0};
  while (admissions.size() < count) {
    const Duration passed(dice.between(std::int64_t{0}, std::int64_t{2'000'000}));
    now += passed;
    level = std::min(level + static_cast<Wide>(rate.nano_per_second()) * passed.count(),
                     static_cast<Wide>(burst.micro()) * kPerMicro);
    const Tokens cost = Tokens::micro(dice.between(std::int64_t{0}, std::int64_t{3'000'000}));
    if (level >= static_cast<Wide>(cost.micro()) * kPerMicro) {
      level -= static_cast<Wide>(cost.micro()) * kPerMicro;
      const auto delay = [&] {
        return Duration(dice.between(std::int64_t{0}, std::int64_t{5'000'000}));
      };
      admissions.push_back({.sent = now - delay(), .received = now + delay(), .cost = cost});
    }
  }
  return admissions;
}

TEST_SUITE("app/replay/over_admission") {
  TEST_CASE("the worst interval is the one that trying all intervals finds") {
    base::Prng dice(20);
    for (int i = 0; i < 20'000; ++i) {
      const auto admissions = random_case(dice);
      const Rate rate = Rate::nano_per_second(
          dice.chance(1, 4) ? dice.between(std::int64_t{0}, std::int64_t{100})
                            : dice.between(std::int64_t{0}, std::int64_t{1} << 40));
      const Tokens burst = Tokens::micro(dice.between(std::int64_t{0}, std::int64_t{9'000'000}));
      const Wide expected = brute_force(admissions, rate, burst);
      const OverAdmission found = worst_over_admission(admissions, rate, burst);
      CAPTURE(i);
      REQUIRE(found.over.micro() == static_cast<std::int64_t>(ceiling(expected)));
      REQUIRE(found.from <= found.until);
      const Wide told = over_in(admissions, rate, burst, found);
      REQUIRE(told <= expected);
      REQUIRE(ceiling(told) == ceiling(expected));
    }
  }

  TEST_CASE("nothing admitted leaves the whole burst below the bound") {
    const auto found = worst_over_admission({}, Rate::per_second(5), Tokens::whole(7));
    CHECK(found.over == Tokens::whole(-7));
    CHECK(found.from == found.until);
  }

  TEST_CASE("requests that overlap the edges of an interval do not count in it") {
    // Ten tokens at once are allowed; ten more were decided somewhere in a whole second.
    const std::vector<Admission> admissions{
        {.sent = base::seconds(1), .received = base::seconds(1), .cost = Tokens::whole(10)},
        {.sent = base::seconds(1), .received = base::seconds(2), .cost = Tokens::whole(10)}};
    const auto found = worst_over_admission(admissions, Rate::per_second(10), Tokens::whole(10));
    CHECK(found.over == Tokens{});
  }

  TEST_CASE("what a correct bucket admits is never above the bound, one token more is found") {
    base::Prng dice(4);
    for (int i = 0; i < 50; ++i) {
      const Rate rate = Rate::per_second(1000);
      const Tokens burst = Tokens::whole(20);
      auto admissions = lawful(dice, 300, rate, burst);
      REQUIRE(worst_over_admission(admissions, rate, burst).over <= Tokens{});
      // A burst and one micro-token at one moment.
      const Duration at = admissions[150].sent;
      admissions.push_back({.sent = at, .received = at, .cost = burst + Tokens::micro(1)});
      dice.shuffle(admissions);
      const auto found = worst_over_admission(admissions, rate, burst);
      REQUIRE(found.over >= Tokens::micro(1));
      REQUIRE(found.from <= at);
      REQUIRE(found.until >= at);
    }
  }

  TEST_CASE("the largest costs, rates and times do not overflow") {
    const Duration year = base::seconds(86'400) * 366;
    const Tokens most = Tokens::micro(Tokens::kMaxMicro);
    const std::vector<Admission> admissions{
        {.sent = Duration(0), .received = Duration(0), .cost = most},
        {.sent = year * 10, .received = year * 10, .cost = most}};
    const Rate rate = Rate::nano_per_second(Rate::kMaxNano);
    CHECK(worst_over_admission(admissions, rate, Tokens{}).over == most);
    const auto slow = worst_over_admission(admissions, Rate{}, Tokens{});
    CHECK(slow.over == most + most);
    CHECK(slow.until == year * 10);
  }
}

}  // namespace
}  // namespace brigade::replay
