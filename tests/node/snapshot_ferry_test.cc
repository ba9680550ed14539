#include "node/snapshot_ferry.h"

#include <doctest/doctest.h>

#include "base/prng.h"
#include "node/replica_id.h"

namespace brigade::node {
namespace {

const raft::ReplicaId kLeader = replica_id(NodeId(1), 0);
const raft::ReplicaId kLearner = replica_id(NodeId(2), 3);

std::string some_state(std::size_t size) {
  std::string state;
  for (std::size_t i = 0; i < size; ++i) {
    state.push_back(static_cast<char>(i * 7));
  }
  return state;
}

raft::Message install_of(std::string state, std::uint64_t index = 9) {
  auto snapshot = std::make_shared<raft::Snapshot>();
  snapshot->last = {.term = raft::Term(2), .index = raft::Index(index)};
  snapshot->conf.voters = {kLeader};
  snapshot->conf.learners = {kLearner};
  snapshot->state = base::Bytes(std::move(state));
  return {.from = kLeader,
          .to = kLearner,
          .term = raft::Term(4),
          .body = raft::InstallSnapshot{.snapshot = std::move(snapshot)}};
}

// Two ends and what travels between them, lost and doubled at will.
struct Crossing {
  SnapshotFerry leader{ShardId(5), 100};
  SnapshotFerry learner{ShardId(5), 100};
  std::vector<Send> travelling;
  base::TimePoint now{base::seconds(1)};
  base::Prng dice{1};
  std::uint64_t lose_percent = 0;
  std::uint64_t double_percent = 0;
  std::uint64_t delivered = 0;
  std::vector<raft::Message> arrived;
  std::vector<raft::SnapshotSent> reported;

  void deliver(const Send& send, std::vector<Send>& out) {
    ++delivered;
    if (const auto* part = std::get_if<SnapshotPart>(&send.message)) {
      if (auto whole = learner.on(*part, out)) {
        arrived.push_back(*whole);
      }
    } else {
      leader.on(std::get<SnapshotHave>(send.message), now, out);
    }
  }
  void turn() {
    std::vector<Send> out;
    for (const Send& send : travelling) {
      if (dice.below(100) >= lose_percent) {
        deliver(send, out);
      }
      if (dice.below(100) < double_percent) {
        deliver(send, out);
      }
    }
    travelling = std::move(out);
    if (travelling.empty() && leader.next_deadline() != base::kNever) {
      now = std::max(now, leader.next_deadline());
    }
    for (const auto& one : leader.tick(now, travelling)) {
      reported.push_back(one);
    }
  }
  void run(const raft::Message& install, int turns) {
    leader.begin(install, now, travelling);
    for (int i = 0; i < turns && (arrived.empty() || !travelling.empty()); ++i) {
      turn();
    }
  }
};

const raft::Snapshot& snapshot_of(const raft::Message& message) {
  return *std::get<raft::InstallSnapshot>(message.body).snapshot;
}

TEST_SUITE("node/snapshot_ferry") {
  TEST_CASE("a snapshot arrives as it was, in parts, one at a time") {
    for (const std::size_t size : {0U, 1U, 99U, 100U, 101U, 12'345U}) {
      CAPTURE(size);
      Crossing crossing;
      const auto install = install_of(some_state(size));
      crossing.run(install, 1000);
      REQUIRE(crossing.arrived.size() == 1);
      CHECK(snapshot_of(crossing.arrived.front()) == snapshot_of(install));
      CHECK(crossing.arrived.front().from == kLeader);
      CHECK(crossing.arrived.front().to == kLearner);
      CHECK(crossing.arrived.front().term == raft::Term(4));
      CHECK(crossing.delivered <= 2 * (size / 100 + 1) + 1);
    }
  }

  TEST_CASE("lost and doubled parts and answers delay it, and never multiply the stream") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      Crossing crossing;
      crossing.dice = base::Prng(seed);
      crossing.lose_percent = 20;
      crossing.double_percent = 20;
      const auto install = install_of(some_state(5'000));
      crossing.run(install, 2000);
      REQUIRE(crossing.arrived.size() == 1);
      CHECK(snapshot_of(crossing.arrived.front()) == snapshot_of(install));
      CHECK(crossing.delivered < 400);
    }
  }

  TEST_CASE("a receiver that forgot the beginning starts over") {
    Crossing crossing;
    crossing.leader.begin(install_of(some_state(1'000)), crossing.now, crossing.travelling);
    for (int i = 0; i < 8; ++i) {
      crossing.turn();
    }
    crossing.learner = SnapshotFerry(ShardId(5), 100);
    for (int i = 0; i < 200 && crossing.arrived.empty(); ++i) {
      crossing.turn();
    }
    REQUIRE(crossing.arrived.size() == 1);
    CHECK(snapshot_of(crossing.arrived.front()).state.view() == some_state(1'000));
  }

  TEST_CASE("a newer snapshot replaces one that is under way") {
    Crossing crossing;
    crossing.leader.begin(install_of(some_state(1'000)), crossing.now, crossing.travelling);
    for (int i = 0; i < 5; ++i) {
      crossing.turn();
    }
    crossing.run(install_of(some_state(700), 20), 1000);
    REQUIRE(crossing.arrived.size() == 1);
    CHECK(snapshot_of(crossing.arrived.front()).last.index == raft::Index(20));
  }

  TEST_CASE("silence is reported as a failure, an arrival without Raft's word as a delivery") {
    Crossing silent;
    silent.lose_percent = 100;
    silent.run(install_of(some_state(10)), 50);
    REQUIRE(silent.reported.size() == 1);
    CHECK_FALSE(silent.reported.front().delivered);
    CHECK(silent.leader.next_deadline() == base::kNever);

    Crossing heard;
    heard.run(install_of(some_state(10)), 50);
    heard.now = heard.leader.next_deadline();
    heard.turn();
    REQUIRE(heard.reported.size() == 1);
    CHECK(heard.reported.front().delivered);
  }

  TEST_CASE("parts that make no sense cost nothing and end nothing") {
    SnapshotFerry ferry(ShardId(5), 100);
    std::vector<Send> out;
    SnapshotPart part{
        .shard = ShardId(5), .from = kLeader, .to = kLearner, .size = ~std::uint64_t{0}};
    CHECK_FALSE(ferry.on(part, out));
    CHECK(out.empty());
    part.size = 5;
    part.bytes = base::Bytes(std::string(6, 'x'));  // more than the whole
    CHECK_FALSE(ferry.on(part, out));
    part.offset = ~std::uint64_t{0};
    CHECK_FALSE(ferry.on(part, out));
    part.offset = 0;
    part.bytes = base::Bytes(std::string(SnapshotFerry::kPartMax + 1, 'x'));
    CHECK_FALSE(ferry.on(part, out));
    part.bytes = base::Bytes("abcde");
    CHECK(ferry.on(part, out));
    CHECK_FALSE(ferry.on(part, out));  // once
  }

  TEST_CASE("who else needs a snapshot may have the newest that is under way") {
    SnapshotFerry ferry(ShardId(5), 100);
    std::vector<Send> out;
    CHECK(ferry.carried() == nullptr);
    ferry.begin(install_of("new", 12), base::TimePoint(base::seconds(1)), out);
    raft::Message older = install_of("old", 9);
    older.to = replica_id(NodeId(3), 1);
    ferry.begin(older, base::TimePoint(base::seconds(1)), out);
    REQUIRE(ferry.carried() != nullptr);
    CHECK(ferry.carried()->last.index == raft::Index(12));
    ferry.clear();
    CHECK(ferry.carried() == nullptr);
  }
}

}  // namespace
}  // namespace brigade::node
