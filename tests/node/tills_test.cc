#include "node/tills.h"

#include <vector>

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr KeyHash kKey{1, 7};
constexpr Duration kLasts = base::milliseconds(200);
constexpr HoldId kHold{.term = 9, .number = 1};

bucket::LimitSpec users() {
  bucket::LimitSpec spec;
  spec.name = "users";
  spec.per_key = true;
  spec.rate = base::Rate::per_second(1000);
  spec.burst = Tokens::whole(1000);
  return spec;
}

// A node's side of one key, whose leader is the test.
struct Desk {
  explicit Desk(Plant plant = Plant::kNone) : tills(1000, plant) {}

  Tills tills;
  TimePoint time{base::seconds(100)};
  bucket::LimitSpec spec = users();

  [[nodiscard]] Instant now() const { return {.slow = time, .fast = time}; }
  [[nodiscard]] Tokens spendable() const {
    const Tills::Taken till = tills.holding(kKey);
    return time < till.valid_until ? till.remaining : Tokens{};
  }
  bool take(std::int64_t cost = 1) {
    return tills.take(kKey, Tokens::whole(cost), now()).has_value();
  }
  void forward() {
    if (!take()) {
      tills.forwarded({.spec = spec, .key = kKey, .shard = ShardId(0), .cost = Tokens::whole(1)},
                      now());
    }
  }
  std::vector<QuantumAsk> turn() {
    std::vector<QuantumAsk> asks;
    tills.turn(now(), asks);
    tills.check_invariants();
    return asks;
  }
  // Until the key has a till, and its first ask.
  QuantumAsk warm_up() {
    for (std::uint32_t i = 0; i < KeyHeat::kHot; ++i) {
      CHECK(turn().empty());
      forward();
    }
    for (int i = 0; i < 20; ++i) {
      forward();
    }
    const auto asks = turn();
    REQUIRE(asks.size() == 1);
    return asks[0];
  }
  void grant(const QuantumAsk& ask, std::int64_t granted, HoldId hold = kHold) {
    tills.on(
        {.ticket = ask.ticket, .hold = hold, .granted = Tokens::whole(granted), .lasts = kLasts},
        now());
    tills.check_invariants();
  }
};

TEST_CASE("a key that is forwarded again and again gets a till, and is then decided here") {
  Desk desk;
  const QuantumAsk ask = desk.warm_up();
  CHECK(ask.hold == HoldId{});
  CHECK(ask.want == Tokens::whole(21));  // since the till was opened
  CHECK(ask.least == Tokens::whole(1));
  CHECK_FALSE(desk.take());
  desk.grant(ask, 3);
  CHECK(desk.take(2));
  CHECK_FALSE(desk.take(2));
  CHECK(desk.take(1));
  CHECK_FALSE(desk.take(1));
}

TEST_CASE("a quantum ends by the send of its ask, not by the receipt of the answer") {
  Desk desk;
  const QuantumAsk ask = desk.warm_up();
  const TimePoint sent = desk.time;
  desk.time += base::milliseconds(50);
  desk.grant(ask, 100);
  const auto taken = desk.tills.take(kKey, Tokens::whole(1), desk.now());
  REQUIRE(taken);
  CHECK(taken->valid_until == sent + kLasts);
  desk.time = sent + kLasts;
  CHECK_FALSE(desk.take());
  CHECK(desk.spendable() == Tokens{});
}

TEST_CASE("the fast line ends a quantum, whatever the slow one shows") {
  Desk desk;
  desk.grant(desk.warm_up(), 100);
  Instant now = desk.now();
  now.fast += kLasts;
  CHECK_FALSE(desk.tills.take(kKey, Tokens::whole(1), now));
}

TEST_CASE("only the answer to the open ask is adopted, and only once") {
  Desk desk;
  const QuantumAsk ask = desk.warm_up();
  desk.tills.on({.ticket = ask.ticket + 1000, .hold = kHold, .granted = Tokens::whole(50)},
                desk.now());
  CHECK(desk.spendable() == Tokens{});
  desk.grant(ask, 10);
  desk.grant(ask, 30);
  CHECK(desk.spendable() == Tokens::whole(10));
}

TEST_CASE("grants are cumulative: an answer that was lost is made good by the next") {
  Desk desk;
  const QuantumAsk first = desk.warm_up();
  desk.time += Tills::kPatience;
  desk.forward();
  desk.turn();  // given up
  desk.time += Tills::kPauseMin;
  desk.forward();
  const auto second = desk.turn();
  REQUIRE(second.size() == 1);
  CHECK(second[0].till == first.till);
  CHECK(second[0].ticket != first.ticket);
  desk.grant(first, 10);
  CHECK(desk.spendable() == Tokens{});
  desk.grant(second[0], 15);
  CHECK(desk.spendable() == Tokens::whole(15));
}

TEST_CASE("it asks again before it is empty, says what it spent, and has one ask at a time") {
  Desk desk;
  desk.grant(desk.warm_up(), 20);
  while (desk.take()) {
  }
  const auto asks = desk.turn();
  REQUIRE(asks.size() == 1);
  CHECK(asks[0].hold == kHold);
  CHECK(asks[0].spent == Tokens::whole(20));
  CHECK(asks[0].want >= Tokens::whole(20));
  CHECK_FALSE(desk.take());
  CHECK(desk.turn().empty());
}

TEST_CASE("half way through its life it asks for more time") {
  Desk desk;
  desk.grant(desk.warm_up(), 20);
  CHECK(desk.take());
  CHECK(desk.turn().empty());
  for (int i = 0; i < 5; ++i) {
    desk.time += kLasts / 10;
    CHECK(desk.take());
  }
  REQUIRE(desk.tills.next_deadline() <= desk.time);
  const auto asks = desk.turn();
  REQUIRE(asks.size() == 1);
  desk.grant(asks[0], 20);
  desk.time += kLasts / 2;
  CHECK(desk.take());  // the first quantum alone would be over
}

TEST_CASE("without demand it gives back what is left") {
  Desk desk;
  const QuantumAsk ask = desk.warm_up();
  desk.grant(ask, 20);
  CHECK(desk.take(3));
  desk.turn();
  desk.time += Tills::kIdle;
  CHECK(desk.tills.next_deadline() <= desk.time);
  const auto asks = desk.turn();
  REQUIRE(asks.size() == 1);
  CHECK(asks[0].closing);
  CHECK(asks[0].spent == Tokens::whole(3));
  CHECK(asks[0].till == ask.till);
  CHECK(desk.tills.count() == 0);
  CHECK(desk.tills.next_deadline() == base::kNever);
}

TEST_CASE("what is called in goes back at once, and comes again under a new name") {
  Desk desk;
  const QuantumAsk first = desk.warm_up();
  desk.grant(first, 20);
  while (desk.take()) {
  }
  const auto asks = desk.turn();
  REQUIRE(asks.size() == 1);
  desk.tills.on(
      {.ticket = asks[0].ticket, .hold = kHold, .granted = Tokens::whole(25), .recalled = true},
      desk.now());
  const auto closing = desk.turn();
  REQUIRE(closing.size() == 1);
  CHECK(closing[0].closing);
  CHECK_FALSE(desk.take());
  for (int i = 0; i < 64; ++i) {
    desk.time += base::milliseconds(1);
    desk.forward();
  }
  const auto again = desk.turn();
  REQUIRE(again.size() == 1);
  CHECK(again[0].till != first.till);
  CHECK(again[0].hold == HoldId{});
}

TEST_CASE("an answer that comes after the end revives nothing") {
  Desk desk;
  desk.grant(desk.warm_up(), 20);
  desk.time += kLasts / 2;
  CHECK(desk.take());
  const auto asks = desk.turn();
  REQUIRE(asks.size() == 1);
  for (int i = 0; i < 2; ++i) {
    desk.time += kLasts / 4;
    desk.forward();
  }
  desk.grant(asks[0], 40);
  CHECK(desk.spendable() == Tokens{});
  CHECK_FALSE(desk.take());
}

TEST_CASE("a leader that knows nothing of a hold ends it") {
  Desk desk;
  desk.grant(desk.warm_up(), 20);
  while (desk.take()) {
  }
  const auto asks = desk.turn();
  REQUIRE(asks.size() == 1);
  desk.grant(asks[0], 0, HoldId{});
  desk.time += Tills::kPauseMin;
  desk.forward();
  const auto again = desk.turn();
  REQUIRE(again.size() == 1);
  CHECK(again[0].till != asks[0].till);
  CHECK(again[0].spent == Tokens{});
}

TEST_CASE("a leader that has little is asked less and less often") {
  Desk desk;
  QuantumAsk ask = desk.warm_up();
  int asked = 0;
  for (int ms = 0; ms < 1000; ++ms) {
    desk.time += base::milliseconds(1);
    desk.forward();
    for (const QuantumAsk& one : desk.turn()) {
      ++asked;
      desk.grant(one, 0, HoldId{});
    }
  }
  CHECK(asked >= 10);
  CHECK(asked <= 30);
}

TEST_CASE("no tills for slow keys, nor where nothing may be lent") {
  Desk desk;
  desk.spec.rate = base::Rate::per_second(50);
  Desk other;
  other.spec.lend.enabled = false;
  for (int i = 0; i < 100; ++i) {
    desk.forward();
    other.forward();
  }
  CHECK(desk.tills.count() == 0);
  CHECK(other.tills.count() == 0);
}

TEST_CASE("there are only so many tills") {
  Desk desk;
  for (std::uint64_t n = 0; n < 2 * KeyHeat::kSlots; ++n) {
    for (std::uint32_t i = 0; i <= KeyHeat::kHot; ++i) {
      desk.tills.forwarded(
          {.spec = desk.spec, .key = {1, n}, .shard = ShardId(0), .cost = Tokens::whole(1)},
          desk.now());
    }
  }
  CHECK(desk.tills.count() <= Tills::kMax);
  CHECK(desk.tills.count() > Tills::kMax / 2);
}

}  // namespace
}  // namespace brigade::node
