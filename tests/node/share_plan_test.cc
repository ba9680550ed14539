#include "node/share_plan.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr std::int64_t kRate = 1000;

bucket::LimitSpec limit() {
  bucket::LimitSpec spec;
  spec.name = "api";
  spec.rate = Rate::per_second(kRate);
  spec.burst = Tokens::whole(kRate);
  return spec;
}

struct Holder {
  std::int64_t account = 0;
  std::int64_t rate = 0;
  std::int64_t size = 0;
};

Ledger ledger_of(const std::vector<Holder>& holders) {
  Ledger ledger(Rate::per_second(kRate), Tokens::whole(kRate), Tokens{}, Stamp(0));
  for (const Holder& one : holders) {
    CHECK(ledger.grow({.ledger = {},
                       .account = Account(static_cast<std::uint64_t>(one.account)),
                       .more_rate = Rate::per_second(one.rate),
                       .more_size = Tokens::whole(one.size)},
                      Epoch(1), Stamp(0)));
  }
  return ledger;
}

Reported asks(std::int64_t per_second, bool pressed = false) {
  Reported reported;
  reported.demand.offered = Rate::per_second(per_second);
  reported.demand.pressed = pressed;
  reported.predicted = reported.demand.offered;
  return reported;
}

using Reports = std::map<Account, Reported>;

TEST_CASE("shares follow demand and never exceed the limit") {
  const Ledger ledger = ledger_of({{1, 300, 300}, {2, 300, 300}});
  const Targets targets =
      plan_targets(limit(), ledger, Reports{{Account(1), asks(700)}, {Account(2), asks(50)}}, {});
  CHECK(targets.at(Account(1)).rate > Rate::per_second(600));
  CHECK(targets.at(Account(1)).rate + targets.at(Account(2)).rate <= ledger.rate());
  CHECK(targets.at(Account(1)).size + targets.at(Account(2)).size <= ledger.burst());
}

TEST_CASE("a node under pressure does not grow while another could") {
  const Ledger ledger = ledger_of({{1, 300, 300}, {2, 300, 300}});
  const Targets targets = plan_targets(
      limit(), ledger, Reports{{Account(1), asks(700, true)}, {Account(2), asks(50)}}, {});
  CHECK(targets.at(Account(1)).rate <= Rate::per_second(300));
  // It may still shrink.
  const Targets idle = plan_targets(
      limit(), ledger, Reports{{Account(1), asks(10, true)}, {Account(2), asks(900)}}, {});
  CHECK(idle.at(Account(1)).rate < Rate::per_second(300));
}

TEST_CASE("pressure everywhere forbids nobody to grow") {
  const Ledger ledger = ledger_of({{1, 300, 300}, {2, 300, 300}});
  const Targets targets = plan_targets(
      limit(), ledger, Reports{{Account(1), asks(700, true)}, {Account(2), asks(50, true)}}, {});
  CHECK(targets.at(Account(1)).rate > Rate::per_second(600));
}

TEST_CASE("a node that comes up under pressure still gets what keeps it alive") {
  const Ledger ledger = ledger_of({{2, 300, 300}});
  const Targets targets = plan_targets(
      limit(), ledger, Reports{{Account(1), asks(700, true)}, {Account(2), asks(50)}}, {});
  CHECK(targets.at(Account(1)).rate == Rate::per_second(kRate / 4));
}

Reported lacks(std::int64_t cost, bool for_a_round) {
  Reported reported = asks(100);
  reported.demand.lacking = Tokens::whole(cost);
  reported.settles = for_a_round;
  return reported;
}

std::vector<ShareChange> steps_towards(const Ledger& ledger, const Reports& reports) {
  const Targets targets = plan_targets(limit(), ledger, reports, {});
  return plan_steps({.limit = "api", .key = {}}, ledger, Stamp(0), targets, {});
}

Reports somebody_lacks(std::int64_t cost, bool for_a_round) {
  return {{Account(1), asks(10)}, {Account(2), asks(500)}, {Account(3), lacks(cost, for_a_round)}};
}

Tokens grown(const std::vector<ShareChange>& steps, Account account) {
  for (const ShareChange& step : steps) {
    const auto* grow = std::get_if<GrowShare>(&step);
    if (grow != nullptr && grow->account == account) {
      return grow->more_size;
    }
  }
  return Tokens{};
}

TEST_CASE("a cost that waits gets its room at once, or what suffices when others are late") {
  // 2 does not answer: what it should give to 3 is not in the pool, but there is room for the cost.
  const Ledger ledger = ledger_of({{1, 0, 300}, {2, 500, 500}});
  CHECK(grown(steps_towards(ledger, somebody_lacks(50, false)), Account(3)) == Tokens{});
  CHECK(grown(steps_towards(ledger, somebody_lacks(50, true)), Account(3)) >= Tokens::whole(50));
}

TEST_CASE("less room than a waiting cost needs is not handed out: it would only delay the whole") {
  const Ledger ledger = ledger_of({{1, 0, 480}, {2, 500, 480}});
  CHECK(grown(steps_towards(ledger, somebody_lacks(50, true)), Account(3)) == Tokens{});
}

}  // namespace
}  // namespace brigade::node
