// The end of a session between its two sides, the real ones: a holder that is told so late that
// its account is being reclaimed meanwhile. Every message and every entry by hand.
#include <optional>
#include <variant>

#include <doctest/doctest.h>

#include "node/steward.h"
#include "node/tenant.h"

namespace brigade::node {
namespace {

constexpr ShardId kShard(0);
constexpr NodeId kHolder(7);
constexpr Boot kBoot{.high = 1, .low = 2};
const LedgerId kApi{.limit = "api", .key = {}};

Instant at(std::int64_t ms) {
  const TimePoint when{base::seconds(1000) + base::milliseconds(ms)};
  return {.slow = when, .fast = when};
}

bucket::LimitSpec api() {
  bucket::LimitSpec spec;
  spec.name = "api";
  spec.rate = Rate::per_second(100);
  spec.burst = Tokens::whole(100);
  return spec;
}

// A shard that logs what its steward proposes, when the test says so, and one holder.
struct Shard {
  TokenStore store{kShard, 1};
  Steward steward;
  Purse purse;
  Tenant tenant;
  StewardWork work;
  std::uint64_t index = 1;

  explicit Shard(Plant plant)
      : steward(kShard, {.plant = plant}, store, nullptr, at(0).slow),
        tenant(kShard, kBoot, {.plant = plant}) {
    commit(Configure{.limits = {api()}}, at(0));
    tenant.attach(kApi, purse, at(0));
  }

  void commit(const Command& command, Instant now) {
    ++index;
    steward.applied(index, command, store.apply(index, command), now.slow, work);
  }
  // What is due of the holder; the test brings it there.
  template <class Message>
  Message due(Instant now) {
    const auto message = tenant.due(now, true, [] { return std::vector<DemandReport>{}; });
    REQUIRE(message);
    REQUIRE(std::holds_alternative<Message>(*message));
    return std::get<Message>(*message);
  }
  // What the leader says next to the holder, and proposes next.
  template <class Message>
  Message said() {
    REQUIRE_FALSE(work.sends.empty());
    const PeerMessage message = work.sends.front().message;
    work.sends.clear();
    REQUIRE(std::holds_alternative<Message>(message));
    return std::get<Message>(message);
  }
  Command proposed() {
    REQUIRE(work.proposals.size() == 1);
    const Command command = work.proposals.front();
    work.proposals.clear();
    return command;
  }
  void open(Instant now) {
    steward.on(kHolder, due<OpenAsk>(now), work);
    commit(proposed(), now);
    tenant.on(said<OpenAnswer>(), now);
    REQUIRE(tenant.account());
  }
  RenewAnswer renewed(const Renew& renew, Instant now) {
    steward.on(kHolder, renew, now.slow, work);
    REQUIRE(work.reads.size() == 1);
    const std::uint64_t round = work.reads.front();
    work.reads.clear();
    steward.read_ready(round, now.slow, work);
    return said<RenewAnswer>();
  }
  // Time is up for whoever was not heard of.
  Command reclaim(Instant now) {
    steward.tick(now.slow, work);
    const Command command = proposed();
    REQUIRE(std::holds_alternative<ReclaimSession>(command));
    return command;
  }
  // Whoever may spend has an account to spend from.
  [[nodiscard]] bool sound(Instant now) const {
    return !tenant.live(now) || store.sessions().contains(tenant.account());
  }
};

// The first renewal of a fresh account comes when it was given up, and before that is in the log.
bool sound_when_renewed_while_reclaimed(Plant plant) {
  Shard shard(plant);
  shard.open(at(0));
  const Renew late = shard.due<Renew>(at(2000));
  const Command reclaim = shard.reclaim(at(3100));
  shard.tenant.on(shard.renewed(late, at(3101)), at(3102));
  shard.commit(reclaim, at(3103));
  return shard.sound(at(3103));
}

TEST_CASE("no renewal is answered once its account is being reclaimed") {
  CHECK(sound_when_renewed_while_reclaimed(Plant::kNone));
  CHECK_FALSE(sound_when_renewed_while_reclaimed(Plant::kRenewAfterReclaim));
}

// An answer is under way for half a second, and nothing is heard of the holder afterwards.
bool sound_when_an_answer_takes_long(Plant plant) {
  Shard shard(plant);
  shard.open(at(0));
  shard.tenant.on(shard.renewed(shard.due<Renew>(at(100)), at(101)), at(600));
  CHECK(shard.tenant.live(at(3000)));
  shard.commit(shard.reclaim(at(3110)), at(3111));
  return shard.sound(at(3111));
}

TEST_CASE("a session is over for its holder before it is for its leader") {
  CHECK(sound_when_an_answer_takes_long(Plant::kNone));
  CHECK_FALSE(sound_when_an_answer_takes_long(Plant::kValidFromReceipt));
}

// An answer comes when its session is over, and its account just so.
bool sound_when_an_answer_is_late(Plant plant) {
  Shard shard(plant);
  shard.open(at(0));
  shard.tenant.on(shard.renewed(shard.due<Renew>(at(100)), at(101)), at(102));
  const RenewAnswer late = shard.renewed(shard.due<Renew>(at(850)), at(851));
  shard.tenant.expire(at(3200));
  shard.tenant.on(late, at(3200));
  shard.commit(shard.reclaim(at(3900)), at(3901));
  return shard.sound(at(3901));
}

TEST_CASE("an answer after the session's end revives nothing") {
  CHECK(sound_when_an_answer_is_late(Plant::kNone));
  CHECK_FALSE(sound_when_an_answer_is_late(Plant::kLateAnswerRevives));
}

}  // namespace
}  // namespace brigade::node
