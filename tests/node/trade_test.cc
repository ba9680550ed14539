#include "node/trade.h"

#include <set>

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
  return record;
}

// A node with room for 100, a level, and one peer that may lend.
struct Desk {
  Purse purse;
  PeerBook peers{{}};
  Trade trade{{.limit = "api", .key = {}}, {}, base::Prng(1)};
  std::vector<Send> sends;

  explicit Desk(std::int64_t level) {
    purse.open(kMine, at(0).slow);
    purse.renew(at(3000).fast);
    purse.adopt(kMine,
                {.ledger = {.limit = "api", .key = {}},
                 .rate = Rate::per_second(100),
                 .size = whole(100),
                 .granted = whole(level),
                 .epoch = Epoch(1)},
                at(0), kExact);
    peers.joined(kPeer, {});
    peers.free_tokens(kPeer, PeerBook::hash_of({.limit = "api", .key = {}}), whole(500),
                      at(0).slow);
  }
  std::optional<Borrow> consider(std::int64_t waiting, Instant now) {
    sends.clear();
    trade.consider(purse, config(), {.offered = {}, .waiting = whole(waiting), .lacking = whole(1)},
                   peers, now, sends);
    return sends.empty() ? std::nullopt : std::optional(std::get<Borrow>(sends[0].message));
  }
  Loan lend(const Borrow& ask, Instant now, const ConfigRecord& limit = config(),
            const Need& need = {}) {
    return std::get<Loan>(trade.lend(kPeer, ask, purse, limit, need, peers, now).message);
  }
};
Borrow ask_for(std::int64_t want, std::uint64_t seq = 1) {
  return {.ledger = {.limit = "api", .key = {}},
          .version = Version(3),
          .account = Account(99),
          .seq = seq,
          .want = whole(want),
          .min = {}};
}

TEST_CASE("a lender deducts before it answers") {
  Desk desk(80);
  const Loan loan = desk.lend(ask_for(20), at(0));
  CHECK(loan.granted == whole(20));
  CHECK(desk.purse.bucket().level() == whole(60));
  CHECK(loan.free_after == whole(60));
}

TEST_CASE("the same borrow gets the same answer and is deducted once") {
  Desk desk(80);
  CHECK(desk.lend(ask_for(20), at(0)).granted == whole(20));
  CHECK(desk.lend(ask_for(20), at(0)).granted == whole(20));
  CHECK(desk.purse.bucket().level() == whole(60));
  CHECK(desk.lend(ask_for(20, 2), at(0)).granted == whole(20));
  CHECK(desk.purse.bucket().level() == whole(40));
}

TEST_CASE("a lender gives at most its share, nothing under another version, nothing when dead") {
  Desk desk(80);
  CHECK(desk.lend(ask_for(1000), at(0)).granted == whole(40));  // half of what it has
  Borrow other = ask_for(10, 2);
  other.version = Version(2);
  CHECK(desk.lend(other, at(0)).granted == Tokens{});
  CHECK(desk.lend(ask_for(10, 3), at(3000)).granted == Tokens{});
  ConfigRecord closed = config();
  closed.spec.lend.enabled = false;
  CHECK(desk.lend(ask_for(10, 4), at(0), closed).granted == Tokens{});
}

TEST_CASE("nodes that run dry do not hand the same tokens to and fro") {
  // It spends as much as it mints, and all that it holds before an answer could come.
  const Need spends{.offered = Rate::per_second(100), .waiting = {}, .lacking = {}};
  Desk desk(0);
  desk.purse.mint(at(2));
  REQUIRE(desk.purse.bucket().level() > Tokens{});
  CHECK(desk.lend(ask_for(5), at(2), config(), spends).granted == Tokens{});
  // A request that waits is another matter: what minting replaces in time is not kept.
  Borrow waiting = ask_for(5, 2);
  waiting.min = Tokens::micro(100'000);
  CHECK(desk.lend(waiting, at(2), config(), spends).granted == waiting.min);
}

TEST_CASE("what a node's own requests wait for is not lent") {
  const Need waits{.offered = {}, .waiting = whole(6), .lacking = whole(2)};
  Desk desk(4);
  Borrow ask = ask_for(3);
  ask.min = whole(1);
  CHECK(desk.lend(ask, at(0), config(), waits).granted == Tokens{});
  Desk rich(8);
  CHECK(rich.lend(ask, at(0), config(), waits).granted == whole(2));
}

// Half is kept from class 1, a fifth from class 2.
ConfigRecord classes() {
  ConfigRecord record = config();
  record.spec.priorities = {{.name = "low", .reserved = 500}, {.name = "mid", .reserved = 200}};
  return record;
}

TEST_CASE("a lender keeps what is reserved from the class that asks") {
  Desk desk(60);
  Borrow low = ask_for(20, 1);
  low.priority = 1;
  CHECK(desk.lend(low, at(0), classes()).granted == whole(10));
  low.seq = 2;
  CHECK(desk.lend(low, at(0), classes()).granted == Tokens{});
  CHECK(desk.lend(ask_for(20, 3), at(0), classes()).granted == whole(20));
}

TEST_CASE("a lender's own requests of a class do not hold back what is reserved from them") {
  Desk desk(50);
  const Need low{.waiting = whole(51), .lacking = whole(1), .priority = 1};
  Borrow ask = ask_for(5);
  ask.priority = 2;
  CHECK(desk.lend(ask, at(0), classes(), low).granted == whole(5));
  ask.priority = 1;
  ask.seq = 2;
  CHECK(desk.lend(ask, at(0), classes(), low).granted == Tokens{});
}

TEST_CASE("a borrow names the class that waits, and takes no more than that out of a reserve") {
  const auto asked = [](const Need& need) {
    Desk desk(0);
    desk.trade.consider(desk.purse, classes(), need, desk.peers, at(0), desk.sends);
    REQUIRE(desk.sends.size() == 1);
    return std::get<Borrow>(desk.sends[0].message);
  };
  const Need waits{
      .offered = Rate::per_second(1000), .waiting = whole(3), .lacking = whole(3), .priority = 2};
  CHECK(asked(waits).priority == 2);
  CHECK(asked(waits).want == whole(3));
  // What is kept from another class too is not asked for beyond what is kept from it here.
  Need many = waits;
  many.waiting = whole(80);
  CHECK(asked(many).priority == 2);
  CHECK(asked(many).want == whole(50));
  // But a request that is larger than that gets what it lacks.
  many.lacking = whole(70);
  CHECK(asked(many).priority == 2);
  CHECK(asked(many).want == whole(70));
  Need low = waits;
  low.priority = 1;
  CHECK(asked(low).priority == 1);
  CHECK(asked(low).want > whole(3));
  // Ahead of need it is asked as the class that most is kept from.
  CHECK(asked({.offered = Rate::per_second(1000)}).priority == 1);
}

TEST_CASE("an answer that carries tokens is void when the lender's session is") {
  Desk desk(80);
  const Send send =
      desk.trade.lend(kPeer, ask_for(20), desk.purse, config(), {}, desk.peers, at(0));
  CHECK(send.expires == desk.purse.valid_until());
}

TEST_CASE("answers remembered are bounded") {
  Desk desk(80);
  REQUIRE(desk.lend(ask_for(1, 1), at(0)).granted == whole(1));
  std::uint64_t granted = 1;
  for (std::uint64_t seq = 2; seq < 3 * Trade::kMaxRemembered; ++seq) {
    Borrow small = ask_for(0, seq);
    small.want = Tokens::micro(1);
    granted += desk.lend(small, at(0)).granted > Tokens{} ? 1 : 0;
  }
  REQUIRE(granted > Trade::kMaxRemembered);
  const Tokens before = desk.purse.bucket().level();
  // Forgotten: deducted again, so that tokens are lost and never doubled.
  CHECK(desk.lend(ask_for(1, 1), at(0)).granted == whole(1));
  CHECK(desk.purse.bucket().level() == before - whole(1));
}

TEST_CASE("a borrower that runs short asks one peer, once, for at most its room") {
  Desk desk(0);
  const auto ask = desk.consider(20, at(0));
  REQUIRE(ask);
  CHECK(desk.sends[0].to == kPeer);
  CHECK(ask->want >= whole(20));
  CHECK(ask->want <= whole(100));
  CHECK(desk.purse.bucket().held() == ask->want);
  CHECK_FALSE(desk.consider(20, at(0)));  // single flight
}

TEST_CASE("a loan goes to the open sequence of its lender; any other is dropped") {
  Desk desk(0);
  const auto ask = desk.consider(20, at(0));
  REQUIRE(ask);
  const Loan loan{.ledger = {.limit = "api", .key = {}},
                  .account = kMine,
                  .seq = ask->seq,
                  .granted = whole(20),
                  .free_after = {}};
  CHECK(desk.trade.on(NodeId(3), loan, desk.purse, desk.peers, at(1)) == Tokens{});
  CHECK(desk.trade.on(kPeer, loan, desk.purse, desk.peers, at(1)) == whole(20));
  CHECK(desk.trade.on(kPeer, loan, desk.purse, desk.peers, at(1)) == Tokens{});
  CHECK(desk.purse.bucket().level() == whole(20));
}

TEST_CASE("after a lender had nothing the next question waits") {
  Desk desk(0);
  const auto ask = desk.consider(20, at(0));
  REQUIRE(ask);
  desk.trade.on(kPeer, {.ledger = {.limit = "api", .key = {}}, .account = kMine, .seq = ask->seq},
                desk.purse, desk.peers, at(1));
  CHECK(desk.trade.counts().refused == 1);
  desk.peers.free_tokens(kPeer, PeerBook::hash_of({.limit = "api", .key = {}}), whole(500),
                         at(1).slow);
  CHECK_FALSE(desk.consider(20, at(1)));
  CHECK(desk.consider(20, at(100)));
}

TEST_CASE("a request that waits is worth asking every peer before the next question waits") {
  Desk desk(0);
  for (const NodeId other : {NodeId(3), NodeId(4)}) {
    desk.peers.joined(other, {});
  }
  std::set<NodeId> asked;
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto ask = desk.consider(20, at(0));
    REQUIRE(ask);
    asked.insert(desk.sends[0].to);
    desk.trade.on(desk.sends[0].to, {.ledger = ask->ledger, .account = kMine, .seq = ask->seq},
                  desk.purse, desk.peers, at(0));
  }
  CHECK(asked.size() == 3);
  CHECK_FALSE(desk.consider(20, at(0)));
}

TEST_CASE("without rights, peers or leave nobody is asked") {
  Desk dead(0);
  CHECK_FALSE(dead.consider(20, at(3000)));
  Desk alone(0);
  alone.peers.left(kPeer);
  CHECK_FALSE(alone.consider(20, at(0)));
}

TEST_CASE("a borrow that was given up drops its late answer, and the next has another sequence") {
  Desk desk(0);
  const auto ask = desk.consider(20, at(0));
  REQUIRE(ask);
  desk.trade.expire(desk.purse, desk.peers, at(49));
  CHECK(desk.purse.borrow());
  desk.trade.expire(desk.purse, desk.peers, at(50));
  CHECK_FALSE(desk.purse.borrow());
  CHECK(desk.purse.bucket().held() == Tokens{});
  const Loan late{.ledger = {.limit = "api", .key = {}},
                  .account = kMine,
                  .seq = ask->seq,
                  .granted = whole(20)};
  CHECK(desk.trade.on(kPeer, late, desk.purse, desk.peers, at(60)) == Tokens{});
  CHECK(desk.trade.counts().timed_out == 1);
  CHECK(desk.trade.counts().granted + desk.trade.counts().partly == 0);
  CHECK(desk.purse.bucket().level() == Tokens{});
  desk.peers.free_tokens(kPeer, PeerBook::hash_of({.limit = "api", .key = {}}), whole(500),
                         at(500).slow);
  const auto next = desk.consider(20, at(500));
  REQUIRE(next);
  CHECK(next->seq > ask->seq);
}

}  // namespace
}  // namespace brigade::node
