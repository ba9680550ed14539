#include "gossip/rulings.h"

#include <doctest/doctest.h>

#include "gossip/digests.h"
#include "gossip/rumours.h"
#include "gossip/suspicion.h"

using namespace brigade::gossip;
using brigade::base::milliseconds;
using brigade::base::seconds;

namespace {

constexpr auto kAlive = MemberState::kAlive;
constexpr auto kSuspect = MemberState::kSuspect;
constexpr auto kDead = MemberState::kDead;
constexpr auto kLeft = MemberState::kLeft;
constexpr Ruling kNothing{};
constexpr Ruling kRefute{Verdict::kRefute, kAlive};

constexpr Ruling adopt(MemberState state) {
  return {Verdict::kAdopt, state};
}

}  // namespace

TEST_CASE("within one incarnation the graver state wins") {
  const std::vector<MemberState> states{kAlive, kSuspect, kDead, kLeft};
  for (const MemberState held : states) {
    for (const MemberState heard : states) {
      const Ruling ruling = rule(held, heard, Relation::kSame);
      if (held == kSuspect && heard == kSuspect) {
        CHECK(ruling.verdict == Verdict::kConfirm);
      } else if (heard <= held) {
        CHECK(ruling == kNothing);
      } else if (held == kAlive && heard == kDead) {
        CHECK(ruling == adopt(kSuspect));
      } else {
        CHECK(ruling == adopt(heard));
      }
    }
  }
}

TEST_CASE("news of an older incarnation changes nothing") {
  for (const MemberState held : {kAlive, kSuspect, kDead, kLeft}) {
    for (const MemberState heard : {kAlive, kSuspect, kDead, kLeft}) {
      CHECK(rule(held, heard, Relation::kOlder) == kNothing);
    }
  }
}

TEST_CASE("a newer incarnation brings even the dead and the gone back") {
  CHECK(rule(kDead, kAlive, Relation::kNewer) == adopt(kAlive));
  CHECK(rule(kLeft, kAlive, Relation::kNewer) == adopt(kAlive));
  CHECK(rule(kSuspect, kAlive, Relation::kNewer) == adopt(kAlive));
}

TEST_CASE("of the unknown only the living are worth knowing") {
  CHECK(rule(std::nullopt, kAlive, Relation::kNewer) == adopt(kAlive));
  CHECK(rule(std::nullopt, kSuspect, Relation::kNewer) == kNothing);
  CHECK(rule(std::nullopt, kDead, Relation::kNewer) == kNothing);
  CHECK(rule(std::nullopt, kLeft, Relation::kNewer) == kNothing);
}

TEST_CASE("a node refutes what is wrong about itself, and nothing while it leaves") {
  CHECK(rule_self(SelfStage::kStaying, kSuspect, Relation::kSame, false) == kRefute);
  CHECK(rule_self(SelfStage::kStaying, kDead, Relation::kNewer, false) == kRefute);
  CHECK(rule_self(SelfStage::kStaying, kLeft, Relation::kSame, false) == kRefute);
  CHECK(rule_self(SelfStage::kStaying, kDead, Relation::kOlder, false) == kNothing);
  CHECK(rule_self(SelfStage::kStaying, kAlive, Relation::kSame, true) == kNothing);
  CHECK(rule_self(SelfStage::kStaying, kAlive, Relation::kSame, false) == kRefute);
  CHECK(rule_self(SelfStage::kStaying, kAlive, Relation::kNewer, true) == kRefute);
  CHECK(rule_self(SelfStage::kLeaving, kDead, Relation::kNewer, false) == kNothing);
}

TEST_CASE("a suspicion shrinks from its longest to its shortest with independent accusers") {
  Config config;
  const SuspicionBounds bounds = suspicion_bounds(config, 5);
  CHECK(bounds.min == seconds(3));
  CHECK(bounds.max == seconds(12));
  CHECK(bounds.confirmations == 3);
  CHECK(suspicion_timeout(bounds, 0) == seconds(12));
  CHECK(suspicion_timeout(bounds, 1) < suspicion_timeout(bounds, 0));
  CHECK(suspicion_timeout(bounds, 2) < suspicion_timeout(bounds, 1));
  CHECK(suspicion_timeout(bounds, 3) == seconds(3));
  // Half way on the logarithmic scale: log(2)/log(4) = 1/2.
  CHECK(suspicion_timeout(bounds, 1) == milliseconds(7500));
}

TEST_CASE("a suspicion is short at once where nobody could confirm it") {
  const SuspicionBounds bounds = suspicion_bounds(Config{}, 4);
  CHECK(suspicion_timeout(bounds, 0) == seconds(3));
}

TEST_CASE("accusers count once, the first one and anonymous ones never") {
  const TimePoint start{seconds(5)};
  Suspicion suspicion(suspicion_bounds(Config{}, 50), NodeId(1), start);
  CHECK(suspicion.confirm(NodeId(1)) == Suspicion::Weight::kNothingNew);
  CHECK(suspicion.confirm(NodeId()) == Suspicion::Weight::kNothingNew);
  CHECK(suspicion.confirm(NodeId(2)) == Suspicion::Weight::kConfirms);
  CHECK(suspicion.confirm(NodeId(2)) == Suspicion::Weight::kNothingNew);
  CHECK(suspicion.confirm(NodeId(3)) == Suspicion::Weight::kConfirms);
  CHECK(suspicion.confirm(NodeId(4)) == Suspicion::Weight::kConfirms);
  CHECK(suspicion.confirm(NodeId(5)) == Suspicion::Weight::kNothingNew);
  CHECK(suspicion.confirmations() == 3);
}

TEST_CASE("small clusters retransmit at least twice per member") {
  const Config config;
  CHECK(retransmit_limit(config, 1) == 4);
  CHECK(retransmit_limit(config, 5) == 10);
  CHECK(retransmit_limit(config, 16) == 32);
  CHECK(retransmit_limit(config, 17) == 8);
  CHECK(retransmit_limit(config, 99) == 8);
  CHECK(retransmit_limit(config, 100) == 12);
}

TEST_CASE("log2 in 16 fraction bits agrees with known values") {
  CHECK(log2_q16(1) == 0);
  CHECK(log2_q16(2) == 65'536);
  CHECK(log2_q16(1024) == 655'360);
  CHECK(log2_q16(10) == 217'705);  // 3.321928 * 65536 = 217705.9
}

TEST_CASE("rumours are told least told first, then latest first, and a bounded number of times") {
  Rumours rumours;
  rumours.add(NodeId(1));
  rumours.add(NodeId(2));
  const auto size = [](NodeId) { return std::size_t{100}; };
  Rumours::Room room{100, 10};
  CHECK(rumours.tell(room, 2, size) == std::vector{NodeId(2)});
  room = {100, 10};
  CHECK(rumours.tell(room, 2, size) == std::vector{NodeId(1)});
  room = {250, 10};
  CHECK(rumours.tell(room, 2, size).size() == 2);
  CHECK(rumours.empty());
  CHECK(room.bytes == 50);
}

TEST_CASE("news about a member replaces the older news about it") {
  Rumours rumours;
  const auto size = [](NodeId) { return std::size_t{50}; };
  rumours.add(NodeId(1));
  Rumours::Room room{1000, 10};
  (void)rumours.tell(room, 3, size);
  rumours.add(NodeId(1));
  CHECK(rumours.size() == 1);
  for (int telling = 0; telling < 3; ++telling) {
    CHECK(rumours.contains(NodeId(1)));
    (void)rumours.tell(room, 3, size);
  }
  CHECK(rumours.empty());
}

TEST_CASE("the digest budget falls from rich to lean as the cluster grows") {
  const Config config;
  CHECK(digest_budget(config, 5) == config.digest_bytes_rich);
  CHECK(digest_budget(config, 64) == config.digest_bytes_rich);
  CHECK(digest_budget(config, 82) == (config.digest_bytes_rich + config.digest_bytes_lean) / 2);
  CHECK(digest_budget(config, 100) == config.digest_bytes_lean);
  CHECK(digest_budget(config, 4000) == config.digest_bytes_lean);
}

TEST_CASE("digests wait when the budget of the second is spent") {
  Config config;
  config.digest_bytes_rich = 1'000;
  const TimePoint start{seconds(1)};
  DigestBoard board(config, NodeId(1), start);
  for (std::uint64_t member = 2; member < 12; ++member) {
    board.hear(Digest{NodeId(member), Incarnation(1), 1, Bytes(std::string(200, 'x'))}, start);
  }
  Rumours::Room room{100'000, 64};
  CHECK(board.tell(room, 12, start).empty());
  const std::size_t told = board.tell(room, 12, start + seconds(10)).size();
  CHECK(told == 4);  // 248 bytes each of at most one second's worth
  CHECK(board.tell(room, 12, start + seconds(10)).empty());
  board.check_invariants();
}
