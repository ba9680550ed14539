// A whole node that is a cluster of its own: the way of requests and of an operator's commands.
#include <doctest/doctest.h>

#include "tests/node/alone.h"

namespace brigade::node {
namespace {

TEST_CASE("a cluster of one serves a declared limit to its burst, and no other") {
  Alone alone;
  CHECK(alone.acquire(of("a", 1)).verdict == Verdict::kUnknownLimit);
  alone.declare({limit("a", 10)});
  CHECK(alone.acquire(of("a", 10)).admitted());
  CHECK(alone.acquire(of("a", 2)).verdict == Verdict::kRefused);
  CHECK(alone.acquire(of("a", 11)).verdict == Verdict::kNever);
}

TEST_CASE("a whole with a strict part takes the local part once") {
  Alone alone;
  alone.declare({limit("a", 10), strict_limit("s", 3)});
  CHECK(alone.acquire_all({of("a", 1), of("s", 3)}).admitted());
  const Tokens before = alone.remaining("a");
  CHECK_FALSE(alone.acquire_all({of("a", 1), of("s", 3)}).admitted());
  CHECK(alone.remaining("a") >= before);
}

TEST_CASE("one strict id has one effect") {
  Alone alone;
  alone.declare({strict_limit("s", 3)});
  AcquireRequest request = of("s", 3);
  request.id = "order-7";
  CHECK(alone.acquire(request).admitted());
  CHECK(alone.acquire(request).admitted());
  CHECK_FALSE(alone.acquire(of("s", 3)).admitted());
}

TEST_CASE("a key is needed exactly where the limit has keys") {
  Alone alone;
  alone.declare({limit("a", 10), keyed_limit("k", 3)});
  CHECK(alone.acquire(of("k", 1)).verdict == Verdict::kKeyMissing);
  CHECK(alone.acquire(of_key("a", "x", 1)).verdict == Verdict::kKeyUnwanted);
}

TEST_CASE("an id is refused where the same one would be charged twice") {
  Alone alone;
  alone.declare({limit("a", 10), keyed_limit("k", 10), strict_limit("s", 10)});
  const Tokens before = alone.remaining("a");
  CHECK(alone.acquire({.limit = "a", .id = "x"}).verdict == Verdict::kIdUnwanted);
  CHECK(alone.acquire({.limit = "k", .key = "ann", .id = "x"}).verdict == Verdict::kIdUnwanted);
  CHECK(alone.remaining("a") >= before);
  CHECK(alone.acquire({.limit = "s", .id = "x"}).admitted());
  const Decision whole = alone.acquire_all({{.limit = "s", .id = "y"}, {.limit = "a", .id = "y"}});
  CHECK(whole.verdict == Verdict::kIdUnwanted);
  CHECK(whole.refused_by == 1);
}

TEST_CASE("a priority is a class of the limit, and a cost is no debt") {
  Alone alone;
  bucket::LimitSpec classed = limit("a", 10);
  classed.priorities = {{.name = "bulk", .reserved = 250}};
  alone.declare({classed});
  AcquireRequest request = of("a", 1);
  request.priority = "bulk";
  CHECK(alone.acquire(request).admitted());
  request.priority = "gold";
  CHECK(alone.acquire(request).verdict == Verdict::kUnknownPriority);
  CHECK(alone.acquire(of("a", -1)).verdict == Verdict::kBadRequest);
}

TEST_CASE("a cost that never fits is refused for good, and told what is left") {
  Alone alone;
  alone.declare(
      {limit("a", 10), keyed_limit("k", 5), keyed_limit("slow", 50), strict_limit("s", 10)});
  alone.run(6000);  // until keys that nobody used are full
  REQUIRE(alone.acquire(of_key("k", "ann", 2)).admitted());
  REQUIRE(alone.acquire(of_key("slow", "ann", 2)).admitted());
  REQUIRE(alone.acquire(of("s", 2)).admitted());
  const Decision keyed = alone.acquire(of_key("k", "ann", 6));
  CHECK(keyed.verdict == Verdict::kNever);
  CHECK(keyed.source == Source::kHome);
  CHECK(keyed.remaining.floor() == 3);
  CHECK(keyed.burst == Tokens::whole(5));
  const Decision slow = alone.acquire(of_key("slow", "ann", 51));
  CHECK(slow.verdict == Verdict::kNever);
  CHECK(slow.remaining.floor() == 48);
  const Decision strict = alone.acquire(reserving(of("s", 11)));
  CHECK(strict.verdict == Verdict::kNever);
  CHECK(strict.source == Source::kStrict);
  CHECK(strict.remaining.floor() == 8);
  CHECK(strict.reservation.sequence == 0);
}

TEST_CASE("what a limit's leader decides is counted by the node that was asked") {
  Alone alone;
  alone.declare({keyed_limit("k", 3), strict_limit("s", 3)});
  AcquireRequest request = of_key("k", "x", 3);
  alone.run(4000);  // until a key that nobody used is full
  CHECK(alone.acquire(request).admitted());
  CHECK_FALSE(alone.acquire(request).admitted());
  request.peek = true;
  CHECK_FALSE(alone.acquire(request).admitted());
  CHECK(alone.acquire(of("s", 2)).admitted());
  CHECK_FALSE(alone.acquire(of("s", 2)).admitted());
  const AdminReply reply = alone.admin(GetStatus{});
  REQUIRE(std::holds_alternative<StatusView>(reply));
  const auto& limits = std::get<StatusView>(reply).limits;
  REQUIRE(limits.size() == 2);
  CHECK(limits[0].buckets[0].admitted_total == 3);
  CHECK(limits[0].buckets[0].refused_total == 3);
  CHECK(limits[1].buckets[0].admitted_total == 2);
  CHECK(limits[1].buckets[0].refused_total == 2);
}

TEST_CASE("a slow key's first request waits for the log, and the next ones need not") {
  Alone alone;
  alone.declare({keyed_limit("slow", 1000)});  // 1000 s to fill up
  AcquireRequest request = of_key("slow", "alice", 1);
  // The first of all waits for authority, too.
  CHECK(alone.acquire(request).admitted());
  const auto second = alone.node().acquire(request, 1'000'000, alone.now());
  REQUIRE(second);
  CHECK(second->admitted());
  CHECK(second->remaining >= Tokens::whole(998));
  CHECK(second->remaining < Tokens::whole(999));
  request.cost = Tokens::whole(990);
  CHECK_FALSE(alone.node().acquire(request, 1'000'001, alone.now()));  // more than a chunk
  alone.run(10);
  CHECK(alone.acquire(request).verdict == Verdict::kRefused);
}

TEST_CASE("CL.THROTTLE's slow limits wait for the log as well") {
  Alone alone;
  const ThrottleRequest request{.key = "alice", .max_burst = 99, .count = 1, .period_s = 60};
  for (Ticket ticket = 1000; ticket < 1100; ++ticket) {
    const auto decision =
        alone.decided(alone.node().throttle(request, ticket, alone.now()), ticket);
    CHECK(decision.admitted());
  }
  const auto refused = alone.node().throttle(request, 2000, alone.now());
  REQUIRE(refused);
  CHECK(refused->verdict == Verdict::kRefused);
  CHECK(refused->retry_after > base::seconds(50));
}

TEST_CASE("CL.THROTTLE tells what is left also of a quantity that never fits") {
  Alone alone;
  ThrottleRequest request{.key = "alice", .max_burst = 15, .count = 30, .period_s = 60};
  Ticket ticket = 1000;
  const auto ask = [&](std::int64_t quantity) {
    request.quantity = quantity;
    ++ticket;
    return alone.decided(alone.node().throttle(request, ticket, alone.now()), ticket);
  };
  const Decision fresh = ask(17);
  CHECK(fresh.verdict == Verdict::kNever);
  CHECK(fresh.remaining == Tokens::whole(16));
  CHECK(fresh.reset_after() == base::Duration::zero());
  CHECK(ask(1).reset_after() == base::seconds(2));  // as declared, not as a wrong clock mints
  const Decision later = ask(17);
  CHECK(later.verdict == Verdict::kNever);
  CHECK(later.remaining.floor() == 15);
}

TEST_CASE("a strict limit tells when it is full again") {
  Alone alone;
  alone.declare({strict_limit("s", 10)});
  CHECK(alone.acquire(of("s", 4)).reset_after() == base::seconds(4));
}

TEST_CASE("what a reservation on a slow key does not use comes back") {
  Alone alone;
  alone.declare({keyed_limit("slow", 1000)});
  const Decision reserved = alone.acquire(reserving(of_key("slow", "alice", 900)));
  REQUIRE(reserved.admitted());
  REQUIRE(reserved.reservation.sequence != 0);
  CHECK(alone.settle(reserved.reservation, 100).refunded >= Tokens::whole(799));
  alone.run(10);
  const std::map<ShardId, std::unique_ptr<Replica>>& replicas = alone.node().replicas();
  const HomeDesk& desk = *replicas.begin()->second->home();
  const LedgerId id{.limit = "slow", .key = KeySpace("slow").hash("alice")};
  CHECK(desk.level(id, alone.now()) >= Tokens::whole(899));
  CHECK(desk.level(id, alone.now()) < Tokens::whole(902));
  // Not more of it than a chunk can be lost.
  CHECK(desk.ahead().credit(id, alone.now()) <= Tokens::whole(100));
}

TEST_CASE("a slow limit of a few tokens admits each of them") {
  Alone alone;
  const ThrottleRequest request{.key = "alice", .max_burst = 2, .count = 1, .period_s = 60};
  for (Ticket ticket = 1000; ticket < 1005; ++ticket) {
    const auto decision =
        alone.decided(alone.node().throttle(request, ticket, alone.now()), ticket);
    CHECK(decision.admitted() == (ticket < 1003));
  }
}

TEST_CASE("a limit of few tokens is decided by the leader of its shard, like a key") {
  Alone alone;
  alone.declare({undivided_limit("few", 2)});
  for (int i = 0; i < 3; ++i) {
    const Decision decision = alone.acquire(of("few", 1));
    CHECK(decision.admitted() == (i < 2));
    CHECK(decision.source == Source::kHome);
    alone.run(1);  // fractions of a micro-token are nobody's
  }
  alone.run(1100);
  const Decision reserved = alone.acquire(reserving(of("few", 1)));
  REQUIRE(reserved.admitted());
  CHECK(alone.settle(reserved.reservation, 0).refunded > Tokens{});
  // It is divided when its owner says how, and begins like any limit that changes its kind: empty.
  alone.declare({limit("few", 2)});
  CHECK_FALSE(alone.acquire(of("few", 1)).admitted());
  alone.run(1100);
  CHECK(alone.acquire(of("few", 1)).source == Source::kLocal);
}

TEST_CASE("as many requests wait for few tokens as their limit says") {
  Alone alone;
  bucket::LimitSpec few = undivided_limit("few", 1);
  few.queue = {.max_wait = base::seconds(5), .max_waiting = 1};
  alone.declare({few});
  AcquireRequest waits = of("few", 1);
  REQUIRE(alone.acquire(waits).admitted());
  waits.wait = base::seconds(5);
  const Ticket first = 1000;
  REQUIRE_FALSE(alone.node().acquire(waits, first, alone.now()));
  alone.run(1);
  CHECK(alone.acquire(waits).verdict == Verdict::kTooManyWaiting);
  alone.node().abandon(first, alone.now());
  CHECK(alone.acquire(waits).admitted());
  CHECK(alone.acquire(waits).admitted());
}

TEST_CASE("a reservation is settled once, by its own id") {
  Alone alone;
  alone.declare({limit("a", 10)});
  const Decision decision = alone.acquire(reserving(of("a", 8)));
  REQUIRE(decision.admitted());
  REQUIRE(decision.reservation.sequence != 0);
  const SettleReply settled = alone.settle(decision.reservation, 3);
  CHECK(settled.verdict == SettleVerdict::kSettled);
  CHECK(settled.refunded > Tokens::whole(4));
  CHECK(settled.refunded <= Tokens::whole(5));
  CHECK(alone.settle(decision.reservation, 3).verdict == SettleVerdict::kConflict);
  ReservationId foreign = decision.reservation;
  foreign.node = 99;
  CHECK(alone.settle(foreign, 0).verdict == SettleVerdict::kUnknown);
}

TEST_CASE("a deleted limit is refused at once and starts empty when it is made anew") {
  Alone alone;
  alone.declare({limit("a", 10)});
  REQUIRE(alone.acquire(of("a", 1)).admitted());
  REQUIRE(std::holds_alternative<Done>(alone.admin(DeleteLimit{.name = "a"})));
  alone.run(1000);
  CHECK(alone.acquire(of("a", 1)).verdict == Verdict::kUnknownLimit);
  alone.declare({limit("a", 10)});
  CHECK(alone.acquire(of("a", 9)).verdict == Verdict::kRefused);
}

TEST_CASE("of a deleted limit nothing is kept, whatever its kind") {
  Alone alone;
  alone.declare({limit("api", 10), keyed_limit("users", 10), strict_limit("s", 10)});
  const Decision kept = alone.acquire({.limit = "api", .cost = Tokens::whole(4), .reserve = true});
  REQUIRE(kept.admitted());
  REQUIRE(alone.node().buckets(alone.now()).size() == 3);
  alone.declare({limit("other", 10)});
  alone.admin(PutLimits{.limits = {limit("other", 10)}, .prune = true});
  alone.run(2000);
  CHECK(alone.node().buckets(alone.now()).size() == 1);
  CHECK(alone.node().shared("api") == nullptr);
  CHECK(alone.acquire(of("api", 1)).verdict == Verdict::kUnknownLimit);
  const SettleReply reply = alone.settle(kept.reservation, 5);
  CHECK(reply.verdict == SettleVerdict::kSettled);
  CHECK(reply.refunded == Tokens{});
  CHECK(reply.overdraft == Tokens::whole(1));
}

TEST_CASE("a limit that becomes keyed keeps no bucket here, and gets one when it is shared again") {
  Alone alone;
  alone.declare({limit("api", 10)});
  alone.declare({keyed_limit("api", 10)});
  alone.run(2000);
  CHECK(alone.node().shared("api") == nullptr);
  bucket::LimitSpec again = limit("api", 10);
  again.rate = Rate::per_second(100);
  alone.declare({again});
  alone.run(500);
  CHECK(alone.acquire(of("api", 10)).admitted());
}

TEST_CASE("an acquire of several limits is refused when one of them is deleted meanwhile") {
  Alone alone;
  alone.declare({limit("a", 10), strict_limit("s", 10), strict_limit("z", 10)});
  alone.stall_disk(true);
  const auto whole = std::vector{of("a", 1), of("s", 1), of("z", 1)};
  REQUIRE_FALSE(alone.node().acquire_all(whole, 900, alone.now()));
  const Ticket deletes = 901;
  alone.node().admin(DeleteLimit{.name = "z"}, deletes, alone.now());
  alone.run(20);
  alone.stall_disk(false);
  alone.run(3000);
  CHECK(alone.acquire(of("s", 10)).admitted());
}

TEST_CASE("a node that learns that it was removed is not ready any more, and says why") {
  Alone alone;
  alone.node().received(
      NodeId(9),
      ReplicaGone{.shard = ShardId(0), .replica = replica_id(kSelf, 0), .node_removed = true},
      alone.now());
  CHECK(alone.node().removed());
  CHECK_FALSE(alone.node().ready(alone.now()));
  CHECK(alone.node().not_ready_because(alone.now()) == "removed from the cluster for good");
}

TEST_CASE("a node that drains refuses, hands its rights back and says when it is done") {
  Alone alone;
  alone.declare({limit("a", 10)});
  alone.node().drain(alone.now());
  CHECK(alone.acquire(of("a", 1)).verdict == Verdict::kDraining);
  alone.run(6000);
  CHECK(alone.node().drained());
  // It is about to end: no operator may have it take new rights now.
  CHECK(std::holds_alternative<Refusal>(alone.admin(Drain{.undo = true})));
}

TEST_CASE(
    "a drained node takes part again when its drain is undone, with the tokens it gave back") {
  Alone alone;
  const bucket::LimitSpec strict = strict_limit("s", 3);
  alone.declare({limit("a", 100), strict});
  alone.run(100'000);
  REQUIRE(alone.acquire(of("a", 90)).admitted());
  REQUIRE(std::holds_alternative<Done>(alone.admin(Drain{})));
  CHECK(alone.node().drained());
  CHECK_FALSE(alone.node().ready(alone.now()));
  CHECK(alone.acquire(of("a", 1)).verdict == Verdict::kDraining);
  CHECK(alone.acquire(of("s", 1)).verdict == Verdict::kDraining);
  // A limit that comes meanwhile is served afterwards as well.
  REQUIRE(std::holds_alternative<Done>(
      alone.admin(PutLimits{.limits = {limit("a", 100), strict, limit("late", 10)}})));
  REQUIRE(std::holds_alternative<Done>(alone.admin(Drain{.undo = true})));
  alone.run(1000);
  CHECK(alone.acquire(of("late", 5)).admitted());
  CHECK(alone.node().ready(alone.now()));
  CHECK_FALSE(alone.acquire(of("a", 20)).admitted());  // what was spent before is spent
  CHECK(alone.acquire(of("a", 8)).admitted());
  CHECK(alone.acquire(of("s", 1)).admitted());
}

TEST_CASE("several limits are taken all or not at all") {
  Alone alone;
  alone.declare({limit("a", 100), limit("b", 10)});
  const Decision both = alone.acquire_all({of("a", 50), of("b", 5)});
  CHECK(both.admitted());
  CHECK(both.each.size() == 2);
  const Tokens before = alone.remaining("a");
  const Decision refused = alone.acquire_all({of("a", 10), of("b", 9)});
  CHECK_FALSE(refused.admitted());
  CHECK(refused.refused_by == 1);
  CHECK(alone.remaining("a") >= before);  // what was taken came back
}

TEST_CASE("one senseless part refuses the whole and takes nothing") {
  Alone alone;
  alone.declare({limit("a", 10)});
  const Tokens before = alone.remaining("a");
  CHECK(alone.acquire_all({of("a", 5), of("nowhere", 1)}).verdict == Verdict::kUnknownLimit);
  CHECK(alone.acquire_all({of("a", 5), of("a", 11)}).verdict == Verdict::kNever);
  CHECK(alone.remaining("a") >= before);
}

TEST_CASE("an operator's mistakes are refused with a reason") {
  Alone alone;
  const AdminReply senseless = alone.admin(PutLimits{.limits = {limit("a b", 10)}});
  REQUIRE(std::holds_alternative<Refusal>(senseless));
  CHECK(std::get<Refusal>(senseless).message.find("a b") != std::string::npos);
  const AdminReply missing = alone.admin(DeleteLimit{.name = "nowhere"});
  REQUIRE(std::holds_alternative<Refusal>(missing));
  CHECK(std::get<Refusal>(missing).kind == Refusal::Kind::kNotFound);
}

TEST_CASE("an override is cleared once") {
  Alone alone;
  alone.declare({limit("a", 100)});
  const PutOverride set{.override_ = {.limit = "a", .node = "n1", .freeze = true}};
  CHECK(std::holds_alternative<Done>(alone.admin(set)));
  CHECK(std::holds_alternative<Done>(alone.admin(DeleteOverride{.limit = "a", .node = "n1"})));
  const AdminReply again = alone.admin(DeleteOverride{.limit = "a", .node = "n1"});
  REQUIRE(std::holds_alternative<Refusal>(again));
  CHECK(std::get<Refusal>(again).kind == Refusal::Kind::kNotFound);
}

TEST_CASE("reservations on keyed and strict limits are settled once, by their own id") {
  Alone alone;
  alone.declare({keyed_limit("k", 10), strict_limit("s", 10)});
  for (const AcquireRequest& request : {of_key("k", "x", 8), of("s", 8)}) {
    CAPTURE(request.limit);
    const Decision decision = alone.acquire(reserving(request));
    REQUIRE(decision.admitted());
    REQUIRE(decision.reservation.sequence != 0);
    const SettleReply settled = alone.settle(decision.reservation, 3);
    CHECK(settled.verdict == SettleVerdict::kSettled);
    CHECK(settled.refunded > Tokens::whole(4));
    CHECK(settled.refunded <= Tokens::whole(5));
    CHECK(alone.settle(decision.reservation, 3).verdict == SettleVerdict::kConflict);
    AcquireRequest peek = request;
    peek.peek = true;
    peek.cost = Tokens::whole(7);
    CHECK(alone.acquire(peek).admitted());
  }
}

TEST_CASE("a settlement above the reservation reports an overdraft and takes nothing") {
  Alone alone;
  alone.declare({keyed_limit("k", 10)});
  const Decision decision = alone.acquire(reserving(of_key("k", "x", 4)));
  const SettleReply settled = alone.settle(decision.reservation, 9);
  CHECK(settled.refunded == Tokens{});
  CHECK(settled.overdraft == Tokens::whole(5));
  CHECK(alone.acquire(of_key("k", "x", 6)).admitted());
}

TEST_CASE("a reservation of what a shadow limit let pass refunds nothing") {
  Alone alone;
  bucket::LimitSpec shared = limit("a", 10);
  bucket::LimitSpec keyed = keyed_limit("k", 10);
  shared.shadow = true;
  keyed.shadow = true;
  alone.declare({shared, keyed});
  for (const AcquireRequest& request : {of("a", 10), of_key("k", "x", 10)}) {
    CAPTURE(request.limit);
    REQUIRE(alone.acquire(request).admitted());
    const Decision passed = alone.acquire(reserving(request));
    REQUIRE(passed.source == Source::kShadow);
    CHECK(alone.settle(passed.reservation, 0).refunded == Tokens{});
  }
}

// Three kinds of limits that only count, each with room for 5.
std::vector<bucket::LimitSpec> shadows() {
  std::vector<bucket::LimitSpec> limits{limit("a", 5), keyed_limit("k", 5), strict_limit("s", 5)};
  for (bucket::LimitSpec& one : limits) {
    one.shadow = true;
  }
  limits[1].max_keys = 1;
  return limits;
}

TEST_CASE("a limit that only counts refuses nothing, for whatever reason it would have") {
  Alone alone;
  alone.declare(shadows());
  const auto passes = [&](const AcquireRequest& request) {
    CAPTURE(request.limit);
    const Decision decision = alone.acquire(request);
    CHECK(decision.admitted());
    CHECK(decision.source == Source::kShadow);
    CHECK(decision.retry_after == Duration::zero());
  };
  for (const AcquireRequest& request : {of("a", 6), of_key("k", "x", 6), of("s", 6)}) {
    passes(request);
    const Decision kept = alone.acquire(reserving(request));
    CHECK(kept.source == Source::kShadow);
    CHECK(alone.settle(kept.reservation, 0).verdict == SettleVerdict::kSettled);
  }
  alone.run(6000);
  CHECK(alone.acquire(of_key("k", "x", 1)).source == Source::kHome);
  passes(of_key("k", "y", 1));  // max_keys is reached
  const auto views = std::get<StatusView>(alone.admin(GetStatus{})).limits;
  REQUIRE(views.size() == 3);
  CHECK(views[0].buckets[0].refused_total == 12);
  CHECK(views[1].buckets[0].refused_total == 13);
  CHECK(views[1].buckets[0].admitted_total == 1);
  CHECK(views[2].buckets[0].refused_total == 12);
  alone.stall_disk(true);
  passes(of("s", 1));  // nobody decides in time
}

TEST_CASE("a limit that only counts lets an acquire of several limits pass") {
  Alone alone;
  std::vector<bucket::LimitSpec> limits = shadows();
  limits.push_back(limit("real", 10));
  alone.declare(limits);
  for (const AcquireRequest& request : {of("a", 6), of_key("k", "x", 6), of("s", 6)}) {
    CAPTURE(request.limit);
    const Tokens before = alone.remaining("real");
    const Decision decision = alone.acquire_all({reserving(request), of("real", 2)});
    REQUIRE(decision.admitted());
    REQUIRE(decision.each.size() == 2);
    CHECK(decision.each[0].source == Source::kShadow);
    CHECK(alone.settle(decision.each[0].reservation, 0).verdict == SettleVerdict::kSettled);
    CHECK(alone.remaining("real") < before);
  }
}

TEST_CASE("a part that can never be admitted is told from the others") {
  Alone alone;
  alone.declare({limit("a", 10), keyed_limit("k", 10)});
  const Decision refused = alone.acquire_all({of("a", 5), of_key("k", "x", 11)});
  CHECK(refused.verdict == Verdict::kNever);
  CHECK(refused.refused_by == 1);
  REQUIRE(refused.each.size() == 2);
  CHECK(refused.each[0].verdict == Verdict::kRefused);
  CHECK(refused.each[1].verdict == Verdict::kNever);
}

TEST_CASE("what an acquire of several limits took at shards' leaders comes back on a refusal") {
  Alone alone;
  alone.declare(
      {limit("a", 10), keyed_limit("k", 10), strict_limit("s", 10), strict_limit("z", 10)});
  REQUIRE(alone.acquire(of("z", 5)).admitted());
  // In limit order: k and s are charged when z refuses.
  const Decision refused =
      alone.acquire_all({of("z", 8), of("s", 8), of_key("k", "x", 8), of("a", 8)});
  CHECK_FALSE(refused.admitted());
  CHECK(refused.refused_by == 0);
  alone.run(5);
  CHECK(alone.acquire_all({of("s", 10), of_key("k", "x", 10), of("a", 9)}).admitted());
}

TEST_CASE("several limits in one acquire may each be reserved") {
  Alone alone;
  alone.declare({limit("a", 10), keyed_limit("k", 10), strict_limit("s", 10)});
  const Decision all = alone.acquire_all(
      {reserving(of("a", 8)), reserving(of_key("k", "x", 8)), reserving(of("s", 8))});
  REQUIRE(all.admitted());
  REQUIRE(all.each.size() == 3);
  for (const Decision& one : all.each) {
    const SettleReply settled = alone.settle(one.reservation, 3);
    CHECK(settled.verdict == SettleVerdict::kSettled);
    CHECK(settled.refunded > Tokens::whole(4));
  }
  // Without being asked for, nothing of it can come back any more.
  const Decision plain = alone.acquire_all({of("a", 2), of_key("k", "x", 2), of("s", 2)});
  REQUIRE(plain.admitted());
  for (const Decision& one : plain.each) {
    CHECK(one.reservation.sequence == 0);
  }
}

TEST_CASE("a client that goes away gets back what was charged for it meanwhile") {
  Alone alone;
  alone.declare({limit("a", 10), keyed_limit("k", 10), strict_limit("s", 10)});
  const auto whole = std::vector{of_key("k", "x", 8), of("s", 8), of("a", 8)};
  REQUIRE_FALSE(alone.node().acquire_all(whole, 900, alone.now()));
  SUBCASE("before anything was charged at a leader") {
    alone.node().abandon(900, alone.now());
  }
  SUBCASE("after its first part was") {
    Actions out;
    alone.node().settle(alone.now(), out);  // what storage must write is lost with `out`
    alone.node().abandon(900, alone.now());
    for (GroupWrite& write : out.writes) {
      alone.node().persisted(std::move(write), alone.now());
    }
  }
  alone.run(50);
  CHECK(alone.acquire_all({of("s", 10), of_key("k", "x", 10), of("a", 9)}).admitted());
}

TEST_CASE("minting eats into what an acquire of several limits may give back here") {
  Alone alone;
  bucket::LimitSpec quick = limit("a", 10);
  quick.rate = Rate::per_second(100);
  alone.declare({quick, strict_limit("s", 10)});
  const auto whole = std::vector{of("a", 8), of("s", 1)};
  alone.stall_disk(true);
  REQUIRE_FALSE(alone.node().acquire_all(whole, 900, alone.now()));
  alone.run(60);  // 6 tokens' worth of time, while the strict part waits for the disk
  REQUIRE(alone.acquire(of("a", 7)).admitted());
  alone.node().abandon(900, alone.now());
  CHECK(alone.remaining("a") < Tokens::whole(5));
  alone.stall_disk(false);
  alone.run(50);
  CHECK(alone.acquire(of("s", 10)).admitted());
}

// What is admitted of one bucket while a change of its limit takes 12 s to be applied, and right
// after.
Tokens admitted_around(const bucket::LimitSpec& before, const AdminRequest& change,
                       const bucket::LimitSpec& after, Plant plant) {
  Alone alone(plant);
  alone.declare({before});
  AcquireRequest one = before.per_key ? of_key("k", "alice", 1) : of("k", 1);
  const auto admitted_at_once = [&] {
    const auto decision = alone.node().acquire(one, 1000, alone.now());
    alone.node().abandon(1000, alone.now());
    return decision && decision->admitted();
  };
  one.peek = true;
  REQUIRE(alone.acquire(one).admitted());
  alone.stall_disk(true);
  alone.node().admin(change, 900, alone.now());
  for (int i = 0; i < 120; ++i) {
    alone.run(100);
    admitted_at_once();  // the leader keeps its authority while somebody asks
  }
  one.peek = false;
  Tokens sum;
  while (admitted_at_once()) {
    sum += Tokens::whole(1);
  }
  alone.stall_disk(false);
  alone.run(10);
  alone.declare({after});
  while (alone.acquire(one).admitted()) {
    sum += Tokens::whole(1);
  }
  return sum;
}

TEST_CASE("a change of a keyed limit counts from its proposal: nothing is spent twice meanwhile") {
  bucket::LimitSpec fast = keyed_limit("k", 60);
  fast.rate = Rate::per_second(10);
  bucket::LimitSpec slow = fast;
  slow.rate = Rate::per_second(5);
  const PutLimits becomes_slow{.limits = {slow}};
  // The burst, and what a second mints while it is declared and spent.
  const Tokens most = Tokens::whole(60 + 5);
  const Tokens admitted = admitted_around(fast, becomes_slow, slow, Plant::kNone);
  CHECK(admitted >= Tokens::whole(55));
  CHECK(admitted <= most);
  CHECK(admitted_around(fast, becomes_slow, slow, Plant::kSpentWhileChanging) > most);
  // A limit that is deleted is over when that was proposed, and may be full again b/r later.
  const DeleteLimit deletion{.name = "k"};
  CHECK(admitted_around(fast, deletion, slow, Plant::kNone) <= most);
  CHECK(admitted_around(fast, deletion, slow, Plant::kSpentWhileChanging) > most);
}

TEST_CASE(
    "few tokens are not spent while it is on its way to the log that nodes get parts of them") {
  bucket::LimitSpec few = undivided_limit("k", 12);
  few.rate = Rate::per_second(2);
  bucket::LimitSpec divided = few;
  divided.burst = Tokens::whole(16);
  const PutLimits grows{.limits = {divided}};
  const Tokens most = Tokens::whole(16 + 2);
  const Tokens admitted = admitted_around(few, grows, divided, Plant::kNone);
  CHECK(admitted >= Tokens::whole(12));
  CHECK(admitted <= most);
  CHECK(admitted_around(few, grows, divided, Plant::kSpentWhileChanging) > most);
}

TEST_CASE("a client's own id that was given back with its acquire may be used again") {
  Alone alone;
  alone.declare({strict_limit("s", 10), strict_limit("z", 10)});
  REQUIRE(alone.acquire(of("z", 5)).admitted());
  AcquireRequest mine = of("s", 8);
  mine.id = "order-7";
  CHECK_FALSE(alone.acquire_all({mine, of("z", 8)}).admitted());
  alone.run(5);
  CHECK(alone.acquire(mine).admitted());
  CHECK(alone.acquire(mine).admitted());
  CHECK_FALSE(alone.acquire(of("s", 8)).admitted());  // it is charged now, once
}

}  // namespace
}  // namespace brigade::node
