// Worlds whose clients reserve and settle, and ask for several limits at once.
#include <cstdint>

#include <doctest/doctest.h>

#include "sim/cluster/campaign.h"
#include "sim/cluster/virtual_queue.h"

namespace brigade::sim {
namespace {

TimePoint at(std::int64_t ms) {
  return TimePoint(base::milliseconds(ms));
}

TEST_CASE("a cost that turns out smaller counts from when it was taken") {
  const base::Rate rate = base::Rate::per_second(10);
  VirtualQueue queue;
  const auto entry = queue.open(at(0), Tokens::whole(20));
  queue.add(at(500), Tokens::whole(6));
  CHECK(queue.level(at(500), rate) == Tokens::whole(21));
  queue.set(entry, Tokens::whole(5));  // drained by 500 ms
  CHECK(queue.level(at(500), rate) == Tokens::whole(6));
  queue.close(entry);
  queue.set(entry, Tokens::whole(20));
  CHECK(queue.level(at(800), rate) == Tokens::whole(3));
}

TEST_CASE("what is known late counts from when it was decided") {
  const base::Rate rate = base::Rate::per_second(10);
  VirtualQueue queue(base::seconds(1));
  queue.add(at(900), Tokens::whole(10));
  CHECK(queue.level(at(1000), rate) == Tokens::whole(9));
  queue.add(at(500), Tokens::whole(10));
  CHECK(queue.level(at(1000), rate) == Tokens::whole(15));
}

TEST_CASE("W stays within the burst while reservations of every kind are settled") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto verdict = try_cluster({.seed = seed, .faults = seed > 1, .reserve = true});
    CAPTURE(seed);
    CHECK_MESSAGE(verdict.held, verdict.broken);
    CHECK_MESSAGE(verdict.stalled.empty(), verdict.stalled);
    if (seed == 1) {
      CHECK(verdict.totals.settled > 100);
      CHECK(verdict.totals.refunded > Tokens::whole(100));
    }
  }
}

bool caught(node::Plant plant, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (!try_cluster({.seed = seed, .faults = true, .reserve = true, .plant = plant}).held) {
      return true;
    }
  }
  return false;
}

TEST_CASE("planted bugs of refunds are caught") {
  CHECK(caught(node::Plant::kRefundTwice, 6));
  CHECK(caught(node::Plant::kRefundUncapped, 6));
  CHECK(caught(node::Plant::kRefundUsed, 6));
}

}  // namespace
}  // namespace brigade::sim
