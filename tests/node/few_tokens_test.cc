// Limits of few tokens: kept together at the home desk of their shard's leader, once no node has a
// part of them any more.
#include <doctest/doctest.h>

#include "node/home_desk.h"
#include "node/key_space.h"

namespace brigade::node {
namespace {

constexpr const char* kLimit = "mails";
const KeyHash kWhole = KeySpace(kLimit).hash({});
const LedgerId kParts{.limit = kLimit, .key = {}};

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}
Instant at(std::int64_t ms) {
  const base::TimePoint time{base::seconds(1000) + base::milliseconds(ms)};
  return {.slow = time, .fast = time};
}
// At 20/s it is not slow, up to 200 tokens.
bucket::LimitSpec mails(std::int64_t burst, std::int64_t rate = 20) {
  bucket::LimitSpec spec;
  spec.name = kLimit;
  spec.rate = Rate::per_second(rate);
  spec.burst = whole(burst);
  return spec;
}

struct Leader {
  TokenStore store{ShardId(0), 1};
  std::uint64_t index = 2;
  Account account;
  std::optional<HomeDesk> desk;

  explicit Leader(std::int64_t burst) {
    account = apply(OpenSession{.node = NodeId(1), .boot = {1, 2}, .attempt = 1}, 0).account;
    desk.emplace(store, HomeTerm{.begins = 2, .handover = nullptr, .drift = {}}, at(0));
    configure(burst, 0);
  }
  Outcome apply(const Command& command, std::int64_t ms) {
    const Outcome outcome = store.apply(++index, command);
    store.check_invariants();
    if (desk) {
      desk->confirmed(at(ms), at(ms));
    }
    return outcome;
  }
  void configure(const bucket::LimitSpec& spec, std::int64_t ms) {
    apply(Configure{.stamp = base::milliseconds(ms), .limits = {spec}, .dropped = {}}, ms);
    desk->follow(at(ms));
  }
  void configure(std::int64_t burst, std::int64_t ms) { configure(mails(burst), ms); }
  // The only node gets all of a ledger.
  void give_all(const LedgerId& id, std::int64_t ms) {
    const Ledger& ledger = *store.ledger(id);
    apply(ChangeShares{.stamp = base::milliseconds(ms),
                       .changes = {GrowShare{.ledger = id,
                                             .account = account,
                                             .more_rate = ledger.rate(),
                                             .more_size = ledger.burst(),
                                             .tokens = ledger.burst()}}},
          ms);
  }
  // It gives back what it has of a limit that is over.
  void take_back(const LedgerId& id, std::int64_t ms) {
    apply(ChangeShares{.stamp = base::milliseconds(ms),
                       .changes = {ShrinkShare{
                           .ledger = id, .account = account, .rate = {}, .size = {}}}},
          ms);
    apply(
        ChangeShares{
            .stamp = base::milliseconds(ms),
            .changes = {AckShrink{
                .ledger = id, .account = account, .epoch = Epoch(index), .surplus = whole(3)}}},
        ms);
    REQUIRE(store.ledger(id) == nullptr);
    desk->follow_ledgers(at(ms));
  }
  Told take(std::int64_t cost, std::int64_t ms, KeyHash key = kWhole) {
    desk->confirmed(at(ms), at(ms));
    const Ask ask{.ledger = {.limit = kLimit, .key = key}, .cost = whole(cost)};
    const Told told = desk->decide(ask, at(ms)).value();
    desk->check_invariants();
    return told;
  }
};

TEST_CASE("few tokens are one bucket, whatever key a peer may name") {
  Leader leader(5);
  CHECK(leader.store.ledgers().empty());
  CHECK(leader.take(5, 0).verdict == Verdict::kAdmitted);
  CHECK(leader.take(1, 0).verdict == Verdict::kRefused);
  CHECK(leader.take(1, 0, {1, 2}).verdict == Verdict::kNoRights);
  CHECK(leader.take(1, 51).verdict == Verdict::kAdmitted);
  CHECK(leader.desk->keys() == 1);
}

TEST_CASE("few tokens are not given in advance") {
  Leader leader(15);
  const QuantumAsk ask{.ticket = 1,
                       .ledger = {.limit = kLimit, .key = kWhole},
                       .till = 1,
                       .want = whole(4),
                       .least = whole(1)};
  CHECK(leader.desk->lend(NodeId(2), ask, at(0)).granted == Tokens{});
}

TEST_CASE("few tokens have their place, however many keys there are") {
  Leader fast(5);
  fast.desk->make_room(0);
  CHECK(fast.take(1, 0).verdict == Verdict::kAdmitted);
  Leader slow(100);
  slow.configure(mails(15, 1), 10);
  slow.desk->make_room(0);
  slow.desk->confirmed(at(3000), at(3000));
  const Ask ask{.ledger = {.limit = kLimit, .key = kWhole}, .cost = whole(1)};
  CHECK_FALSE(slow.desk->decide(ask, at(3000)));  // it waits for the log
}

TEST_CASE("a limit that becomes one of few tokens begins empty, when its parts are back") {
  Leader leader(100);
  REQUIRE(leader.store.ledger(kParts) != nullptr);
  CHECK(leader.take(1, 0).verdict == Verdict::kNoRights);
  leader.give_all(kParts, 1);
  leader.configure(10, 10);
  CHECK(leader.take(1, 2000).verdict == Verdict::kNoRights);
  leader.take_back(kParts, 2001);
  CHECK(leader.take(1, 2001).verdict == Verdict::kRefused);
  CHECK(leader.take(1, 2052).verdict == Verdict::kAdmitted);
  CHECK(leader.take(1, 2053).verdict == Verdict::kRefused);
}

TEST_CASE("the book of a limit of few tokens is opened when its parts are back") {
  Leader leader(100);
  leader.give_all(kParts, 1);
  leader.configure(mails(12, 1), 10);
  leader.configure(mails(13, 1), 20);
  CHECK_FALSE(leader.store.ahead(kLimit, kWhole, {}, base::seconds(9)));
  leader.take_back(kParts, 9000);
  const auto begins = leader.store.ahead(kLimit, kWhole, {}, base::seconds(11));
  REQUIRE(begins);
  CHECK(begins->level == whole(2));
  CHECK(begins->terms.size == whole(13));
}

TEST_CASE("parts that come back just before a handover leave nothing to the next leader") {
  Leader leader(100);
  leader.give_all(kParts, 1);
  leader.configure(10, 10);
  Handover handover{.stamp = base::seconds(5)};
  leader.desk->hand_over(handover, at(5000));
  leader.take_back(kParts, 5001);  // it was in the log already
  leader.store.apply(++leader.index, handover);
  leader.desk.emplace(leader.store,
                      HomeTerm{.begins = ++leader.index, .handover = &handover, .drift = {}},
                      at(5010));
  CHECK(leader.take(1, 5010).verdict == Verdict::kRefused);
  CHECK(leader.take(1, 5061).verdict == Verdict::kAdmitted);
}

TEST_CASE("what nodes hold of keys goes on ending when their limit becomes one of few tokens") {
  Leader leader(100);
  bucket::LimitSpec keyed = mails(100);
  keyed.per_key = true;
  leader.configure(keyed, 1);
  const LedgerId hot{.limit = kLimit, .key = {1, 2}};
  leader.apply(OpenLedger{.stamp = base::milliseconds(2),
                          .ledger = hot,
                          .created = leader.store.limit(kLimit)->created,
                          .account = leader.account,
                          .level = whole(50)},
               2);
  leader.configure(mails(12, 1), 1000);
  REQUIRE(leader.store.ledger(hot) != nullptr);
  CHECK(leader.store.ledger(hot)->burst() == Tokens{});
  // The one bucket has nothing to do with them.
  const LedgerId whole_limit{.limit = kLimit, .key = kWhole};
  leader.apply(SpendAhead{.stamp = base::seconds(6),
                          .spends = {{.ledger = whole_limit, .implicit = {}, .amount = whole(4)}}},
               6000);
  leader.take_back(hot, 6000);
  const auto view = leader.store.ahead(kLimit, kWhole, {}, base::seconds(6));
  REQUIRE(view);
  CHECK(view->level == whole(1));
}

TEST_CASE("a limit that has no longer few tokens is no business of the home desk") {
  Leader leader(10);
  CHECK(leader.take(10, 0).verdict == Verdict::kAdmitted);
  leader.configure(100, 10);
  CHECK(leader.take(1, 20).verdict == Verdict::kNoRights);
  // As after deleting it: nobody knows any more what was spent of it.
  const Ledger* parts = leader.store.ledger(kParts);
  REQUIRE(parts != nullptr);
  CHECK(parts->level_at(base::milliseconds(10)) == Tokens{});
}

}  // namespace
}  // namespace brigade::node
