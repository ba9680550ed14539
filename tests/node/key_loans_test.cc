#include "node/key_loans.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr KeyHash kKey{1, 7};
constexpr NodeId kNode(2);
constexpr NodeId kOther(3);
constexpr TimePoint kStart{base::seconds(100)};
constexpr Duration kLasts = base::milliseconds(200);
constexpr std::uint64_t kTerm = 42;

// A leader's side of one key: 100 tokens, 100 a second.
struct Leader {
  explicit Leader(Plant plant = Plant::kNone) : loans(kTerm, Drift{}, plant) {}

  bucket::KeyTable keys{{.rate = base::Rate::per_second(100), .size = Tokens::whole(100)},
                        1000,
                        Tokens::whole(100),
                        kStart};
  KeyLoans loans;
  TimePoint now = kStart;
  KeyLoans::Offer offer{.max_share = 500, .reserve = {}, .lasts = kLasts};

  Quantum ask(const QuantumAsk& ask, NodeId from = kNode) {
    const Quantum quantum = loans.answer(from, ask, offer, keys, now);
    loans.check_invariants();
    return quantum;
  }
  [[nodiscard]] Tokens level() {
    loans.touch(keys, kKey, now);
    return keys.level(kKey, now);
  }
};

QuantumAsk wish(std::int64_t want, Ticket till = 1, const Quantum& last = {},
                std::int64_t spent = 0) {
  return {.ticket = 5,
          .ledger = {.limit = "users", .key = kKey},
          .till = till,
          .hold = last.hold,
          .spent = Tokens::whole(spent),
          .want = Tokens::whole(want),
          .least = Tokens::whole(1)};
}

QuantumAsk closing(const Quantum& last, std::int64_t spent, Ticket till = 1) {
  QuantumAsk ask = wish(0, till, last, spent);
  ask.closing = true;
  return ask;
}

TEST_CASE("a quantum leaves the key's bucket") {
  Leader leader;
  const Quantum quantum = leader.ask(wish(20));
  CHECK(quantum.hold == HoldId{.term = kTerm, .number = 1});
  CHECK(quantum.granted == Tokens::whole(20));
  CHECK(quantum.lasts == kLasts);
  CHECK(leader.level() == Tokens::whole(80));
  CHECK(leader.loans.out(kKey) == Tokens::whole(20));
}

TEST_CASE("what is out is not minted again") {
  Leader leader;
  leader.ask(wish(20));
  leader.now += base::milliseconds(150);
  CHECK(leader.level() == Tokens::whole(80));
}

TEST_CASE("an ask that comes twice grants once") {
  Leader leader;
  const Quantum first = leader.ask(wish(20));
  const Quantum again = leader.ask(wish(20));
  CHECK(again.granted == first.granted);
  CHECK(again.hold == first.hold);
  CHECK(leader.loans.out(kKey) == Tokens::whole(20));
}

TEST_CASE("what was spent makes room, told in any order") {
  Leader leader;
  const Quantum first = leader.ask(wish(20));
  const Quantum second = leader.ask(wish(20, 1, first, 15));
  CHECK(second.granted == Tokens::whole(35));
  leader.ask(wish(20, 1, first, 5));  // an older one, late
  CHECK(leader.loans.out(kKey) == Tokens::whole(20));
  CHECK(leader.level() == Tokens::whole(65));
}

TEST_CASE("a quantum takes at most its share of the level, and leaves the reserve") {
  Leader leader;
  leader.offer.reserve = Tokens::whole(70);
  CHECK(leader.ask(wish(80)).granted == Tokens::whole(30));
  Leader other;
  CHECK(other.ask(wish(80)).granted == Tokens::whole(50));
  // All of them together take at most half of the size.
  CHECK(other.ask(wish(80), kOther).granted == Tokens{});
}

TEST_CASE("too little for one request is not lent") {
  Leader leader;
  QuantumAsk ask = wish(80);
  ask.least = Tokens::whole(60);
  CHECK(leader.ask(ask).hold == HoldId{});
  CHECK(leader.loans.empty());
}

TEST_CASE("a till that is closed gives back what it did not spend, once") {
  Leader leader;
  const Quantum quantum = leader.ask(wish(20));
  leader.ask(closing(quantum, 5));
  CHECK(leader.level() == Tokens::whole(95));
  leader.ask(closing(quantum, 5));
  CHECK(leader.level() == Tokens::whole(95));
  CHECK(leader.loans.empty());
}

TEST_CASE("what comes back fits beside the other loans") {
  Leader leader;
  const Quantum quantum = leader.ask(wish(20));
  leader.ask(wish(20), kOther);
  leader.now += base::milliseconds(199);
  CHECK(leader.level() == Tokens::whole(60));
  leader.ask(closing(quantum, 0));
  CHECK(leader.level() == Tokens::whole(80));
}

TEST_CASE("a loan lapses when the node's time is over for certain, and its tokens are gone") {
  Leader leader;
  leader.ask(wish(20));
  leader.now += kLasts;
  CHECK(leader.loans.lapsed(leader.now).empty());
  leader.now = kStart + Drift{}.outlast(kLasts);
  REQUIRE(leader.loans.lapsed(leader.now).size() == 1);
  const Tokens rounded = Tokens::micro(2);
  CHECK(leader.level() <= Tokens::whole(80));
  CHECK(leader.level() >= Tokens::whole(80) - rounded);
  CHECK(leader.loans.empty());
  leader.now += base::milliseconds(100);
  CHECK(leader.level() <= Tokens::whole(90));
  CHECK(leader.level() >= Tokens::whole(90) - rounded);
}

TEST_CASE("a hold of another term gets nothing") {
  Leader leader;
  const Quantum foreign{.hold = {.term = kTerm - 1, .number = 1}};
  CHECK(leader.ask(wish(20, 1, foreign)).hold == HoldId{});
  CHECK(leader.loans.empty());
}

TEST_CASE("a new till of a node waits for the end of its old one") {
  Leader leader;
  leader.ask(wish(20));
  CHECK(leader.ask(wish(20, 2)).hold == HoldId{});
  leader.now += Drift{}.outlast(kLasts);
  const Quantum quantum = leader.ask(wish(20, 2));
  CHECK(quantum.hold == HoldId{.term = kTerm, .number = 2});
  CHECK(quantum.granted == Tokens::whole(20));
}

TEST_CASE("a key that is stopped lends nothing and calls in what is out") {
  Leader leader;
  const Quantum quantum = leader.ask(wish(20));
  leader.loans.stop(kKey, kStart + kLasts);
  const Quantum called = leader.ask(wish(20, 1, quantum, 5));
  CHECK(called.recalled);
  CHECK(called.granted == Tokens::whole(20));
  CHECK(called.lasts == Duration::zero());
  leader.ask(closing(called, 8));
  CHECK(leader.loans.empty());
  CHECK(leader.ask(wish(20, 2)).hold == HoldId{});
  leader.now += kLasts;
  CHECK(leader.ask(wish(20, 2)).granted == Tokens::whole(20));
}

TEST_CASE("more was spent than granted, says a message: it counts as all") {
  Leader leader;
  const Quantum quantum = leader.ask(wish(20));
  leader.ask(wish(20, 1, quantum, 1000));
  CHECK(leader.loans.out(kKey) <= Tokens::whole(20));
  leader.ask(closing(quantum, 1'000'000));
  CHECK(leader.level() <= Tokens::whole(80));
}

TEST_CASE("one key has a bounded number of loans") {
  Leader leader;
  leader.offer.max_share = 1;
  for (std::uint64_t n = 1; n <= KeyLoans::kPerKeyMax + 5; ++n) {
    QuantumAsk ask = wish(1);
    ask.want = ask.least = Tokens::micro(1000);
    leader.ask(ask, NodeId(n));
  }
  CHECK(leader.loans.count() == KeyLoans::kPerKeyMax);
}

TEST_CASE("a lowered size stays beside what is out") {
  Leader leader;
  leader.ask(wish(40));
  leader.keys.reconfigure({.rate = base::Rate::per_second(100), .size = Tokens::whole(50)},
                          leader.now);
  CHECK(leader.level() == Tokens::whole(10));
  leader.keys.reconfigure({.rate = base::Rate::per_second(100), .size = Tokens::whole(30)},
                          leader.now);
  CHECK(leader.level() == Tokens{});
}

}  // namespace
}  // namespace brigade::node
