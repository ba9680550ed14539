// Reservations on keys in home mode: kept by the deciding leader, for its term and those it hands
// over to.
#include <doctest/doctest.h>

#include "node/home_desk.h"

namespace brigade::node {
namespace {

constexpr KeyHash kKey{1, 2};
constexpr const char* kLimit = "users";

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}
Instant at(std::int64_t ms) {
  const base::TimePoint time{base::seconds(1000) + base::milliseconds(ms)};
  return {.slow = time, .fast = time};
}
bucket::LimitSpec users(std::int64_t burst) {
  bucket::LimitSpec spec;
  spec.name = kLimit;
  spec.per_key = true;
  spec.rate = Rate::per_second(1);
  spec.burst = whole(burst);
  return spec;
}

struct Leader {
  TokenStore store{ShardId(0), 1};
  std::optional<HomeDesk> desk;

  Leader() {
    store.apply(2, Configure{.limits = {users(10)}, .dropped = {}});
    desk.emplace(store, HomeTerm{.begins = 2, .handover = nullptr, .drift = {}}, at(0));
    desk->confirmed(at(0), at(0));
  }
  Told reserve(std::uint64_t id, std::int64_t cost, std::int64_t ms) {
    Ask ask{.ledger = {.limit = kLimit, .key = kKey}, .cost = whole(cost), .id = {id, id}};
    ask.reserve = true;
    const Told told = desk->decide(ask, at(ms)).value();
    desk->check_invariants();
    return told;
  }
  Settled settle(std::uint64_t id, std::int64_t actual, std::int64_t ms) {
    const SettleTold told = desk->settle(
        {.ledger = {.limit = kLimit, .key = kKey}, .id = {id, id}, .actual = whole(actual)},
        at(ms));
    desk->check_invariants();
    return told.settled;
  }
  [[nodiscard]] Tokens level(std::int64_t ms) const {
    return desk->level({.limit = kLimit, .key = kKey}, at(ms));
  }
};

TEST_CASE("an ask that is repeated is charged once when it reserves") {
  Leader leader;
  CHECK(leader.reserve(1, 8, 0).verdict == Verdict::kAdmitted);
  const Told again = leader.reserve(1, 8, 0);
  CHECK(again.verdict == Verdict::kAdmitted);
  CHECK(again.remaining == whole(2));
  CHECK(leader.level(0) == whole(2));
}

TEST_CASE("a key's reservation is settled once, and a repeated settlement is told the same") {
  Leader leader;
  REQUIRE(leader.reserve(1, 8, 0).verdict == Verdict::kAdmitted);
  CHECK(leader.settle(1, 3, 0).refunded == whole(5));
  CHECK(leader.settle(1, 3, 0).refunded == whole(5));
  CHECK(leader.settle(1, 4, 0).conflict);
  CHECK(leader.level(0) == whole(7));
}

TEST_CASE("minting eats into a key's reservation") {
  Leader leader;
  REQUIRE(leader.reserve(1, 8, 0).verdict == Verdict::kAdmitted);
  REQUIRE(leader.reserve(2, 2, 1).verdict == Verdict::kAdmitted);
  const Settled settled = leader.settle(1, 0, 6001);  // the second one is eaten last
  CHECK(settled.refunded > whole(2) - Tokens::micro(20'000));
  CHECK(settled.refunded < whole(2) + Tokens::micro(20'000));
  CHECK(leader.level(6001) + leader.desk->reservations().refundable(kLimit, kKey) <= whole(10));
}

TEST_CASE("an acquire that is called off before it arrives is not charged") {
  Leader leader;
  CHECK(leader.settle(1, 0, 0) == Settled{});
  CHECK(leader.reserve(1, 8, 0).verdict == Verdict::kRefused);
  CHECK(leader.level(0) == whole(10));
}

TEST_CASE("a refused reservation leaves nothing to settle") {
  Leader leader;
  CHECK(leader.reserve(1, 11, 0).verdict == Verdict::kRefused);
  CHECK(leader.desk->reservations().empty());
}

TEST_CASE("a limit that is lowered or deleted refunds no more than it has room for") {
  Leader leader;
  REQUIRE(leader.reserve(1, 8, 0).verdict == Verdict::kAdmitted);
  leader.store.apply(3, Configure{.limits = {users(5)}, .dropped = {}});
  leader.desk->follow(at(0));
  CHECK(leader.settle(1, 0, 0).refunded == whole(3));
  REQUIRE(leader.reserve(2, 5, 0).verdict == Verdict::kAdmitted);
  leader.store.apply(4, Configure{.limits = {}, .dropped = {kLimit}});
  leader.desk->follow(at(0));
  CHECK(leader.desk->reservations().empty());
  CHECK(leader.settle(2, 0, 0) == Settled{});
}

TEST_CASE("a handover takes the reservations along, a crash leaves them spent") {
  Leader leader;
  REQUIRE(leader.reserve(1, 8, 0).verdict == Verdict::kAdmitted);
  Handover handover;
  leader.desk->hand_over(handover, at(3000));
  HomeDesk next(leader.store, HomeTerm{.begins = 9, .handover = &handover, .drift = {}}, at(3100));
  next.confirmed(at(3100), at(3100));
  const SettleAsk ask{.ledger = {.limit = kLimit, .key = kKey}, .id = {1, 1}, .actual = whole(7)};
  CHECK(next.settle(ask, at(3100)).settled.refunded == whole(1));
  next.check_invariants();
  HomeDesk other(leader.store, HomeTerm{.begins = 9, .handover = nullptr, .drift = {}}, at(3100));
  other.confirmed(at(3100), at(3100));
  CHECK(other.settle(ask, at(3100)).settled == Settled{});
}

}  // namespace
}  // namespace brigade::node
