// Keys with ledgers of their own in the token store.
#include <doctest/doctest.h>

#include "node/token_store.h"

namespace brigade::node {
namespace {

const LedgerId kAcme{.limit = "tenants", .key = {.high = 7, .low = 8}};

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}

bucket::LimitSpec tenants(std::int64_t rate, std::int64_t burst) {
  bucket::LimitSpec spec;
  spec.name = "tenants";
  spec.per_key = true;
  spec.rate = Rate::per_second(rate);
  spec.burst = whole(burst);
  return spec;
}

// A shard with a limit of 100/s, burst 200, and a session of node 1.
struct Shard {
  TokenStore store{ShardId(0), 1};
  std::uint64_t index = 1;
  Account account;

  Shard() {
    configure(tenants(100, 200));
    account = apply(OpenSession{.node = NodeId(1), .boot = {1, 2}, .attempt = 1}).account;
  }
  Outcome apply(const Command& command) {
    Outcome outcome = store.apply(++index, command);
    store.check_invariants();
    return outcome;
  }
  void configure(const bucket::LimitSpec& spec, std::int64_t ms = 0) {
    apply(Configure{.stamp = base::milliseconds(ms), .limits = {spec}, .dropped = {}});
  }
  void drop(std::int64_t ms) {
    apply(Configure{.stamp = base::milliseconds(ms), .limits = {}, .dropped = {"tenants"}});
  }
  Applied open(Tokens level, std::int64_t ms = 0) {
    return apply(OpenLedger{.stamp = base::milliseconds(ms),
                            .ledger = kAcme,
                            .created = store.limit("tenants")->created,
                            .account = account,
                            .level = level})
        .applied;
  }
  Applied close(std::int64_t ms) {
    return apply(CloseLedger{.stamp = base::milliseconds(ms), .ledger = kAcme}).applied;
  }
  // Takes everything back from the account; `surplus` of it unspent.
  void take_back(Tokens surplus, std::int64_t ms) {
    apply(ChangeShares{
        .stamp = base::milliseconds(ms),
        .changes = {ShrinkShare{.ledger = kAcme, .account = account, .rate = {}, .size = {}}}});
    apply(ChangeShares{
        .stamp = base::milliseconds(ms),
        .changes = {AckShrink{
            .ledger = kAcme, .account = account, .epoch = Epoch(index), .surplus = surplus}}});
  }
  const Ledger& ledger() { return *store.ledger(kAcme); }
};

}  // namespace

TEST_CASE("a key's ledger begins with everything in the opener's account") {
  Shard shard;
  CHECK(shard.open(whole(30)) == Applied::kDone);
  CHECK(shard.store.key_ledgers() == 1);
  const Share& share = shard.ledger().shares().at(shard.account);
  CHECK(share.rate == Rate::per_second(100));
  CHECK(share.size == whole(200));
  CHECK(share.granted == whole(30));
  CHECK(share.epoch == Epoch(shard.index));
  CHECK(shard.ledger().pool().rate == Rate{});
  CHECK(shard.ledger().pool().size == Tokens{});
  CHECK(shard.ledger().pool().level == Tokens{});
}

TEST_CASE("a key's ledger is opened once, for the life of the limit that was meant, by a session") {
  Shard shard;
  const OpenLedger right{.stamp = {},
                         .ledger = kAcme,
                         .created = shard.store.limit("tenants")->created,
                         .account = shard.account,
                         .level = {}};
  const auto refused = [&](auto spoil) {
    OpenLedger wrong = right;
    spoil(wrong);
    return shard.apply(wrong).applied == Applied::kRefused;
  };
  CHECK(refused([](OpenLedger& one) { one.account = Account(99); }));
  CHECK(refused([](OpenLedger& one) { one.created = Version(one.created.value() + 1); }));
  CHECK(refused([](OpenLedger& one) { one.ledger.key = {}; }));
  CHECK(refused([](OpenLedger& one) { one.ledger.limit = "other"; }));
  CHECK(refused([](OpenLedger& one) { one.level = Tokens::micro(-1); }));
  CHECK(shard.apply(right).applied == Applied::kDone);
  CHECK(shard.apply(right).applied == Applied::kRefused);
}

TEST_CASE("a level above a burst that was lowered meanwhile is cut") {
  Shard shard;
  shard.configure(tenants(100, 50));
  CHECK(shard.open(whole(200)) == Applied::kDone);
  CHECK(shard.ledger().shares().at(shard.account).granted == whole(50));
}

TEST_CASE("a key's ledger closes only when nobody holds a right of it and its pool is full") {
  Shard shard;
  shard.open(whole(30));
  CHECK(shard.close(1000) == Applied::kRefused);
  shard.take_back(whole(20), 2000);
  CHECK(shard.close(2000) == Applied::kRefused);
  CHECK(shard.close(3799) == Applied::kRefused);
  CHECK(shard.close(3800) == Applied::kDone);
  CHECK(shard.store.key_ledgers() == 0);
  CHECK(shard.store.ledger(kAcme) == nullptr);
  CHECK(shard.close(9000) == Applied::kRefused);
}

TEST_CASE("a changed limit changes its keys' ledgers, a deleted one winds them down") {
  Shard shard;
  shard.open(whole(30));
  shard.configure(tenants(300, 500), 1000);
  CHECK(shard.ledger().rate() == Rate::per_second(300));
  CHECK(shard.ledger().pool().size == whole(300));
  shard.drop(1000);
  CHECK(shard.ledger().burst() == Tokens{});
  // Made anew while a share is out: the same ledger, raised.
  shard.configure(tenants(100, 200), 1500);
  CHECK(shard.ledger().burst() == whole(200));
  CHECK(shard.ledger().pool().level == Tokens{});
  shard.drop(1500);
  shard.take_back(Tokens{}, 2000);
  CHECK(shard.store.ledger(kAcme) == nullptr);
  CHECK(shard.store.key_ledgers() == 0);
}

TEST_CASE("a limit that is not per key any more leaves its keys' ledgers to wind down") {
  Shard shard;
  shard.open(whole(30));
  bucket::LimitSpec for_all = tenants(100, 200);
  for_all.per_key = false;
  shard.configure(for_all, 1000);
  CHECK(shard.ledger().burst() == Tokens{});
  CHECK(shard.store.ledger({.limit = "tenants", .key = {}})->burst() == whole(200));
}

TEST_CASE("a store restored from its records has the keys' ledgers") {
  Shard shard;
  shard.open(whole(30));
  TokenStore other(ShardId(0), 1);
  CHECK(other.restore(shard.store.records()));
  CHECK(other.key_ledgers() == 1);
  CHECK(*other.ledger(kAcme) == shard.ledger());
  other.check_invariants();
}

}  // namespace brigade::node
