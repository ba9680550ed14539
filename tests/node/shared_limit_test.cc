#include "node/shared_limit.h"

#include <array>

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr Account kMine(7);
constexpr NodeId kPeer(2);
constexpr Drift kExact{.ppm = 0};

Tokens whole(std::int64_t value) {
  return Tokens::whole(value);
}
Instant at(std::int64_t ms) {
  const TimePoint when{base::milliseconds(ms)};
  return {.slow = when, .fast = when};
}
ConfigRecord config() {
  ConfigRecord record{.spec = {}, .version = Version(3), .created = Version(3)};
  record.spec.name = "api";
  record.spec.rate = Rate::per_second(1000);
  record.spec.burst = whole(1000);
  record.spec.priorities = {{.name = "high", .reserved = 0}, {.name = "low", .reserved = 500}};
  record.spec.queue.max_wait = base::seconds(1);
  record.spec.queue.max_waiting = 3;
  return record;
}

// 100/s and room for 100 of a limit of 1000/s, valid until 3000 ms.
struct Limit {
  PeerBook peers{{}};
  SharedLimit limit;
  Actions out;

  explicit Limit(std::int64_t level, const ConfigRecord& record = config())
      : limit(record, KeyHash{}, {}, base::Prng(1), at(0)) {
    limit.purse().open(kMine, at(0).slow);
    limit.purse().renew(at(3000).fast);
    limit.purse().adopt(kMine,
                        {.ledger = limit.ledger(),
                         .rate = Rate::per_second(100),
                         .size = whole(100),
                         .granted = whole(level),
                         .epoch = Epoch(1)},
                        at(0), kExact);
  }
  Decision acquire(std::int64_t cost, Instant now, const char* priority = "",
                   SharedLimit::Fate fate = SharedLimit::Fate::kDecided) {
    Decision decision;
    CHECK(limit.acquire({.limit = "api", .cost = whole(cost), .priority = priority}, now,
                        decision) == fate);
    return decision;
  }
  Decision lacks(std::int64_t cost, Instant now, const char* priority = "") {
    return acquire(cost, now, priority, SharedLimit::Fate::kShort);
  }
  bool park(std::int64_t cost, Ticket ticket, Duration wait, Instant now,
            const char* priority = "") {
    Decision decision;
    return limit.park({.limit = "api", .cost = whole(cost), .wait = wait, .priority = priority},
                      ticket, peers, now, decision);
  }
  std::vector<Answer> turn(Instant now) {
    out.clear();
    limit.turn(peers, now, out);
    return out.answers;
  }
};

TEST_CASE("a request is decided at once while the bucket holds enough") {
  Limit one(50);
  const Decision decision = one.acquire(20, at(0));
  CHECK(decision.admitted());
  CHECK(decision.remaining == whole(30));
  CHECK(decision.valid_until == at(3000).fast);
  CHECK(decision.burst == whole(1000));
}

TEST_CASE("a short request takes nothing and is told when it can come again") {
  Limit one(10);
  const Decision refused = one.lacks(20, at(0));
  CHECK(refused.verdict == Verdict::kRefused);
  CHECK(refused.retry_after == base::milliseconds(100));
  CHECK(one.acquire(10, at(0)).admitted());
}

TEST_CASE("without rights nothing is admitted") {
  Limit one(50);
  CHECK(one.lacks(1, at(3000)).verdict == Verdict::kNoRights);
}

TEST_CASE("a cost that the limit can never hold is refused for ever, per class") {
  Limit one(50);
  CHECK(one.acquire(1001, at(0)).verdict == Verdict::kNever);
  CHECK(one.acquire(501, at(0), "low").verdict == Verdict::kNever);
  CHECK(one.lacks(500, at(0), "low").verdict == Verdict::kRefused);
}

TEST_CASE("a class spends only above its reserve") {
  Limit one(60);
  CHECK(one.acquire(10, at(0), "low").admitted());
  CHECK(one.lacks(1, at(0), "low").verdict == Verdict::kRefused);  // 50 of 100 are not for it
  CHECK(one.acquire(50, at(0), "high").admitted());
}

TEST_CASE("a limit that nobody asks for has nothing to do in turns") {
  Limit one(50);
  std::vector<std::size_t> awake;
  one.limit.report_to(awake, 3);
  CHECK(awake == std::vector<std::size_t>{3});
  CHECK_FALSE(one.limit.stays_awake(at(0)));
  awake.clear();
  CHECK(one.acquire(1, at(0)).admitted());
  CHECK(one.acquire(1, at(0)).admitted());
  CHECK(awake == std::vector<std::size_t>{3});
  (void)one.limit.report(at(100));
  CHECK(one.limit.stays_awake(at(100)));
  // The demand is over, and its steward does not know yet.
  CHECK(one.limit.stays_awake(at(60'000)));
  (void)one.limit.report(at(60'000));
  CHECK_FALSE(one.limit.stays_awake(at(60'000)));
}

TEST_CASE("a limit stays awake while somebody waits") {
  Limit one(10);
  std::vector<std::size_t> awake;
  one.limit.report_to(awake, 0);
  (void)one.lacks(20, at(0));
  REQUIRE(one.park(20, 9, base::seconds(1), at(0)));
  (void)one.limit.report(at(60'000));
  CHECK(one.limit.stays_awake(at(60'000)));
}

TEST_CASE("a peek answers as if and takes nothing, even beyond what is there") {
  Limit one(50);
  Decision decision;
  const AcquireRequest peek{.limit = "api", .cost = whole(20), .peek = true};
  CHECK(one.limit.acquire(peek, at(0), decision) == SharedLimit::Fate::kDecided);
  CHECK(decision.admitted());
  CHECK(one.acquire(50, at(0)).admitted());
  CHECK(one.limit.acquire(peek, at(0), decision) == SharedLimit::Fate::kDecided);
  CHECK(decision.verdict == Verdict::kRefused);
}

TEST_CASE("a shadow limit admits everything and counts what it would have refused") {
  ConfigRecord record = config();
  record.spec.shadow = true;
  Limit one(10, record);
  const Decision decision = one.acquire(50, at(0));
  CHECK(decision.admitted());
  CHECK(decision.source == Source::kShadow);
  CHECK(one.limit.purse().totals().refused == whole(50));
  CHECK(one.limit.purse().bucket().level() == whole(10));
  // Not even what it could never hold, and not without rights.
  CHECK(one.acquire(1001, at(0)).source == Source::kShadow);
  CHECK(one.acquire(5, at(3000)).source == Source::kShadow);
  CHECK(one.limit.purse().totals().refused == whole(50 + 1001 + 5));
}

TEST_CASE("a request that may wait is served when its tokens are minted") {
  Limit one(0);
  one.lacks(10, at(0));
  REQUIRE(one.park(10, 1, base::milliseconds(500), at(0)));
  CHECK(one.turn(at(50)).empty());
  const auto answers = one.turn(at(101));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].ticket == 1);
  CHECK(answers[0].decision.admitted());
}

TEST_CASE("waiting that cannot help is refused at once") {
  Limit one(0);
  CHECK_FALSE(one.park(10, 1, base::milliseconds(50), at(0)));  // needs 100 ms, no peers
  CHECK_FALSE(one.park(10, 1, Duration::zero(), at(0)));
}

TEST_CASE("who can only hope for loans is refused as soon as nobody has anything to lend") {
  const std::uint64_t hash = PeerBook::hash_of({.limit = "api", .key = {}});
  ConfigRecord record = config();
  record.spec.rate = Rate::per_second(10);  // half a token within the time that loans may take
  record.spec.priorities.clear();
  Limit one(0, record);
  one.peers.joined(kPeer, {});
  one.peers.free_tokens(kPeer, hash, whole(19), at(0).slow);
  CHECK_FALSE(one.park(20, 1, Duration::zero(), at(0)));
  one.peers.free_tokens(kPeer, hash, Tokens{}, at(0).slow);
  // What the other one has is not known: it is asked, and has nothing.
  constexpr NodeId kOther(3);
  one.peers.joined(kOther, {});
  REQUIRE(one.park(20, 2, Duration::zero(), at(0)));
  REQUIRE(one.park(90, 3, base::seconds(1), at(0)));  // minted within 900 ms
  CHECK(one.turn(at(0)).empty());
  REQUIRE(one.out.sends.size() == 1);
  CHECK(one.out.sends[0].to == kOther);
  const auto ask = std::get<Borrow>(one.out.sends[0].message);
  one.limit.on(kOther, {.ledger = ask.ledger, .account = kMine, .seq = ask.seq}, one.peers, at(1));
  const auto answers = one.turn(at(1));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].ticket == 2);
  CHECK(answers[0].decision.verdict == Verdict::kRefused);
  CHECK(one.limit.busy());
}

TEST_CASE("who may have what is kept from others waits for it, whatever digests tell") {
  Limit one(0);
  one.peers.joined(kPeer, {});
  one.peers.free_tokens(kPeer, PeerBook::hash_of({.limit = "api", .key = {}}), Tokens{},
                        at(0).slow);
  CHECK(one.park(60, 1, Duration::zero(), at(0)));
}

TEST_CASE("where lending is off nobody waits for loans") {
  ConfigRecord record = config();
  record.spec.lend.enabled = false;
  Limit one(0, record);
  one.peers.joined(kPeer, {});
  CHECK_FALSE(one.park(20, 1, Duration::zero(), at(0)));
}

TEST_CASE("nobody overtakes who waits, and the queue is bounded") {
  Limit one(0);
  REQUIRE(one.park(50, 1, base::seconds(1), at(0)));
  CHECK(one.lacks(1, at(200)).verdict == Verdict::kRefused);
  REQUIRE(one.park(1, 2, base::seconds(1), at(200)));
  REQUIRE(one.park(1, 3, base::seconds(1), at(200)));
  CHECK_FALSE(one.park(1, 4, base::seconds(1), at(200)));
}

TEST_CASE("a parked request whose time is over is refused; a cancelled one is not heard of") {
  Limit one(0);
  REQUIRE(one.park(60, 1, base::seconds(1), at(0)));
  REQUIRE(one.park(60, 2, base::seconds(1), at(0)));
  CHECK(one.limit.cancel(2));
  CHECK_FALSE(one.limit.cancel(2));
  one.limit.purse().lapse();
  const auto answers = one.turn(at(1001));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].ticket == 1);
  CHECK(answers[0].decision.verdict == Verdict::kNoRights);
}

TEST_CASE("a parked shortfall borrows, and the loan serves it") {
  Limit one(0);
  one.peers.joined(kPeer, {});
  one.peers.free_tokens(kPeer, PeerBook::hash_of({.limit = "api", .key = {}}), whole(500),
                        at(0).slow);
  one.lacks(20, at(0));
  REQUIRE(one.park(20, 1, Duration::zero(), at(0)));
  one.turn(at(0));
  REQUIRE(one.out.sends.size() == 1);
  const auto ask = std::get<Borrow>(one.out.sends[0].message);
  one.limit.on(kPeer,
               {.ledger = {.limit = "api", .key = {}},
                .account = kMine,
                .seq = ask.seq,
                .granted = ask.want},
               one.peers, at(2));
  const auto answers = one.turn(at(2));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].decision.admitted());
  CHECK(answers[0].decision.source == Source::kBorrowed);
}

TEST_CASE("a settled reservation refunds what was not used, once") {
  Limit one(50);
  REQUIRE(one.acquire(30, at(0)).admitted());
  REQUIRE(one.limit.reserve(1, whole(30)));
  const auto settled = one.limit.settle(1, whole(10));
  REQUIRE(settled);
  CHECK(settled->refunded == whole(20));
  CHECK(one.limit.purse().bucket().level() == whole(40));
  CHECK_FALSE(one.limit.settle(1, whole(10)));
  one.limit.check_invariants();
}

TEST_CASE("a settle above the reservation is an overdraft and takes nothing") {
  Limit one(50);
  REQUIRE(one.acquire(30, at(0)).admitted());
  REQUIRE(one.limit.reserve(1, whole(30)));
  const auto settled = one.limit.settle(1, whole(45));
  REQUIRE(settled);
  CHECK(settled->overdraft == whole(15));
  CHECK(settled->refunded == Tokens{});
  CHECK(one.limit.purse().bucket().level() == whole(20));
}

TEST_CASE("minting eats into what is refundable: the bucket never holds more than its size") {
  Limit one(100);
  REQUIRE(one.acquire(80, at(0)).admitted());
  REQUIRE(one.limit.reserve(1, whole(80)));
  one.turn(at(2000));  // 200 tokens' worth of time
  const auto settled = one.limit.settle(1, Tokens{});
  REQUIRE(settled);
  one.limit.check_invariants();
  CHECK(settled->refunded == Tokens{});
  CHECK(one.limit.purse().bucket().level() == whole(100));
}

TEST_CASE("a reservation that nobody settles does not keep the bucket from filling up") {
  Limit one(100);
  REQUIRE(one.acquire(80, at(0)).admitted());
  REQUIRE(one.limit.reserve(1, whole(80)));
  one.turn(at(500));  // 50 tokens' worth of time
  CHECK(one.limit.purse().bucket().level() == whole(70));
  CHECK(one.limit.purse().refundable() == whole(30));
  const auto settled = one.limit.settle(1, Tokens{});
  REQUIRE(settled);
  CHECK(settled->refunded == whole(30));
}

TEST_CASE("a reservation that is used up leaves what others may be refunded") {
  Limit one(100);
  REQUIRE(one.acquire(60, at(0)).admitted());
  REQUIRE(one.limit.reserve(1, whole(30)));
  REQUIRE(one.limit.reserve(2, whole(30)));
  one.turn(at(300));  // 30 tokens' worth of time: 30 of the 60 are left
  CHECK(one.limit.settle(1, whole(30))->refunded == Tokens{});
  CHECK(one.limit.settle(2, Tokens{})->refunded == whole(30));
  CHECK(one.limit.purse().refundable() == Tokens{});
  one.limit.check_invariants();
}

TEST_CASE("what minting ate of an old reservation does not come back out of a newer one") {
  Limit one(100);
  REQUIRE(one.acquire(30, at(0)).admitted());
  REQUIRE(one.limit.reserve(1, whole(30)));
  one.turn(at(300));  // full again: nothing of the first one is refundable
  REQUIRE(one.acquire(20, at(300)).admitted());
  REQUIRE(one.limit.reserve(2, whole(20)));
  CHECK(one.limit.settle(1, Tokens{})->refunded == Tokens{});
  CHECK(one.limit.settle(2, whole(5))->refunded == whole(15));
  one.limit.check_invariants();
}

TEST_CASE("a cost that does not fit beside open reservations asks for more room") {
  Limit one(100);
  CHECK(one.acquire(30, at(0)).admitted());
  one.limit.reserve(1, whole(30));
  one.lacks(80, at(0));
  REQUIRE(one.park(80, 7, base::milliseconds(0), at(0)));
  CHECK(one.limit.demand_moved(at(0)));
  CHECK(one.limit.report(at(0)).lacking == whole(110));
}

TEST_CASE(
    "tokens that a node's own requests wait for are kept, unless its bucket cannot hold them") {
  const auto lent = [](std::int64_t cost) {
    Limit one(40);
    REQUIRE(one.park(cost, 1, base::seconds(1), at(0)));
    const Borrow ask{.ledger = one.limit.ledger(),
                     .version = Version(3),
                     .account = Account(99),
                     .seq = 1,
                     .want = whole(10),
                     .min = whole(10)};
    return std::get<Loan>(one.limit.lend(kPeer, ask, one.peers, at(0)).message).granted;
  };
  CHECK(lent(60) == Tokens{});
  // It waits for room: its tokens are of no use here before that.
  CHECK(lent(400) == whole(10));
}

TEST_CASE("a reservation of a session that is over refunds nothing") {
  Limit one(50);
  REQUIRE(one.acquire(30, at(0)).admitted());
  REQUIRE(one.limit.reserve(1, whole(30)));
  one.limit.purse().lapse();
  one.limit.lapsed();
  one.limit.purse().open(Account(9), at(10).slow);
  const auto settled = one.limit.settle(1, Tokens{});
  REQUIRE(settled);
  CHECK(settled->refunded == Tokens{});
  CHECK(one.limit.purse().bucket().level() == Tokens{});
}

TEST_CASE("an undo goes back into the account that was charged, not into a later one") {
  Limit one(50);
  const Decision decision = one.acquire(30, at(0));
  one.limit.undo(decision, kMine, whole(30));
  CHECK(one.limit.purse().bucket().level() == whole(50));
  one.limit.purse().lapse();
  one.limit.purse().open(Account(9), at(10).slow);
  one.limit.undo(decision, kMine, whole(30));
  CHECK(one.limit.purse().bucket().level() == Tokens{});
}

TEST_CASE("those who wait under classes that are gone are told to come again") {
  Limit one(0);
  REQUIRE(one.park(10, 1, base::seconds(1), at(0)));
  ConfigRecord other = config();
  other.spec.priorities.clear();
  Actions out;
  one.limit.configure(other, at(1), out);
  REQUIRE(out.answers.size() == 1);
  CHECK(out.answers[0].ticket == 1);
  CHECK_FALSE(out.answers[0].decision.admitted());
  CHECK_FALSE(one.limit.busy());
}

// Two nodes that hold 100 each, with what they say to each other.
struct Two {
  std::array<Limit, 2> nodes{Limit(100), Limit(100)};
  std::int64_t now = 0;

  Two() {
    for (std::size_t i = 0; i < 2; ++i) {
      nodes[i].peers.joined(id(1 - i), {});
      // Nothing is minted.
      nodes[i].limit.purse().adopt(kMine,
                                   {.ledger = nodes[i].limit.ledger(),
                                    .size = whole(100),
                                    .granted = whole(100),
                                    .epoch = Epoch(2)},
                                   at(0), kExact);
    }
  }
  static NodeId id(std::size_t i) { return NodeId(i + 1); }
  // Asks the first node with room to wait for a loan.
  bool admitted(const char* priority) {
    Limit& mine = nodes[0];
    Decision decision;
    const AcquireRequest one{.limit = "api", .cost = whole(1), .priority = priority};
    if (mine.limit.acquire(one, at(now), decision) == SharedLimit::Fate::kDecided) {
      return decision.admitted();
    }
    if (!mine.park(1, ++ticket, {}, at(now), priority)) {
      return false;
    }
    bool got = false;
    for (int i = 0; i < 20; ++i) {
      for (const Answer& answer : mine.turn(at(now))) {
        got = got || answer.decision.admitted();
      }
      for (const Send& send : mine.out.sends) {
        const auto& ask = std::get<Borrow>(send.message);
        const Send loan = nodes[1].limit.lend(id(0), ask, nodes[1].peers, at(now));
        mine.limit.on(id(1), std::get<Loan>(loan.message), mine.peers, at(now));
      }
    }
    mine.limit.cancel(ticket);
    return got;
  }
  // How many of 200 requests get a token.
  std::int64_t spend(const char* priority) {
    std::int64_t count = 0;
    for (int i = 0; i < 200; ++i) {
      count += admitted(priority) ? 1 : 0;
      now += 100;  // beyond every pause
      for (Limit& node : nodes) {
        node.limit.purse().renew(at(now + 3000).fast);
      }
    }
    return count;
  }
  Ticket ticket = 0;
};

TEST_CASE("what is reserved from a class is not lent to it either, and the others get it all") {
  Two two;
  CHECK(two.spend("low") == 100);  // of 200
  CHECK(two.spend("high") >= 98);
}

TEST_CASE("what is borrowed for one class is not left to another that it is reserved from") {
  Two two;
  REQUIRE(two.spend("low") == 100);
  REQUIRE(two.nodes[0].acquire(50, at(two.now), "high").admitted());
  CHECK(two.admitted("high"));
  CHECK(two.nodes[0].limit.purse().bucket().level() == Tokens{});
  CHECK_FALSE(two.admitted("low"));
}

}  // namespace
}  // namespace brigade::node
