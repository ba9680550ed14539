// Reservations on strict limits: one effect per id, in the log.
#include <doctest/doctest.h>

#include "node/token_store.h"

namespace brigade::node {
namespace {

const LedgerId kQuota{.limit = "quota", .key = {}};

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}

bucket::LimitSpec quota(std::int64_t burst) {
  bucket::LimitSpec spec;
  spec.name = kQuota.limit;
  spec.rate = Rate::per_second(1);
  spec.burst = whole(burst);
  spec.mode = bucket::Mode::kStrict;
  return spec;
}

struct Shard {
  TokenStore store{ShardId(0), 1};
  std::uint64_t index = 0;
  base::Duration stamp{0};

  Shard() { configure(quota(10)); }
  Outcome apply(const Command& command) {
    Outcome outcome = store.apply(++index, command);
    store.check_invariants();
    return outcome;
  }
  void configure(const bucket::LimitSpec& spec) {
    apply(Configure{.stamp = stamp, .limits = {spec}, .dropped = {}});
  }
  StrictAnswer reserve(std::uint64_t id, std::int64_t cost, std::uint64_t holder = 1) {
    return apply(StrictBatch{.stamp = stamp,
                             .takes = {{.ledger = kQuota,
                                        .id = {id, id},
                                        .issued = stamp,
                                        .cost = whole(cost),
                                        .reserve = true,
                                        .holder = holder}},
                             .settles = {}})
        .answers.at(0);
  }
  Settled settle(std::uint64_t id, std::int64_t actual, std::uint64_t holder = 0) {
    return apply(StrictBatch{.stamp = stamp,
                             .takes = {},
                             .settles = {{.ledger = kQuota,
                                          .id = {id, id},
                                          .actual = whole(actual),
                                          .holder = holder}}})
        .settled.at(0);
  }
  [[nodiscard]] Tokens level() const { return store.strict().at(kQuota).level; }
};

TEST_CASE("a strict reservation is settled once, and a repeated settlement is told the same") {
  Shard shard;
  REQUIRE(shard.reserve(1, 8).admitted);
  CHECK(shard.settle(1, 3) == Settled{.conflict = false, .refunded = whole(5)});
  CHECK(shard.level() == whole(7));
  CHECK(shard.settle(1, 3) == Settled{.conflict = false, .refunded = whole(5)});
  CHECK(shard.settle(1, 2).conflict);
  CHECK(shard.level() == whole(7));
}

TEST_CASE("shard time that passes eats into a strict reservation") {
  Shard shard;
  REQUIRE(shard.reserve(1, 8).admitted);
  shard.stamp = base::seconds(3);
  REQUIRE(shard.reserve(2, 1).admitted);  // 4 left; 4 + 8 > 10 - 0 only later
  shard.stamp = base::seconds(6);
  const Settled settled = shard.settle(1, 0);
  CHECK(settled.refunded <= whole(2) + Tokens::micro(1));
  CHECK(settled.refunded >= whole(2) - Tokens::micro(1));
  CHECK(shard.level() + shard.store.reservations().refundable(kQuota.limit, {}) <= whole(10));
}

TEST_CASE("an acquire that was called off is not charged any more") {
  Shard shard;
  CHECK(shard.settle(1, 0) == Settled{});
  CHECK_FALSE(shard.reserve(1, 8).admitted);
  CHECK(shard.reserve(2, 10).admitted);
}

TEST_CASE(
    "a client's id that was given back may be used anew; what came in between stays charged") {
  Shard shard;
  REQUIRE(shard.reserve(1, 8, 5).admitted);
  CHECK(shard.reserve(1, 8, 5).applied == Applied::kDone);  // the same ask, repeated
  CHECK(shard.settle(1, 0, 5).refunded == whole(8));
  CHECK(shard.level() == whole(10));
  REQUIRE(shard.reserve(1, 8, 6).admitted);
  CHECK(shard.level() == whole(2));
  CHECK(shard.settle(1, 0, 5) == Settled{});  // the give-back, repeated, must not touch this one
  CHECK(shard.level() == whole(2));
}

TEST_CASE("an id that another ask was told of too is not given back") {
  Shard shard;
  REQUIRE(shard.reserve(1, 8, 5).admitted);
  CHECK(shard.reserve(1, 8, 6).applied == Applied::kDuplicate);
  CHECK(shard.settle(1, 0, 5) == Settled{});
  CHECK(shard.settle(1, 0, 6) == Settled{});
  CHECK(shard.level() == whole(2));
  CHECK(shard.settle(1, 1).refunded == whole(7));  // but settled by who used it
}

TEST_CASE("a limit that is lowered or deleted refunds no more than it has room for") {
  Shard shard;
  REQUIRE(shard.reserve(1, 8).admitted);
  shard.configure(quota(5));
  CHECK(shard.settle(1, 0).refunded == whole(3));
  REQUIRE(shard.reserve(2, 5).admitted);
  shard.apply(Configure{.stamp = shard.stamp, .limits = {}, .dropped = {kQuota.limit}});
  CHECK(shard.store.reservations().empty());
  shard.configure(quota(10));
  CHECK(shard.settle(2, 0) == Settled{});
}

TEST_CASE("a raise does not bring back what minting ate before it") {
  Shard shard;
  REQUIRE(shard.reserve(1, 10).admitted);
  shard.stamp = base::seconds(4);
  shard.configure(quota(100));
  CHECK(shard.store.reservations().refundable(kQuota.limit, {}) <= whole(6));
}

TEST_CASE("reservations survive as records, and expire with their window") {
  Shard shard;
  REQUIRE(shard.reserve(1, 8).admitted);
  REQUIRE(shard.reserve(2, 2).admitted);
  (void)shard.settle(2, 1);
  TokenStore copy(ShardId(0), 1);
  REQUIRE(copy.restore(shard.store.records()));
  CHECK(copy.records() == shard.store.records());
  const auto writes = shard.store.take_writes();
  std::map<std::string, StateRecord> disk;
  for (const RecordWrite& write : writes) {
    if (!write.dropped) {
      disk.emplace(write.key, write.record);
    }
  }
  CHECK(disk.size() == shard.store.records().size());
  shard.stamp = Reservations::kWindow + base::seconds(1);
  CHECK(shard.reserve(3, 1).admitted);
  CHECK(shard.store.reservations().count() == 1);
  CHECK(shard.settle(1, 0) == Settled{});
}

TEST_CASE("records of reservations that cannot be are refused") {
  Shard shard;
  std::vector<StateRecord> records = shard.store.records();
  records.emplace_back(Reservation{.reserved = whole(1), .refundable = whole(2)});
  CHECK_FALSE(TokenStore(ShardId(0), 1).restore(records));
}

}  // namespace
}  // namespace brigade::node
