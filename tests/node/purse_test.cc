#include "node/purse.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr Account kAccount(7);
const LedgerId kApi{.limit = "api", .key = {}};
constexpr Drift kExact{.ppm = 0};

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}
Instant at(std::int64_t ms) {
  const TimePoint when{base::milliseconds(ms)};
  return {.slow = when, .fast = when};
}
Rights rights(std::int64_t size, std::int64_t granted, std::uint64_t epoch) {
  return {.ledger = kApi,
          .rate = Rate::per_second(size),
          .size = whole(size),
          .granted = whole(granted),
          .epoch = Epoch(epoch)};
}
// 100/s, room for 100, 50 tokens, valid until 3000 ms.
Purse held() {
  Purse purse;
  purse.open(kAccount, at(0).slow);
  purse.renew(at(3000).fast);
  purse.adopt(kAccount, rights(100, 50, 10), at(0), kExact);
  purse.check_invariants();
  return purse;
}

TEST_CASE("granted tokens are added once, however often they are told") {
  Purse purse = held();
  CHECK(purse.bucket().level() == whole(50));
  purse.adopt(kAccount, rights(100, 50, 10), at(0), kExact);
  CHECK(purse.bucket().level() == whole(50));
  purse.adopt(kAccount, rights(100, 60, 11), at(0), kExact);
  CHECK(purse.bucket().level() == whole(60));
}

TEST_CASE("rights of another session or an older epoch are ignored") {
  Purse purse = held();
  purse.adopt(Account(8), rights(900, 900, 99), at(0), kExact);
  purse.adopt(kAccount, rights(900, 900, 9), at(0), kExact);
  CHECK(purse.bucket().size() == whole(100));
  CHECK(purse.bucket().level() == whole(50));
}

// A part of every bucket is kept from some class; 90 tokens lie in room for 120.
Purse divided() {
  Purse purse = held();
  purse.divide_evenly(true);
  purse.adopt(kAccount, rights(120, 90, 11), at(0), kExact);
  REQUIRE(purse.bucket().level() == whole(90));
  return purse;
}

TEST_CASE("what is divided evenly hands over the tokens that lie in the room it gives up") {
  Purse purse = divided();
  purse.adopt(kAccount, rights(40, 90, 12), at(0), kExact);
  CHECK(purse.bucket().level() == whole(30));
  REQUIRE(purse.shrunk());
  CHECK(purse.shrunk()->surplus == whole(60));
  // Room that comes back brings none.
  purse.adopt(kAccount, rights(80, 90, 13), at(0), kExact);
  CHECK(purse.bucket().level() == whole(30));
  purse.adopt(kAccount, rights(0, 90, 14), at(0), kExact);
  CHECK(purse.bucket().level() == Tokens{});
  CHECK(purse.shrunk()->surplus == whole(30));
  purse.check_invariants();
}

TEST_CASE("what may be refunded is divided with the tokens, and stays as far as it has room") {
  Purse purse = divided();
  REQUIRE(purse.take(whole(60), Tokens{}));
  REQUIRE(purse.keep_refundable(whole(60)) == whole(60));
  purse.adopt(kAccount, rights(80, 90, 12), at(0), kExact);
  CHECK(purse.refundable() == whole(60));
  CHECK(purse.bucket().level() == Tokens{});
  CHECK(purse.shrunk()->surplus == whole(30));
  purse.adopt(kAccount, rights(40, 90, 13), at(0), kExact);
  CHECK(purse.refundable() == whole(30));
  CHECK(purse.shrunk()->surplus == Tokens{});
  purse.check_invariants();
}

TEST_CASE("tokens that were asked for are given up with the room they would divide with") {
  Purse purse = divided();
  const auto open = purse.open_borrow(NodeId(3), whole(10), at(0));
  REQUIRE(open);
  purse.adopt(kAccount, rights(100, 90, 12), at(0), kExact);
  CHECK_FALSE(purse.borrow());
  CHECK(
      purse.credit({.ledger = kApi, .account = kAccount, .seq = open->seq, .granted = whole(5)}) ==
      Tokens{});
  CHECK(purse.bucket().level() == whole(75));
  purse.check_invariants();
}

TEST_CASE("C moves on even where the tokens did not fit") {
  Purse purse = held();
  purse.adopt(kAccount, rights(100, 200, 11), at(0), kExact);
  CHECK(purse.bucket().level() == whole(100));
  CHECK(purse.granted_seen() == whole(200));
  CHECK(purse.take(whole(100), Tokens{}));
  purse.adopt(kAccount, rights(100, 200, 12), at(0), kExact);
  CHECK(purse.bucket().level() == Tokens{});
}

TEST_CASE("a shrink cuts the level and reports the cut under its epoch") {
  Purse purse = held();
  purse.adopt(kAccount, rights(20, 50, 11), at(0), kExact);
  REQUIRE(purse.shrunk());
  CHECK(purse.shrunk()->epoch == Epoch(11));
  CHECK(purse.shrunk()->surplus == whole(30));
  CHECK(purse.bucket().level() == whole(20));
  purse.adopt(kAccount, rights(40, 50, 12), at(0), kExact);
  CHECK_FALSE(purse.shrunk());
}

TEST_CASE("a shrink closes the open borrow and cuts what was refundable until all fits") {
  Purse purse = held();
  REQUIRE(purse.open_borrow(NodeId(2), whole(30), at(0)));
  CHECK(purse.keep_refundable(whole(20)) == whole(20));
  purse.adopt(kAccount, rights(10, 50, 11), at(0), kExact);
  purse.check_invariants();
  CHECK_FALSE(purse.borrow());
  CHECK(purse.bucket().held() <= whole(10));
  // A loan that comes now finds no open sequence.
  CHECK(purse.credit({.ledger = {.limit = "api", .key = {}},
                      .account = kAccount,
                      .seq = 1,
                      .granted = whole(30)}) == Tokens{});
}

TEST_CASE("nothing is valid from valid_until of the fast line on") {
  const Purse purse = held();
  CHECK(purse.valid(at(2999)));
  CHECK_FALSE(purse.valid(at(3000)));
  CHECK_FALSE(purse.valid({.slow = at(2000).slow, .fast = at(3000).fast}));
}

TEST_CASE("minting follows the slow line and leaves the held room free") {
  Purse purse = held();
  REQUIRE(purse.open_borrow(NodeId(2), whole(30), at(0)));
  purse.mint({.slow = at(100).slow, .fast = at(200).fast});
  CHECK(purse.bucket().level() == whole(60));
  purse.mint(at(2000));
  CHECK(purse.bucket().level() == whole(70));  // 100 less what was asked for
}

TEST_CASE("a lapsed session leaves nothing, and a dead account's tokens stay gone") {
  Purse purse = held();
  REQUIRE(purse.take(whole(10), Tokens{}));
  purse.lapse();
  purse.check_invariants();
  CHECK(purse.level_at(at(1000)) == Tokens{});
  purse.undo(kAccount, whole(10));
  CHECK(purse.bucket().level() == Tokens{});
  purse.open(Account(9), at(10).slow);
  purse.undo(kAccount, whole(10));
  CHECK(purse.bucket().level() == Tokens{});
}

TEST_CASE("a loan is credited once, to its own sequence, and at most what room was held for it") {
  Purse purse = held();
  const auto open = purse.open_borrow(NodeId(2), whole(20), at(0));
  REQUIRE(open);
  Loan loan{.ledger = {.limit = "api", .key = {}},
            .account = kAccount,
            .seq = open->seq,
            .granted = whole(500)};
  Loan stray = loan;
  stray.seq = open->seq + 1;
  CHECK(purse.credit(stray) == Tokens{});
  stray = loan;
  stray.account = Account(8);
  CHECK(purse.credit(stray) == Tokens{});
  CHECK(purse.credit(loan) == whole(20));
  CHECK(purse.credit(loan) == Tokens{});
  CHECK(purse.bucket().level() == whole(70));
  loan.granted = whole(-5);
  const auto next = purse.open_borrow(NodeId(2), whole(20), at(0));
  REQUIRE(next);
  loan.seq = next->seq;
  CHECK(purse.credit(loan) == Tokens{});  // a loan never takes
  CHECK(purse.bucket().level() == whole(70));
}

TEST_CASE("a full purse asks for nothing") {
  Purse purse = held();
  purse.mint(at(2000));
  CHECK_FALSE(purse.open_borrow(NodeId(2), whole(10), at(2000)));
}

TEST_CASE("what is lent is gone before anybody is told") {
  Purse purse = held();
  CHECK(purse.lend(whole(40)));
  CHECK(purse.bucket().level() == whole(10));
  CHECK_FALSE(purse.lend(whole(11)));
  CHECK(purse.totals().lent == whole(40));
}

}  // namespace
}  // namespace brigade::node
