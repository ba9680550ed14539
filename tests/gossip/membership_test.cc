#include <numeric>

#include <doctest/doctest.h>

#include "sim/gossip/membership_world.h"

using namespace brigade;
using base::milliseconds;
using base::seconds;
using gossip::MemberState;
using sim::MembershipWorld;

namespace {

// `count` machines that all have all of them as seeds, running and acquainted.
struct Cluster : MembershipWorld {
  explicit Cluster(std::size_t count, std::uint64_t seed = 1)
      : MembershipWorld(seed, gossip::Config{}) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(add());
    }
    for (const std::size_t machine : all) {
      set_seeds(machine, all);
      start(machine);
    }
    run_for(seconds(5));
    REQUIRE(converged());
  }
};

// How often a member was taken for `state` by anybody.
template <class World>
std::shared_ptr<int> count_changes_to(World& world, MemberState state) {
  auto count = std::make_shared<int>(0);
  world.watch([count, state](std::size_t, const gossip::Action& action) {
    const auto* changed = std::get_if<gossip::MemberChanged>(&action);
    *count += changed != nullptr && changed->member.state == state ? 1 : 0;
  });
  return count;
}

gossip::Identity someone(std::uint64_t id) {
  gossip::Identity identity;
  identity.cluster = {1, 1};
  identity.cluster_name = "c";
  identity.id = gossip::NodeId(id);
  identity.name = "n" + std::to_string(id);
  identity.address = "10.0.0." + std::to_string(id) + ":1";
  identity.incarnation = gossip::Incarnation::of_start(1);
  return identity;
}

gossip::Input datagram(std::uint64_t from, std::vector<gossip::Update> updates,
                       std::vector<gossip::Digest> digests = {}) {
  gossip::Datagram d;
  d.cluster = {1, 1};
  d.from = gossip::NodeId(from);
  d.incarnation = gossip::Incarnation::of_start(1);
  d.updates = std::move(updates);
  d.digests = std::move(digests);
  return gossip::DatagramReceived{"10.0.0." + std::to_string(from) + ":1", std::move(d)};
}

gossip::Alive alive(std::uint64_t id, gossip::Incarnation incarnation) {
  return {gossip::NodeId(id),
          "n" + std::to_string(id),
          "10.0.0." + std::to_string(id) + ":1",
          {},
          incarnation};
}

template <class T>
int count(const gossip::Actions& actions) {
  int n = 0;
  for (const auto& action : actions) {
    n += std::holds_alternative<T>(action) ? 1 : 0;
  }
  return n;
}

constexpr base::TimePoint kStart{seconds(100)};
const gossip::Incarnation kFirst = gossip::Incarnation::of_start(1);

}  // namespace

TEST_CASE("a cluster of one has nothing to do and nothing to wait for") {
  gossip::Core core(gossip::Config{}, someone(1), base::Prng(1), kStart);
  gossip::Actions out;
  core.step(gossip::Join{{"10.0.0.1:1"}}, kStart, out);
  CHECK(out.empty());
  CHECK(core.next_deadline() == base::kNever);
  CHECK(core.join_progress().joined);
  CHECK(core.live_count() == 1);
}

TEST_CASE("five machines with one seed list know each other within three seconds") {
  MembershipWorld world(3, gossip::Config{});
  std::vector<std::size_t> all(5);
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (std::size_t i = 0; i < 5; ++i) {
    world.set_seeds(world.add(), all);
  }
  for (const std::size_t machine : all) {
    world.start(machine);
    world.run_for(milliseconds(200));
  }
  world.run_for(seconds(2));
  CHECK(world.disagreement() == "");
  for (const std::size_t machine : all) {
    CHECK(world.core(machine).join_progress().joined);
    CHECK(world.core(machine).join_progress().unanswered.empty());
  }
  CHECK(world.broken() == "");
}

TEST_CASE("a crashed member is dead for everybody within the suspicion's bounds") {
  for (const std::size_t members : {std::size_t{2}, std::size_t{3}, std::size_t{5}}) {
    Cluster world(members);
    world.crash(1);
    world.run_for(seconds(2));
    CHECK(world.state(0, 1) != MemberState::kDead);
    world.run_for(seconds(8));
    CHECK(world.disagreement() == "");
    CHECK(world.state(0, 1) == MemberState::kDead);
  }
}

TEST_CASE("a suspect that hears of it refutes with a higher incarnation and stays") {
  Cluster world(5);
  const auto deaths = count_changes_to(world, MemberState::kDead);
  const gossip::Incarnation before = world.core(1).self().incarnation;
  gossip::Datagram slander;
  slander.cluster = {7, 7};
  slander.from = world.id(2);
  slander.updates = {gossip::Suspect{world.id(1), before, world.id(2)}};
  world.step(0, gossip::DatagramReceived{world.address(2), slander});
  CHECK(world.state(0, 1) == MemberState::kSuspect);
  world.run_for(seconds(3));
  CHECK(world.core(1).self().incarnation > before);
  CHECK(world.state(0, 1) == MemberState::kAlive);
  CHECK(world.converged());
  CHECK(*deaths == 0);
  CHECK(world.core(1).stats().refutations >= 1);
}

TEST_CASE("an indirect probe saves a member behind one broken link") {
  Cluster world(5);
  const auto suspicions = count_changes_to(world, MemberState::kSuspect);
  world.cut(0, 1);
  world.cut(1, 0);
  world.run_for(seconds(60));
  CHECK(*suspicions == 0);
  CHECK(world.core(0).stats().probes_failed == 0);
  CHECK(world.converged());
}

TEST_CASE("a probe by stream saves a pair whose datagrams are all lost") {
  Cluster world(2);
  const auto suspicions = count_changes_to(world, MemberState::kSuspect);
  world.cut(0, 1, true);
  world.cut(1, 0, true);
  world.run_for(seconds(60));
  CHECK(*suspicions == 0);
  CHECK(world.converged());
}

TEST_CASE("ten percent loss kills nobody") {
  Cluster world(5);
  const auto deaths = count_changes_to(world, MemberState::kDead);
  world.set_faults({.loss_permille = 100, .double_permille = 50});
  world.run_for(seconds(1800));
  CHECK(*deaths == 0);
  CHECK(world.broken() == "");
}

TEST_CASE("a process that stood still for a while blames nobody and is taken back") {
  Cluster world(5);
  world.pause(0);
  world.run_for(seconds(20));
  CHECK(world.state(1, 0) == MemberState::kDead);
  std::set<std::size_t> accused;
  world.watch([&](std::size_t machine, const gossip::Action& action) {
    const auto* changed = std::get_if<gossip::MemberChanged>(&action);
    if (machine == 0 && changed != nullptr && changed->member.state == MemberState::kDead) {
      accused.insert(machine);
    }
  });
  world.resume(0);
  world.run_for(seconds(10));
  CHECK(accused.empty());
  CHECK(world.disagreement() == "");
}

TEST_CASE("a half-detached member that sends but does not hear buries nobody") {
  Cluster world(6);
  int buried = 0;
  world.watch([&](std::size_t machine, const gossip::Action& action) {
    const auto* changed = std::get_if<gossip::MemberChanged>(&action);
    const bool dead = changed != nullptr && changed->member.state == MemberState::kDead;
    buried += dead && machine != 0 && changed->member.id != world.id(0) ? 1 : 0;
  });
  for (std::size_t other = 1; other < 6; ++other) {
    world.cut(other, 0);
  }
  world.run_for(seconds(120));
  CHECK(buried == 0);
  CHECK(world.state(1, 2) == MemberState::kAlive);
}

TEST_CASE("push/pull heals a partition that lasted longer than gossip to the dead") {
  Cluster world(6);
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 3; b < 6; ++b) {
      world.cut(a, b);
      world.cut(b, a);
    }
  }
  world.run_for(seconds(300));
  CHECK(world.state(0, 5) == MemberState::kDead);
  CHECK(world.state(5, 0) == MemberState::kDead);
  CHECK(world.state(0, 2) == MemberState::kAlive);
  world.mend_all();
  world.run_for(seconds(15));
  CHECK(world.disagreement() == "");
}

TEST_CASE("a restarted member is back at once, with a higher incarnation") {
  Cluster world(5);
  world.crash(2);
  world.run_for(seconds(1));
  world.start(2);
  world.run_for(seconds(2));
  CHECK(world.disagreement() == "");
  CHECK(world.core(0).find(world.id(2))->incarnation.starts() == 2);
}

TEST_CASE("a member that leaves is gone at once, not dead, and is not tried any more") {
  Cluster world(5);
  bool done = false;
  world.watch([&](std::size_t machine, const gossip::Action& action) {
    done = done || (machine == 3 && std::holds_alternative<gossip::LeaveDone>(action));
  });
  world.step(3, gossip::Leave{});
  world.run_for(seconds(2));
  CHECK(done);
  CHECK(world.core(3).next_deadline() == base::kNever);
  for (const std::size_t other : {0U, 1U, 2U, 4U}) {
    CHECK(world.state(other, 3) == MemberState::kLeft);
  }
  world.crash(3);
  world.run_for(seconds(60));
  CHECK(world.state(0, 3) == MemberState::kLeft);
}

TEST_CASE("a dead member that Raft removed counts as gone everywhere") {
  Cluster world(4);
  world.crash(3);
  world.run_for(seconds(10));
  REQUIRE(world.state(0, 3) == MemberState::kDead);
  world.step(0, gossip::Remove{world.id(3)});
  world.run_for(seconds(3));
  CHECK(world.state(1, 3) == MemberState::kLeft);
}

TEST_CASE("a removed member that still runs objects") {
  Cluster world(4);
  world.step(0, gossip::Remove{world.id(3)});
  CHECK(world.state(0, 3) == MemberState::kLeft);
  world.run_for(seconds(5));
  CHECK(world.disagreement() == "");
}

TEST_CASE("members of another cluster that come along are refused on both doors") {
  MembershipWorld world(1, gossip::Config{});
  world.add({1, 1});
  world.add({2, 2});
  world.set_seeds(0, {1});
  int refusals = 0;
  world.watch([&](std::size_t, const gossip::Action& action) {
    const auto* refused = std::get_if<gossip::JoinRefused>(&action);
    refusals +=
        refused != nullptr && refused->reason == gossip::RefusalReason::kOtherCluster ? 1 : 0;
  });
  world.start(1);
  world.start(0);
  world.run_for(seconds(3));
  CHECK(refusals > 0);
  CHECK(world.core(0).live_count() == 1);
  CHECK_FALSE(world.core(0).join_progress().joined);
  CHECK(world.core(0).join_progress().unanswered == std::vector{world.address(1)});
  gossip::Datagram stray;
  stray.cluster = {2, 2};
  stray.from = world.id(1);
  stray.updates = {alive(9, kFirst)};
  world.step(0, gossip::DatagramReceived{world.address(1), stray});
  CHECK(world.core(0).live_count() == 1);
  CHECK(world.core(0).stats().dropped == 1);
}

TEST_CASE("a newcomer learns its cluster from a seed and is known everywhere") {
  Cluster world(3);
  const std::size_t newcomer = world.add();
  world.make_newcomer(newcomer);
  world.set_seeds(newcomer, {1});
  gossip::ClusterId joined;
  world.watch([&](std::size_t machine, const gossip::Action& action) {
    const auto* told = std::get_if<gossip::Joined>(&action);
    joined = told != nullptr && machine == newcomer ? told->cluster : joined;
  });
  world.start(newcomer);
  CHECK_FALSE(world.core(newcomer).join_progress().joined);
  world.run_for(seconds(2));
  CHECK(joined == gossip::ClusterId{7, 7});
  CHECK(world.disagreement() == "");
}

TEST_CASE("a newcomer whose name a live member holds is refused, its own former self is not") {
  gossip::Core core(gossip::Config{}, someone(1), base::Prng(1), kStart);
  gossip::Actions out;
  core.step(datagram(2, {alive(2, kFirst)}), kStart, out);
  const auto join = [&](const std::string& address) {
    gossip::Member twin{gossip::NodeId(3), "n2", address, {}, kFirst, MemberState::kAlive};
    gossip::StreamMessage message{{}, "c", twin.id, gossip::SyncRequest{0, {twin}}};
    out.clear();
    core.step(gossip::StreamRequested{gossip::RequestToken(1), message}, kStart, out);
    for (const auto& action : out) {
      if (const auto* answer = std::get_if<gossip::AnswerStream>(&action)) {
        return answer->message.body;
      }
    }
    FAIL("no answer");
    return decltype(gossip::StreamMessage::body){};
  };
  const auto refusal = join("10.0.0.9:1");
  REQUIRE(std::holds_alternative<gossip::SyncRefusal>(refusal));
  CHECK(std::get<gossip::SyncRefusal>(refusal).reason == gossip::RefusalReason::kNameTaken);
  CHECK(core.live_count() == 2);
  CHECK(std::holds_alternative<gossip::SyncReply>(join("10.0.0.2:1")));
  CHECK(count<gossip::Conflict>(out) == 1);
}

TEST_CASE("the newest digest wins, whatever the order of arrival") {
  gossip::Core core(gossip::Config{}, someone(1), base::Prng(1), kStart);
  gossip::Actions out;
  const auto digest = [](std::uint32_t starts, std::uint64_t version, const char* text) {
    return gossip::Digest{gossip::NodeId(2), gossip::Incarnation::of_start(starts), version,
                          gossip::Bytes(text)};
  };
  core.step(datagram(2, {alive(2, kFirst)}, {digest(1, 5, "five")}), kStart, out);
  CHECK(core.digest(gossip::NodeId(2))->content.view() == "five");
  out.clear();
  core.step(datagram(2, {}, {digest(1, 4, "four")}), kStart, out);
  CHECK(count<gossip::DigestChanged>(out) == 0);
  CHECK(core.digest(gossip::NodeId(2))->content.view() == "five");
  core.step(datagram(2, {}, {digest(2, 1, "reborn")}), kStart, out);
  CHECK(core.digest(gossip::NodeId(2))->content.view() == "reborn");
  core.step(datagram(2, {}, {digest(1, 6, "late")}), kStart, out);
  CHECK(core.digest(gossip::NodeId(2))->content.view() == "reborn");
}

TEST_CASE("what a node says of itself reaches everybody within two seconds") {
  Cluster world(8);
  world.step(0, gossip::SetDigest{gossip::Bytes("first")});
  world.run_for(milliseconds(100));
  world.step(0, gossip::SetDigest{gossip::Bytes("second")});
  world.run_for(seconds(3));
  for (std::size_t other = 0; other < 8; ++other) {
    const auto digest = world.core(other).digest(world.id(0));
    REQUIRE(digest);
    CHECK(digest->content.view() == "second");
  }
  world.step(0, gossip::SetMeta{gossip::Bytes("zone=b")});
  world.run_for(seconds(2));
  CHECK(world.core(5).find(world.id(0))->meta.view() == "zone=b");
}

TEST_CASE("no datagram exceeds its budget however much waits to be told") {
  gossip::Core core(gossip::Config{}, someone(1), base::Prng(1), kStart);
  gossip::Actions out;
  for (std::uint64_t id = 2; id < 100; ++id) {
    auto member = alive(id, kFirst);
    member.meta = gossip::Bytes(std::string(id * 5 % 512, 'm'));
    gossip::Digest digest{gossip::NodeId(id), kFirst, 1,
                          gossip::Bytes(std::string(id * 7 % 600, 'd'))};
    core.step(datagram(id, {member}, {digest}), kStart, out);
  }
  std::size_t largest = 0;
  std::size_t sent = 0;
  base::TimePoint now = kStart;
  std::set<gossip::NodeId> told;
  for (int turn = 0; turn < 300; ++turn) {
    now = std::max(now, core.next_deadline());
    out.clear();
    core.step(gossip::Timeout{}, now, out);
    for (const auto& action : out) {
      if (const auto* datagram_sent = std::get_if<gossip::SendDatagram>(&action)) {
        ++sent;
        largest = std::max(largest, gossip::size_bound(datagram_sent->datagram));
        for (const auto& update : datagram_sent->datagram.updates) {
          told.insert(gossip::subject(update));
        }
      }
    }
    core.check_invariants();
  }
  CHECK(sent > 50);
  CHECK(largest <= gossip::Config{}.datagram_bytes);
  CHECK(largest > 1000);
  CHECK(told.size() == 99);
}

TEST_CASE("one packet with a huge incarnation evicts nobody") {
  gossip::Core core(gossip::Config{}, someone(1), base::Prng(1), kStart);
  gossip::Actions out;
  const gossip::Incarnation huge(UINT64_MAX);
  core.step(datagram(2, {alive(2, kFirst)}), kStart, out);
  core.step(datagram(2, {gossip::Dead{gossip::NodeId(2), huge, gossip::NodeId(3)}}), kStart, out);
  core.step(datagram(2, {gossip::Dead{gossip::NodeId(1), huge, gossip::NodeId(3)}}), kStart, out);
  core.step(datagram(2, {alive(3, huge)}), kStart, out);
  CHECK(core.find(gossip::NodeId(2))->state == MemberState::kAlive);
  CHECK(core.self().incarnation == kFirst);
  CHECK(core.find(gossip::NodeId(3)) == nullptr);
  CHECK(core.stats().dropped == 3);
}

TEST_CASE("a late alive of an older incarnation does not resurrect the dead") {
  gossip::Core core(gossip::Config{}, someone(1), base::Prng(1), kStart);
  gossip::Actions out;
  const auto two = gossip::NodeId(2);
  const gossip::Incarnation later = kFirst.next();
  core.step(datagram(2, {alive(2, later)}), kStart, out);
  const gossip::Dead dead{two, later, gossip::NodeId(3)};
  core.step(datagram(3, {dead, dead}), kStart, out);
  REQUIRE(core.find(two)->state == MemberState::kDead);
  core.step(datagram(3, {alive(2, kFirst)}), kStart, out);
  CHECK(core.find(two)->state == MemberState::kDead);
  core.step(datagram(3, {alive(2, later)}), kStart, out);
  CHECK(core.find(two)->state == MemberState::kDead);
  core.step(datagram(3, {alive(2, later.next())}), kStart, out);
  CHECK(core.find(two)->state == MemberState::kAlive);
}

TEST_CASE("a wiped machine that comes back with a new id replaces its former self") {
  Cluster world(4);
  world.crash(2);
  const gossip::NodeId former = world.id(2);
  world.wipe(2);
  world.start(2);
  world.run_for(seconds(15));
  CHECK(world.disagreement() == "");
  CHECK(world.core(0).find(former)->state == MemberState::kDead);
}

TEST_CASE("the same seed gives the same run") {
  const auto run = [](std::uint64_t seed) {
    Cluster world(5, seed);
    world.set_faults({.loss_permille = 200, .double_permille = 100, .slow_permille = 20});
    world.run_for(seconds(60));
    return world.hash();
  };
  CHECK(run(4) == run(4));
  CHECK(run(4) != run(5));
}
