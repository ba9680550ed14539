#include "node/tenant.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr ShardId kShard(0);
constexpr Boot kBoot{1, 2};
constexpr Account kAccount(7);
const LedgerId kApi{.limit = "api", .key = {}};

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}
Instant at(std::int64_t ms) {
  const TimePoint when{base::milliseconds(ms)};
  return {.slow = when, .fast = when};
}

// One purse and its tenant; tau is 3 s, renewed every 750 ms.
struct House {
  Purse purse;
  Tenant tenant{kShard, kBoot, {}};

  House() { tenant.attach(kApi, purse, at(1000)); }

  std::optional<PeerMessage> due(Instant now, bool urgent = false) {
    return tenant.due(now, urgent, [] { return std::vector<DemandReport>{}; });
  }
  // Each session of this process gets the next account.
  void open(Instant now) {
    const Account account(kAccount.value() + attempt - 1);
    tenant.on(OpenAnswer{.shard = kShard, .boot = kBoot, .attempt = attempt, .account = account},
              now);
    ++attempt;
  }
  TenantNews answer(std::int64_t sent_ms, Instant now, bool live = true, bool gone = false) {
    return tenant.on(RenewAnswer{.shard = kShard,
                                 .account = tenant.account(),
                                 .boot = kBoot,
                                 .sent = at(sent_ms).fast.time_since_epoch().count(),
                                 .live = live,
                                 .gone = gone,
                                 .tau = base::seconds(3)},
                     now);
  }
  std::optional<ShrunkNotice> grant(std::int64_t size, std::int64_t granted, std::uint64_t epoch,
                                    Instant now) {
    return tenant.on(RightsNotice{.shard = kShard,
                                  .account = tenant.account(),
                                  .rights = {{.ledger = kApi,
                                              .rate = Rate::per_second(size),
                                              .size = whole(size),
                                              .granted = whole(granted),
                                              .epoch = Epoch(epoch)}}},
                     now);
  }
  std::uint64_t attempt = 1;
};

TEST_CASE("a node that wants rights opens a session, and repeats the same Open until answered") {
  House house;
  const auto first = house.due(at(1000));
  REQUIRE(first);
  CHECK(std::get<OpenAsk>(*first).attempt == 1);
  CHECK_FALSE(house.due(at(1001)));
  const auto again = house.due(at(1200));
  REQUIRE(again);
  CHECK(std::get<OpenAsk>(*again).attempt == 1);
}

TEST_CASE("an answer to another process or an earlier attempt opens nothing") {
  House house;
  house.tenant.on(OpenAnswer{.shard = kShard, .boot = {9, 9}, .attempt = 1, .account = kAccount},
                  at(1000));
  house.tenant.on(OpenAnswer{.shard = kShard, .boot = kBoot, .attempt = 2, .account = kAccount},
                  at(1000));
  house.tenant.on(OpenAnswer{.shard = kShard, .boot = kBoot, .attempt = 1, .account = Account()},
                  at(1000));
  CHECK_FALSE(house.tenant.account());
}

TEST_CASE("a session holds for tau from the send of its renewal, not from the answer") {
  House house;
  house.open(at(1000));
  CHECK_FALSE(house.tenant.live(at(1000)));  // an account alone is no right to spend
  house.answer(1000, at(2500));
  CHECK(house.tenant.valid_until() == at(4000).fast);
  CHECK(house.purse.valid_until() == at(4000).fast);
  CHECK(house.tenant.live(at(3999)));
  CHECK_FALSE(house.tenant.live(at(4000)));
}

TEST_CASE("an older answer that comes later shortens nothing") {
  House house;
  house.open(at(1000));
  house.answer(2000, at(2100));
  house.answer(1000, at(2200));
  CHECK(house.tenant.valid_until() == at(5000).fast);
}

TEST_CASE("an answer after the session's end revives nothing, even before anybody noticed") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  house.grant(100, 50, 10, at(1010));
  const TenantNews news = house.answer(3900, at(4000));
  CHECK(news.lapsed);
  CHECK_FALSE(house.tenant.account());
  CHECK_FALSE(house.purse.valid(at(4000)));
  CHECK(house.purse.level_at(at(4000)) == Tokens{});
}

TEST_CASE("the first renewal answered so late that it grants nothing leaves the session unborn") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(4000));
  CHECK_FALSE(house.tenant.live(at(4000)));
  CHECK(house.tenant.account());
}

TEST_CASE("a lapsed session is followed by another attempt that starts with nothing") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  house.grant(100, 50, 10, at(1010));
  CHECK_FALSE(house.tenant.expire(at(3999)));
  CHECK(house.tenant.expire(at(4000)));
  const auto ask = house.due(at(4000));
  REQUIRE(ask);
  CHECK(std::get<OpenAsk>(*ask).attempt == 2);
  house.open(at(4010));
  CHECK(house.purse.level_at(at(4010)) == Tokens{});
  CHECK(house.purse.bucket().size() == Tokens{});
}

TEST_CASE(
    "a lapsed session is returned when the next one is open: the shard may keep something for it") {
  House house;
  house.open(at(1000));
  const Account first = house.tenant.account();
  house.answer(1000, at(1010));
  REQUIRE(house.tenant.expire(at(4000)));
  CHECK(house.tenant.owed().empty());
  house.open(at(4010));
  REQUIRE(house.tenant.owed().size() == 1);
  CHECK(house.tenant.owed().front().account == first);
  CHECK(house.tenant.owed().front().surrendered.empty());
  house.tenant.returned(first);
  CHECK(house.tenant.owed().empty());
}

TEST_CASE("a session that the shard ended before its first renewal was answered begins anew") {
  House house;
  house.open(at(1000));
  const Account first = house.tenant.account();
  house.answer(1000, at(1010), false);
  CHECK_FALSE(house.tenant.account());
  const auto ask = house.due(at(1600));
  REQUIRE(ask);
  CHECK(std::get<OpenAsk>(*ask).attempt == 2);
  house.open(at(1610));
  REQUIRE(house.tenant.owed().size() == 1);
  CHECK(house.tenant.owed().front().account == first);
}

TEST_CASE("an account that is gone ends the session at once") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  CHECK(house.answer(1500, at(1510), false, true).lapsed);
  CHECK_FALSE(house.tenant.account());
}

TEST_CASE("an answer that does not say live extends nothing") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010), false);
  CHECK_FALSE(house.tenant.live(at(1010)));
}

TEST_CASE("renewals go out every quarter of tau, sooner only for moved demand") {
  House house;
  house.open(at(1000));
  REQUIRE(house.due(at(1000)));
  house.answer(1000, at(1010));
  REQUIRE(house.due(at(1200)));  // what was scheduled before the answer came
  CHECK_FALSE(house.due(at(1210)));
  const auto early = house.due(at(1250), true);
  REQUIRE(early);
  CHECK(std::holds_alternative<Renew>(*early));
  CHECK_FALSE(house.due(at(1300), true));  // at most one report in 100 ms
  CHECK(house.due(at(1351), true));
  CHECK_FALSE(house.due(at(1490)));
  CHECK(house.due(at(1500)));  // all tenants renew on one grid of 750 ms
}

TEST_CASE("a renewal reports the epochs that were adopted") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  house.grant(100, 50, 10, at(1010));
  const auto sent = house.due(at(1800));
  REQUIRE(sent);
  const auto& renew = std::get<Renew>(*sent);
  CHECK(renew.sent == at(1800).fast.time_since_epoch().count());
  REQUIRE(renew.confirmed.size() == 1);
  CHECK(renew.confirmed[0].epoch == Epoch(10));
}

TEST_CASE("a shrink is acknowledged with what it cut; a grow needs no word") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  CHECK_FALSE(house.grant(100, 50, 10, at(1010)));
  const auto notice = house.grant(20, 50, 11, at(1010));
  REQUIRE(notice);
  REQUIRE(notice->shrunk.size() == 1);
  CHECK(notice->shrunk[0].epoch == Epoch(11));
  CHECK(notice->shrunk[0].surplus == whole(30));
  // The same again is acknowledged again, with the same cut: the first word may be lost.
  const auto repeated = house.grant(20, 50, 11, at(1020));
  REQUIRE(repeated);
  CHECK(repeated->shrunk[0].surplus == whole(30));
}

TEST_CASE("a renewal names every bucket, so that its leader can say which are of closed ledgers") {
  House house;
  house.open(at(1000));
  const auto sent = house.due(at(1000));
  REQUIRE(sent);
  REQUIRE(std::get<Renew>(*sent).confirmed.size() == 1);
  CHECK(std::get<Renew>(*sent).confirmed[0].ledger == kApi);
  CHECK_FALSE(std::get<Renew>(*sent).confirmed[0].epoch);
}

TEST_CASE("rights of a closed ledger that arrive late are not those of its next life") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  house.grant(100, 50, 10, at(1010));
  house.grant(0, 50, 11, at(1020));
  house.tenant.detach(kApi, at(1500));
  Purse next;
  house.tenant.attach(kApi, next, at(1600));
  house.grant(100, 50, 10, at(1650));  // as it was granted before, again
  CHECK(next.bucket().level() == Tokens{});
  const auto answered = [&](std::int64_t sent_ms, std::uint64_t epoch) {
    RenewAnswer answer{.shard = kShard, .account = house.tenant.account(), .boot = kBoot};
    answer.sent = at(sent_ms).fast.time_since_epoch().count();
    answer.rights = {{.ledger = kApi,
                      .rate = Rate::per_second(30),
                      .size = whole(30),
                      .granted = whole(30),
                      .epoch = Epoch(epoch)}};
    house.tenant.adopt(answer, at(1700));
  };
  answered(1400, 10);
  CHECK(next.bucket().level() == Tokens{});
  answered(1650, 20);  // the leader that was asked then knew that the ledger had been closed
  CHECK(next.bucket().level() == whole(30));
  house.grant(40, 40, 21, at(1750));
  CHECK(next.bucket().size() == whole(40));
}

TEST_CASE("a purse that follows another one of the same ledger asks under numbers of its own") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  house.grant(100, 50, 10, at(1010));
  const auto first = house.purse.open_borrow(NodeId(2), whole(5), at(1011));
  REQUIRE(first);
  house.purse.close_borrow();
  house.tenant.detach(kApi, at(1500));
  Purse next;
  house.tenant.attach(kApi, next, at(1600));
  CHECK(next.next_sequence() > first->seq);
}

TEST_CASE("a session that lapsed hands back that it is over, and no tokens") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  house.grant(100, 50, 10, at(1010));
  const auto command = house.tenant.surrender(at(4000));
  REQUIRE(command);
  CHECK(command->surrendered.empty());
  CHECK_FALSE(house.tenant.surrender(at(4000)));
}

TEST_CASE("a clean stop hands back what is left and kills the purse first") {
  House house;
  house.open(at(1000));
  house.answer(1000, at(1010));
  house.grant(100, 50, 10, at(1010));
  const auto back = house.tenant.surrender(at(1010));
  REQUIRE(back);
  CHECK(back->account == kAccount);
  REQUIRE(back->surrendered.size() == 1);
  CHECK(back->surrendered[0].tokens == whole(50));
  CHECK_FALSE(house.purse.valid(at(1010)));
  CHECK_FALSE(house.tenant.surrender(at(1011)));
  const auto next = house.due(at(5000));
  CHECK((!next || !std::holds_alternative<OpenAsk>(*next)));  // no further session
}

}  // namespace
}  // namespace brigade::node
