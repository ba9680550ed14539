#include <algorithm>

#include <doctest/doctest.h>

#include "node/token_store.h"

namespace brigade::node {
namespace {

constexpr Boot kBoot{1, 2};
const LedgerId kApi{.limit = "api", .key = {}};

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}

bucket::LimitSpec limit(std::int64_t rate, std::int64_t burst,
                        bucket::Mode mode = bucket::Mode::kShared) {
  bucket::LimitSpec spec;
  spec.name = "api";
  spec.rate = Rate::per_second(rate);
  spec.burst = whole(burst);
  spec.mode = mode;
  return spec;
}

// A store and the log that it applies.
struct Shard {
  TokenStore store{ShardId(0), 1};
  std::uint64_t index = 1;

  Outcome apply(const Command& command) {
    Outcome outcome = store.apply(++index, command);
    store.check_invariants();
    return outcome;
  }
  Outcome configure(const bucket::LimitSpec& spec, std::int64_t ms = 0) {
    return apply(Configure{.stamp = base::milliseconds(ms), .limits = {spec}, .dropped = {}});
  }
  Outcome drop(std::int64_t ms) {
    return apply(Configure{.stamp = base::milliseconds(ms), .limits = {}, .dropped = {"api"}});
  }
  Account open(std::uint64_t node, std::uint64_t attempt = 1) {
    return apply(OpenSession{.node = NodeId(node), .boot = kBoot, .attempt = attempt}).account;
  }
  Applied change(const ShareChange& one, std::int64_t ms = 0) {
    return apply(ChangeShares{.stamp = base::milliseconds(ms), .changes = {one}}).changes.at(0);
  }
  Applied grow(Account account, std::int64_t size, std::int64_t tokens) {
    return change(GrowShare{.ledger = kApi,
                            .account = account,
                            .more_rate = Rate::per_second(size),
                            .more_size = whole(size),
                            .tokens = whole(tokens)});
  }
  StrictAnswer take(std::uint64_t id, std::int64_t cost, std::int64_t ms,
                    std::int64_t issued = -1) {
    return apply(StrictBatch{.stamp = base::milliseconds(ms),
                             .takes = {{.ledger = kApi,
                                        .id = {id, id},
                                        .issued = base::milliseconds(issued < 0 ? ms : issued),
                                        .cost = whole(cost)}}})
        .answers.at(0);
  }
  [[nodiscard]] const Pool& pool() const { return store.ledger(kApi)->pool(); }
};

TEST_CASE("an account is the index of its Open; the same Open again makes no second one") {
  Shard shard;
  const Account first = shard.open(1);
  CHECK(first.value() == shard.index);
  CHECK(shard.open(1) == first);
  CHECK(shard.store.sessions().size() == 1);
  CHECK(shard.open(1, 2) != first);  // a later session of the same process
  // An earlier one that arrives late never comes to life again.
  CHECK(shard.apply(OpenSession{.node = NodeId(1), .boot = kBoot, .attempt = 0}).applied ==
        Applied::kRefused);
  CHECK(shard.apply(OpenSession{.node = NodeId(), .boot = kBoot}).applied == Applied::kRefused);
}

TEST_CASE("rights are granted to living accounts of declared limits only") {
  Shard shard;
  const Account account = shard.open(1);
  CHECK(shard.grow(account, 10, 10) == Applied::kRefused);
  shard.configure(limit(100, 100));
  CHECK(shard.grow(account, 10, 10) == Applied::kDone);
  CHECK(shard.grow(Account(999), 10, 10) == Applied::kRefused);
}

TEST_CASE("a return gives tokens back once, only by its own process, never after a reclaim") {
  Shard shard;
  shard.configure(limit(100, 100));
  const Account account = shard.open(1);
  REQUIRE(shard.grow(account, 100, 100) == Applied::kDone);
  const ReturnSession back{
      .account = account, .boot = kBoot, .surrendered = {{.ledger = kApi, .tokens = whole(30)}}};
  ReturnSession foreign = back;
  foreign.boot = {9, 9};
  CHECK(shard.apply(foreign).applied == Applied::kRefused);
  CHECK(shard.apply(back).applied == Applied::kDone);
  CHECK(shard.pool().level == whole(30));
  CHECK(shard.apply(back).applied == Applied::kDuplicate);
  CHECK(shard.pool().level == whole(30));

  const Account second = shard.open(2);
  REQUIRE(shard.grow(second, 100, 30) == Applied::kDone);
  CHECK(shard.apply(ReclaimSession{.account = second}).applied == Applied::kDone);
  CHECK(shard.pool().size == whole(100));
  CHECK(shard.pool().level == Tokens{});
  const ReturnSession late{
      .account = second, .boot = kBoot, .surrendered = {{.ledger = kApi, .tokens = whole(30)}}};
  CHECK(shard.apply(late).applied == Applied::kDuplicate);
  CHECK(shard.pool().level == Tokens{});
}

TEST_CASE("declaring the same limit again changes nothing, not even the version") {
  Shard shard;
  const Version version = shard.configure(limit(100, 100)).version;
  CHECK(shard.configure(limit(100, 100)).version == version);
  CHECK(shard.configure(limit(100, 200)).version > version);
}

TEST_CASE("a senseless limit is refused with a reason and changes nothing") {
  Shard shard;
  const Outcome outcome = shard.configure(limit(0, 100));
  CHECK(outcome.applied == Applied::kRefused);
  CHECK(outcome.reason.find("api") != std::string::npos);
  CHECK(shard.store.limits().empty());
}

TEST_CASE("a limit deleted and made anew starts empty until a full bucket could do no harm") {
  Shard shard;
  shard.configure(limit(100, 200));  // two seconds to fill
  shard.drop(1000);
  CHECK(shard.store.ledger(kApi) == nullptr);
  CHECK(shard.store.recently_deleted("api"));
  shard.configure(limit(100, 200), 2999);
  CHECK(shard.pool().level == Tokens{});
  shard.drop(3000);
  shard.configure(limit(100, 200), 5000);
  CHECK(shard.pool().level == whole(200));
}

TEST_CASE("a limit made anew while its rights are still out is the same ledger raised") {
  Shard shard;
  shard.configure(limit(100, 100));
  const Account account = shard.open(1);
  REQUIRE(shard.grow(account, 60, 60) == Applied::kDone);
  shard.drop(1000);
  REQUIRE(shard.store.ledger(kApi) != nullptr);  // the account still holds rights
  CHECK(shard.grow(account, 1, 0) == Applied::kRefused);
  shard.configure(limit(100, 100), 1000);
  CHECK(shard.pool().size == whole(40));
  CHECK(shard.pool().level == Tokens{});
  CHECK(shard.store.ledger(kApi)->shares().at(account).size == whole(60));
}

TEST_CASE("a deleted limit is gone when its last account is") {
  Shard shard;
  shard.configure(limit(100, 100));
  const Account account = shard.open(1);
  REQUIRE(shard.grow(account, 60, 60) == Applied::kDone);
  shard.drop(1000);
  shard.apply(ReclaimSession{.account = account});
  CHECK(shard.store.ledger(kApi) == nullptr);
}

TEST_CASE(
    "a deleted limit starts empty for as long as it takes to fill up after its last account") {
  Shard shard;
  shard.configure(limit(10, 100));  // 10 s to fill up
  const Account account = shard.open(1);
  REQUIRE(shard.grow(account, 10, 10) == Applied::kDone);
  shard.drop(1000);
  REQUIRE(shard.change(ShrinkShare{.ledger = kApi, .account = account}, 1000) == Applied::kDone);
  const Epoch epoch = shard.store.ledger(kApi)->shares().at(account).epoch;
  // Until here the node may have spent what it held.
  const AckShrink ack{.ledger = kApi, .account = account, .epoch = epoch};
  REQUIRE(shard.change(ack, 10'000) == Applied::kDone);
  REQUIRE(shard.store.ledger(kApi) == nullptr);
  SUBCASE("made anew before that, it starts empty") {
    shard.configure(limit(10, 100), 19'999);
    CHECK(shard.pool().level == Tokens{});
  }
  SUBCASE("made anew as a strict limit it starts empty as well") {
    shard.configure(limit(10, 100, bucket::Mode::kStrict), 19'999);
    CHECK_FALSE(shard.take(1, 1, 19'999).admitted);
  }
  SUBCASE("later it starts full") {
    shard.configure(limit(10, 100), 20'000);
    CHECK(shard.pool().level == whole(100));
  }
}

TEST_CASE("a short life of a limit does not make up for what was spent in the one before") {
  Shard shard;
  shard.configure(limit(10, 1000));  // 100 s to fill up
  shard.drop(1000);
  shard.configure(limit(100, 100), 2000);
  CHECK(shard.pool().level == Tokens{});
  shard.drop(3000);
  SUBCASE("before that long it starts empty") {
    shard.configure(limit(10, 1000), 100'999);
    CHECK(shard.pool().level == Tokens{});
  }
  SUBCASE("later it starts full") {
    shard.configure(limit(10, 1000), 101'000);
    CHECK(shard.pool().level == whole(1000));
  }
}

TEST_CASE("a strict id has one effect; refusals are not remembered; old ids are refused") {
  Shard shard;
  shard.configure(limit(10, 10, bucket::Mode::kStrict));
  CHECK(shard.take(1, 10, 0).admitted);
  const StrictAnswer again = shard.take(1, 10, 1);
  CHECK(again.applied == Applied::kDuplicate);
  CHECK(again.admitted);
  CHECK(again.remaining == Tokens{});
  const StrictAnswer refused = shard.take(2, 5, 1);
  CHECK_FALSE(refused.admitted);
  CHECK(refused.retry_after > base::milliseconds(490));
  CHECK(shard.take(2, 5, 600).admitted);  // the same id, asked again in time
  // After the window nobody knows any more whether it had its effect.
  CHECK(shard.take(3, 1, 70'000, 5'000).applied == Applied::kExpired);
  CHECK(shard.take(1, 1, 70'000, 0).applied == Applied::kExpired);
}

TEST_CASE("a strict bucket mints at shard time and keeps its class's floor") {
  Shard shard;
  shard.configure(limit(10, 10, bucket::Mode::kStrict));
  CHECK(shard.take(1, 10, 0).admitted);
  CHECK_FALSE(shard.take(2, 2, 100).admitted);
  CHECK(shard.take(3, 1, 100).admitted);
  const auto floored = shard.apply(StrictBatch{.stamp = base::milliseconds(600),
                                               .takes = {{.ledger = kApi,
                                                          .id = {4, 4},
                                                          .issued = base::milliseconds(600),
                                                          .cost = whole(1),
                                                          .floor = whole(5)}}});
  CHECK_FALSE(floored.answers.at(0).admitted);
}

TEST_CASE("a strict take of a negative cost or of a shared limit is refused") {
  Shard shard;
  shard.configure(limit(10, 10, bucket::Mode::kStrict));
  CHECK(shard.take(1, -5, 0).applied == Applied::kRefused);
  Shard shared;
  shared.configure(limit(10, 10));
  CHECK(shared.take(1, 1, 0).applied == Applied::kRefused);
}

TEST_CASE("a change of mode is a deletion: rights that wind down keep the strict bucket shut") {
  Shard shard;
  shard.configure(limit(100, 100));
  const Account account = shard.open(1);
  REQUIRE(shard.grow(account, 60, 60) == Applied::kDone);
  shard.configure(limit(100, 100, bucket::Mode::kStrict), 1000);
  CHECK(shard.take(1, 1, 1000).applied == Applied::kRefused);
  shard.apply(ReclaimSession{.account = account});
  const StrictAnswer first = shard.take(2, 1, 1001);
  CHECK(first.applied == Applied::kDone);
  CHECK_FALSE(first.admitted);  // it starts empty
}

TEST_CASE("of a deleted strict limit no bucket is kept, and it starts empty if made anew soon") {
  Shard shard;
  shard.configure(limit(10, 100, bucket::Mode::kStrict));
  REQUIRE(shard.take(1, 60, 0).admitted);
  (void)shard.store.take_writes();
  shard.drop(1000);
  CHECK(shard.store.strict().empty());
  const auto writes = shard.store.take_writes();
  CHECK(std::any_of(writes.begin(), writes.end(), [](const RecordWrite& write) {
    return write.dropped && std::holds_alternative<StrictRecord>(write.record);
  }));
  shard.configure(limit(10, 100, bucket::Mode::kStrict), 2000);
  CHECK_FALSE(shard.take(2, 1, 2000).admitted);
  CHECK(shard.take(3, 10, 3000).admitted);
  CHECK_FALSE(shard.take(4, 1, 3000).admitted);
  shard.drop(4000);
  shard.configure(limit(10, 100, bucket::Mode::kStrict), 14'000);  // it would be full again
  CHECK(shard.take(5, 100, 14'000).admitted);
}

TEST_CASE("overrides name declared limits, replace each other and die with limit or member") {
  Shard shard;
  CHECK(shard.apply(SetOverride{.limit = "api", .node = NodeId(1)}).applied == Applied::kRefused);
  shard.configure(limit(100, 100));
  CHECK(shard.apply(SetOverride{.limit = "api", .node = NodeId(1), .freeze = true}).applied ==
        Applied::kDone);
  CHECK(shard.apply(SetOverride{.limit = "api", .node = NodeId(1), .no_lend = true}).applied ==
        Applied::kDone);
  CHECK(shard.store.overrides().size() == 1);
  CHECK(shard.store.overrides().begin()->second.no_lend);
  CHECK(shard.apply(ClearOverride{.limit = "api", .node = NodeId(2)}).applied ==
        Applied::kDuplicate);
  CHECK(shard.apply(SetOverride{.limit = "api", .node = NodeId(2), .freeze = true}).applied ==
        Applied::kDone);
  CHECK(shard.apply(RemoveNode{.node = NodeId(1)}).applied == Applied::kDone);
  CHECK(shard.store.overrides().size() == 1);
  CHECK(shard.store.overrides().begin()->second.node == NodeId(2));
  shard.drop(0);
  CHECK(shard.store.overrides().empty());
}

TEST_CASE("records bring another store to the same state, and what changed is written once") {
  Shard shard;
  shard.configure(limit(100, 100));
  const Account account = shard.open(1);
  REQUIRE(shard.grow(account, 60, 60) == Applied::kDone);
  TokenStore copy(ShardId(0), 1);
  REQUIRE(copy.restore(shard.store.records()));
  copy.check_invariants();
  CHECK(copy.records() == shard.store.records());
  CHECK(copy.ledger(kApi)->shares() == shard.store.ledger(kApi)->shares());
  CHECK_FALSE(shard.store.take_writes().empty());
  CHECK(shard.store.take_writes().empty());
}

TEST_CASE("records of a ledger whose sums are wrong are refused and leave nothing") {
  Shard shard;
  shard.configure(limit(100, 100));
  std::vector<StateRecord> records = shard.store.records();
  for (StateRecord& record : records) {
    if (auto* ledger = std::get_if<LedgerRecord>(&record)) {
      Pool pool = ledger->ledger.pool();
      pool.size += whole(1);
      ledger->ledger = Ledger(Rate::per_second(100), whole(100), pool, {});
    }
  }
  TokenStore copy(ShardId(0), 1);
  CHECK_FALSE(copy.restore(records));
  CHECK(copy.ledgers().empty());
}

}  // namespace
}  // namespace brigade::node
