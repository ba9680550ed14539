#include "node/token_store.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr Boot kBoot{.high = 1, .low = 2};
const LedgerId kApi{.limit = "api", .key = {}};

bucket::LimitSpec api() {
  bucket::LimitSpec spec;
  spec.name = "api";
  spec.rate = Rate::per_second(100);
  spec.burst = Tokens::whole(100);
  return spec;
}

// A store with one account that holds half of `api`, its pool empty, all as of second zero.
struct Half {
  Half() {
    store.apply(1, Configure{.limits = {api()}});
    account = store.apply(2, OpenSession{.node = NodeId(7), .boot = kBoot, .attempt = 1}).account;
    const GrowShare half{.ledger = kApi,
                         .account = account,
                         .more_rate = Rate::per_second(50),
                         .more_size = Tokens::whole(50),
                         .tokens = Tokens::whole(50)};
    REQUIRE(store.apply(3, ChangeShares{.changes = {half}}).changes.front() == Applied::kDone);
  }
  [[nodiscard]] Tokens level_at(base::Duration stamp) const {
    return store.ledger(kApi)->level_at(stamp);
  }

  TokenStore store{ShardId(0), 1};
  Account account;
};

TEST_SUITE("node/token_store") {
  TEST_CASE("rights that come back mint in the pool only from then on") {
    // Emptied at second zero, the pool mints 50/s alone for a second. Its holder minted the other
    // 50/s itself, and may have spent them.
    const auto check = [](const auto& command) {
      Half half;
      const Tokens before = half.level_at(base::seconds(0));
      CHECK(half.store.apply(4, command(half.account)).applied == Applied::kDone);
      CHECK(half.store.sessions().empty());
      CHECK(half.level_at(base::seconds(1)) <= before + Tokens::whole(50));
      CHECK(half.level_at(base::milliseconds(1100)) <= before + Tokens::whole(60));
    };
    check([](Account account) {
      return ReturnSession{.stamp = base::seconds(1), .account = account, .boot = kBoot};
    });
    check([](Account account) {
      return ReclaimSession{.stamp = base::seconds(1), .account = account};
    });
    check([](Account) {
      return RemoveNode{.stamp = base::seconds(1), .node = NodeId(7), .certified = true};
    });
  }

  TEST_CASE("a removed node gets no session; without a certificate what it holds stays") {
    Half half;
    CHECK(half.store.apply(4, RemoveNode{.node = NodeId(7)}).applied == Applied::kDone);
    CHECK(half.store.removed(NodeId(7)));
    CHECK(half.store.sessions().size() == 1);
    const auto open =
        half.store.apply(5, OpenSession{.node = NodeId(7), .boot = {.high = 9}, .attempt = 1});
    CHECK(open.applied == Applied::kRefused);
    CHECK_FALSE(open.account);
  }

  TEST_CASE("kept rights outlive the session until the process returns them or is proven dead") {
    const auto kept = [] {
      Half half;
      const GrowShare keep{.ledger = kApi, .account = half.account, .keep = true};
      REQUIRE(half.store.apply(4, ChangeShares{.changes = {keep}}).changes.front() ==
              Applied::kDone);
      half.store.apply(5, ReclaimSession{.stamp = base::seconds(9), .account = half.account});
      REQUIRE(half.store.sessions().contains(half.account));
      CHECK(half.store.sessions().at(half.account).lapsed);
      CHECK(half.store.ledger(kApi)->shares().contains(half.account));
      half.store.check_invariants();
      return half;
    };
    Half returns = kept();
    returns.store.apply(6, ReturnSession{.account = returns.account, .boot = kBoot});
    CHECK(returns.store.sessions().empty());
    CHECK(returns.store.ledger(kApi)->shares().empty());

    Half restarts = kept();
    const Boot next{.high = 5, .low = 5};
    restarts.store.apply(6, OpenSession{.node = NodeId(7), .boot = next, .start = 1, .attempt = 1});
    CHECK(restarts.store.ledger(kApi)->shares().contains(restarts.account));
    restarts.store.apply(7, ReclaimSession{.account = restarts.account});
    CHECK(restarts.store.ledger(kApi)->shares().empty());
    const auto late = restarts.store.apply(
        8, OpenSession{.node = NodeId(7), .boot = kBoot, .start = 0, .attempt = 2});
    CHECK(late.applied == Applied::kRefused);  // a message of the dead process

    Half removed = kept();
    removed.store.apply(6, RemoveNode{.node = NodeId(7)});
    CHECK(removed.store.ledger(kApi)->shares().contains(removed.account));
    removed.store.apply(7, RemoveNode{.node = NodeId(7), .certified = true});
    CHECK(removed.store.ledger(kApi)->shares().empty());
  }

  TEST_CASE("keeping ends only when the holder has acknowledged it") {
    Half half;
    const GrowShare keep{.ledger = kApi, .account = half.account, .keep = true};
    half.store.apply(4, ChangeShares{.changes = {keep}});
    const Share& share = half.store.ledger(kApi)->shares().at(half.account);
    CHECK(share.rights(kApi).keep);
    const ShrinkShare off{.ledger = kApi,
                          .account = half.account,
                          .rate = share.rate,
                          .size = share.size,
                          .keep = false};
    half.store.apply(5, ChangeShares{.changes = {off}});
    CHECK(share.keep);
    CHECK_FALSE(share.rights(kApi).keep);
    half.store.apply(
        6, ChangeShares{
               .changes = {AckShrink{.ledger = kApi, .account = half.account, .epoch = Epoch(5)}}});
    CHECK_FALSE(share.keep);
    CHECK(share.size == Tokens::whole(50));
  }

  TEST_CASE("what is known of nodes survives a snapshot, and generations only rise") {
    TokenStore store(ShardId(0), 1);
    CHECK(store.last_generation(NodeId(3)) == 0);
    store.note_replica(NodeId(3), 2);
    store.note_replica(NodeId(3), 1);
    store.apply(1, RemoveNode{.node = NodeId(4)});
    TokenStore copy(ShardId(0), 1);
    REQUIRE(copy.restore(store.records()));
    CHECK(copy.last_generation(NodeId(3)) == 2);
    CHECK(copy.removed(NodeId(4)));
    CHECK_FALSE(copy.removed(NodeId(3)));
  }
}

}  // namespace
}  // namespace brigade::node
