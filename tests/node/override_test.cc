// What operators set wins over the algorithm, inside the guarantee.
#include <map>

#include <doctest/doctest.h>

#include "node/share_plan.h"

namespace brigade::node {
namespace {

constexpr std::int64_t kRate = 1000;
const Account kA(1);
const Account kB(2);
const Account kC(3);

bucket::LimitSpec limit(bucket::Fairness fairness = bucket::Fairness::kProportional) {
  bucket::LimitSpec spec;
  spec.name = "api";
  spec.rate = Rate::per_second(kRate);
  spec.burst = Tokens::whole(kRate);
  spec.fairness = fairness;
  return spec;
}

// Each of three holds 200 tokens/s and 200 tokens.
Ledger ledger() {
  Ledger ledger(Rate::per_second(kRate), Tokens::whole(kRate), Tokens{}, Stamp(0));
  for (const Account account : {kA, kB, kC}) {
    CHECK(ledger.grow({.ledger = {},
                       .account = account,
                       .more_rate = Rate::per_second(200),
                       .more_size = Tokens::whole(200)},
                      Epoch(1), Stamp(0)));
  }
  return ledger;
}

Reported asks(std::int64_t per_second) {
  Reported reported;
  reported.demand.offered = reported.predicted = Rate::per_second(per_second);
  return reported;
}

Targets plan(std::int64_t a, std::int64_t b, std::int64_t c, const std::map<Account, Rule>& rules,
             bucket::Fairness fairness = bucket::Fairness::kProportional) {
  const std::map<Account, Reported> reports{{kA, asks(a)}, {kB, asks(b)}, {kC, asks(c)}};
  Targets targets = plan_targets(limit(fairness), ledger(), reports, rules);
  Rate rates;
  Tokens sizes;
  for (const auto& [account, target] : targets) {
    rates += target.rate;
    sizes += target.size;
  }
  CHECK(rates <= Rate::per_second(kRate));
  CHECK(sizes <= Tokens::whole(kRate));
  return targets;
}

TEST_CASE("a pinned bucket has the pinned size and rate, whatever is asked of it") {
  for (const std::int64_t load : {0, 50, 5000}) {
    for (const std::int64_t pin : {1, 130, 700}) {
      CAPTURE(load);
      CAPTURE(pin);
      const auto targets = plan(load, 100, 4000, {{kA, {.pin = Tokens::whole(pin)}}});
      CHECK(targets.at(kA).size == Tokens::whole(pin));
      CHECK(targets.at(kA).rate == Rate::per_second(pin));
    }
  }
}

TEST_CASE("a pin is met to the last token, below what else is worth a log entry") {
  const auto targets = plan(100, 100, 100, {{kA, {.pin = Tokens::whole(203)}}});
  const auto steps = plan_steps({}, ledger(), Stamp(0), targets, {kB, kC});
  REQUIRE(steps.size() == 1);
  CHECK(std::get<GrowShare>(steps[0]).more_size == Tokens::whole(3));
}

TEST_CASE("a frozen bucket stays as it is") {
  const auto targets = plan(5000, 10, 5000, {{kA, {.frozen = true}}, {kB, {.frozen = true}}});
  for (const Account account : {kA, kB}) {
    CHECK(targets.at(account).size == Tokens::whole(200));
    CHECK(targets.at(account).rate == Rate::per_second(200));
  }
  CHECK(plan_steps({}, ledger(), Stamp(0), targets, {kC}).empty());
}

TEST_CASE("a bucket stays within an operator's least and most") {
  const auto targets =
      plan(0, 5000, 100, {{kA, {.min = Tokens::whole(400)}}, {kB, {.max = Tokens::whole(90)}}});
  CHECK(targets.at(kA).size >= Tokens::whole(400));
  CHECK(targets.at(kA).rate >= Rate::per_second(400));
  CHECK(targets.at(kB).size <= Tokens::whole(90));
  CHECK(targets.at(kB).rate <= Rate::per_second(90));
}

TEST_CASE("pins that together exceed the limit are cut, never the guarantee") {
  const auto targets = plan(10, 10, 10,
                            {{kA, {.pin = Tokens::whole(900)}},
                             {kB, {.pin = Tokens::whole(900)}},
                             {kC, {.min = Tokens::whole(900)}}});
  CHECK(targets.at(kA).size == Tokens::whole(900));
  CHECK(targets.at(kB).size == Tokens::whole(100));
}

TEST_CASE("a pin beyond the whole limit is the whole limit") {
  const auto targets = plan(10, 10, 10, {{kA, {.pin = Tokens::micro(Tokens::kMaxMicro)}}});
  CHECK(targets.at(kA).size == Tokens::whole(kRate));
}

TEST_CASE("while tokens are short, proportional cuts everybody by the same fraction") {
  const auto targets = plan(400, 800, 1600, {});
  const auto a = targets.at(kA).rate.as_double();
  CHECK(targets.at(kB).rate.as_double() == doctest::Approx(2 * a).epsilon(0.01));
  CHECK(targets.at(kC).rate.as_double() == doctest::Approx(4 * a).epsilon(0.01));
}

TEST_CASE("while tokens are short, max-min serves the small ones first") {
  const auto targets = plan(100, 800, 1600, {}, bucket::Fairness::kMaxMin);
  CHECK(targets.at(kA).rate >= Rate::per_second(100));
  CHECK(targets.at(kB).rate == targets.at(kC).rate);
}

TEST_CASE("while tokens are short, karma gives what a node is entitled to") {
  std::map<Account, Reported> reports{{kA, asks(900)}, {kB, asks(900)}, {kC, asks(900)}};
  reports.at(kA).entitled = Rate::per_second(600);
  reports.at(kB).entitled = Rate::per_second(250);
  reports.at(kC).entitled = Rate::per_second(150);
  const auto targets = plan_targets(limit(bucket::Fairness::kKarma), ledger(), reports, {});
  CHECK(targets.at(kA).rate > Rate::per_second(590));
  CHECK(targets.at(kC).rate <= Rate::per_second(150));
}

}  // namespace
}  // namespace brigade::node
