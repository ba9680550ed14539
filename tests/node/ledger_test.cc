#include "node/ledger.h"

#include <algorithm>
#include <cstdint>

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr Account kA(5);
constexpr Account kB(6);
const LedgerId kId{.limit = "api", .key = {}};

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}
Rate per_second(std::int64_t value) {
  return Rate::per_second(value);
}
Stamp at(std::int64_t ms) {
  return base::milliseconds(ms);
}

// 100/s, burst 100, full; 60/s and 60 tokens of room are A's, with 20 tokens.
Ledger granted() {
  Ledger ledger(per_second(100), whole(100), whole(100), at(0));
  REQUIRE(ledger.grow({.ledger = kId,
                       .account = kA,
                       .more_rate = per_second(60),
                       .more_size = whole(60),
                       .tokens = whole(20)},
                      Epoch(7), at(0)));
  return ledger;
}

TEST_CASE("a grow moves rights and tokens out of the pool, and what is left stays within it") {
  const Ledger ledger = granted();
  CHECK(ledger.pool().rate == per_second(40));
  CHECK(ledger.pool().size == whole(40));
  CHECK(ledger.pool().level == whole(40));  // 80 do not fit any more
  const Share& share = ledger.shares().at(kA);
  CHECK(share.granted == whole(20));
  CHECK(share.epoch == Epoch(7));
  CHECK(ledger.consistent());
}

TEST_CASE("where a part of every room is kept from a class, tokens go with the room they lie in") {
  // 100/s, burst 100, half full: as much of it is in what goes as in what stays.
  Ledger ledger(per_second(100), whole(100), whole(50), at(0));
  const auto grow = [&](std::int64_t size, std::uint64_t epoch) {
    return ledger.grow({.ledger = kId,
                        .account = kA,
                        .more_rate = {},
                        .more_size = whole(size),
                        .tokens = whole(std::min<std::int64_t>(size, 20))},
                       Epoch(epoch), at(0), Ledger::Filling::kEvenly);
  };
  REQUIRE(grow(60, 7));
  CHECK(ledger.shares().at(kA).granted == whole(30));
  CHECK(ledger.pool().level == whole(20));
  REQUIRE(grow(40, 8));
  CHECK(ledger.shares().at(kA).granted == whole(50));
  CHECK(ledger.pool().level == Tokens{});
  REQUIRE(grow(0, 9));
  CHECK(ledger.shares().at(kA).granted == whole(50));
  CHECK(ledger.consistent());
}

TEST_CASE("nothing grows beyond the pool, and a refused grow changes nothing") {
  Ledger ledger = granted();
  const Ledger before = ledger;
  const auto refused = [&](std::int64_t rate, std::int64_t size, std::int64_t tokens) {
    return !ledger.grow({.ledger = kId,
                         .account = kB,
                         .more_rate = per_second(rate),
                         .more_size = whole(size),
                         .tokens = whole(tokens)},
                        Epoch(8), at(0));
  };
  CHECK(refused(41, 10, 0));
  CHECK(refused(10, 41, 0));
  CHECK(refused(10, 40, 41));
  CHECK(refused(10, 5, 6));  // more tokens than room for them
  CHECK(refused(-1, 10, 0));
  CHECK(refused(10, 10, -1));
  CHECK(ledger == before);
}

TEST_CASE("a shrink counts in full until it is acknowledged, under its own epoch") {
  Ledger ledger = granted();
  REQUIRE(ledger.shrink({.ledger = kId, .account = kA, .rate = per_second(10), .size = whole(10)},
                        Epoch(9)));
  CHECK(ledger.pool().size == whole(40));
  CHECK(ledger.shares().at(kA).rights(kId).size == whole(10));  // what its holder is told
  CHECK_FALSE(
      ledger.acknowledge({.ledger = kId, .account = kA, .epoch = Epoch(8), .surplus = {}}, at(0)));
  CHECK(
      ledger.acknowledge({.ledger = kId, .account = kA, .epoch = Epoch(9), .surplus = {}}, at(0)));
  CHECK(ledger.pool().size == whole(90));
  CHECK(ledger.shares().at(kA).size == whole(10));
  // Doubled: the second one finds nothing to acknowledge.
  CHECK_FALSE(
      ledger.acknowledge({.ledger = kId, .account = kA, .epoch = Epoch(9), .surplus = {}}, at(0)));
  CHECK(ledger.consistent());
}

TEST_CASE("an acknowledgement credits no more surplus than the room that it freed") {
  Ledger ledger = granted();
  REQUIRE(ledger.shrink({.ledger = kId, .account = kA, .rate = per_second(60), .size = whole(50)},
                        Epoch(9)));
  REQUIRE(ledger.acknowledge(
      {.ledger = kId, .account = kA, .epoch = Epoch(9), .surplus = whole(1000)}, at(0)));
  CHECK(ledger.pool().level == whole(50));  // 40 and the 10 freed
  CHECK(ledger.consistent());
}

TEST_CASE("one change at a time: a share that shrinks neither shrinks again nor grows") {
  Ledger ledger = granted();
  const ShrinkShare shrink{.ledger = kId, .account = kA, .rate = per_second(10), .size = whole(10)};
  REQUIRE(ledger.shrink(shrink, Epoch(9)));
  CHECK_FALSE(ledger.shrink(shrink, Epoch(10)));
  CHECK_FALSE(ledger.grow({.ledger = kId, .account = kA, .more_rate = {}, .more_size = whole(1)},
                          Epoch(11), at(0)));
}

TEST_CASE("a shrink cannot raise, and nobody's share cannot shrink") {
  Ledger ledger = granted();
  CHECK_FALSE(ledger.shrink(
      {.ledger = kId, .account = kA, .rate = per_second(61), .size = whole(1)}, Epoch(9)));
  CHECK_FALSE(
      ledger.shrink({.ledger = kId, .account = kA, .rate = {}, .size = whole(61)}, Epoch(9)));
  CHECK_FALSE(ledger.shrink({.ledger = kId, .account = kB, .rate = {}, .size = {}}, Epoch(9)));
}

TEST_CASE("a reclaim returns rights without tokens, a return at most what the share could hold") {
  Ledger reclaimed = granted();
  REQUIRE(reclaimed.release(kA, Tokens{}, at(0)));
  CHECK(reclaimed.pool().size == whole(100));
  CHECK(reclaimed.pool().level == whole(40));
  CHECK_FALSE(reclaimed.release(kA, whole(60), at(0)));  // once

  Ledger returned = granted();
  REQUIRE(returned.release(kA, whole(1000), at(0)));
  CHECK(returned.pool().level == whole(100));  // 40 and at most 60
  CHECK(returned.consistent());
}

TEST_CASE("the pool refills at its own rate and never beyond its size") {
  const Ledger ledger = granted();
  Ledger spent(per_second(100), whole(100), Tokens{}, at(0));
  CHECK(spent.level_at(at(500)) == whole(50));
  CHECK(spent.level_at(at(5000)) == whole(100));
  CHECK(spent.level_at(at(-500)) == Tokens{});  // shard time never takes away
  CHECK(ledger.level_at(at(5000)) == whole(40));
}

TEST_CASE("raising a limit adds room and no tokens") {
  Ledger ledger = granted();
  ledger.configure(per_second(200), whole(300), at(0));
  CHECK(ledger.pool().size == whole(240));
  CHECK(ledger.pool().level == whole(40));
  CHECK(ledger.consistent());
}

TEST_CASE("lowering leaves the pool negative until shares have shrunk, and says what is in force") {
  Ledger ledger = granted();
  ledger.configure(per_second(30), whole(30), at(0));
  CHECK(ledger.pool().size == whole(-30));
  CHECK(ledger.pool().level == Tokens{});
  CHECK(ledger.effective_burst() == whole(60));
  CHECK(ledger.effective_rate() == per_second(60));
  CHECK(ledger.level_at(at(10'000)) == Tokens{});  // a pool below zero mints nothing
  CHECK_FALSE(ledger.grow({.ledger = kId, .account = kB, .more_rate = {}, .more_size = whole(1)},
                          Epoch(9), at(0)));
  REQUIRE(ledger.shrink({.ledger = kId, .account = kA, .rate = per_second(30), .size = whole(30)},
                        Epoch(9)));
  REQUIRE(
      ledger.acknowledge({.ledger = kId, .account = kA, .epoch = Epoch(9), .surplus = {}}, at(0)));
  CHECK(ledger.effective_burst() == whole(30));
  CHECK(ledger.consistent());
}

TEST_CASE("of a deleted limit's ledger, shares of nothing are gone at once") {
  Ledger ledger = granted();
  REQUIRE(ledger.shrink({.ledger = kId, .account = kA}, Epoch(9)));
  REQUIRE(ledger.acknowledge({.ledger = kId, .account = kA, .epoch = Epoch(9)}, at(0)));
  REQUIRE(ledger.shares().contains(kA));  // it may grow again
  ledger.configure({}, {}, at(0));
  CHECK(ledger.shares().empty());
  CHECK(ledger.consistent());
}

TEST_CASE("a record whose sums are wrong is not consistent") {
  const Ledger good = granted();
  CHECK(Ledger(good.rate(), good.burst(), good.pool(), good.shares()).consistent());
  CHECK_FALSE(Ledger(good.rate(), whole(99), good.pool(), good.shares()).consistent());
  CHECK_FALSE(Ledger(good.rate(), good.burst(), good.pool(), {}).consistent());
}

}  // namespace
}  // namespace brigade::node
