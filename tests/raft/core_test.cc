// Rules of the core that a transcript or a simulation would show only by accident.
#include "raft/core.h"

#include <doctest/doctest.h>

namespace brigade::raft {
namespace {

constexpr ReplicaId kSelf(1);

base::TimePoint at(std::int64_t ms) {
  return base::TimePoint(base::milliseconds(ms));
}
Restored founded() {
  Restored restored;
  restored.hard = {.term = Term(1), .vote = {}, .commit = Index(1)};
  restored.snapshot.last = {.term = Term(1), .index = Index(1)};
  restored.snapshot.conf.voters = {ReplicaId(1), ReplicaId(2), ReplicaId(3)};
  restored.applied = Index(1);
  return restored;
}

// One replica of three; the test plays its disk and the other two.
struct Replica {
  Core core;
  Actions out;

  explicit Replica(Config config = {.self = kSelf}, const Restored& restored = founded())
      : core(config, base::Prng(1), restored, at(0)) {}

  void step(const Input& input, std::int64_t ms) {
    core.step(input, at(ms));
    flush();
  }
  void flush() {
    out.clear();
    core.flush(out);
    core.check_invariants();
  }
  void hear(std::uint64_t from, std::uint64_t term, Body body, std::int64_t ms) {
    step(Message{.from = ReplicaId(from), .to = kSelf, .term = Term(term), .body = std::move(body)},
         ms);
  }
  // Its disk has done what it was asked for last.
  void durable(std::int64_t ms) {
    REQUIRE(out.persist);
    const Persist done = std::move(*out.persist);
    for (const Message& message : done.then) {
      if (message.to == kSelf) {
        core.step(message, at(ms));
      }
    }
    if (done.acknowledge) {
      core.step(*done.acknowledge, at(ms));
    }
    flush();
  }
  // Elected in term 2 by replica 2, with its first entry committed and applied.
  void lead() {
    step(Timeout{}, 2000);
    durable(2000);
    hear(2, 2, VoteReply{.pre = true}, 2000);
    durable(2000);
    hear(2, 2, VoteReply{}, 2000);
    REQUIRE(core.role() == Role::kLeader);
    durable(2000);
    hear(2, 2, AppendReply{.index = Index(2)}, 2000);
    step(Applied{.index = Index(2)}, 2000);
  }
  template <class T>
  [[nodiscard]] std::vector<T> sent() const {
    std::vector<T> all;
    for (const Message& message : out.sends) {
      if (const T* one = std::get_if<T>(&message.body)) {
        all.push_back(*one);
      }
    }
    return all;
  }
};

TEST_CASE("a vote leaves only once it is durable, and only one per term") {
  Replica one;
  one.hear(2, 2, VoteRequest{.last = {.term = Term(1), .index = Index(1)}}, 2000);
  CHECK(one.out.sends.empty());
  REQUIRE(one.out.persist);
  CHECK(one.out.persist->sync);
  CHECK(one.out.persist->hard->vote == ReplicaId(2));
  REQUIRE(one.out.persist->then.size() == 1);
  CHECK_FALSE(std::get<VoteReply>(one.out.persist->then[0].body).reject);
  one.hear(3, 2, VoteRequest{.last = {.term = Term(1), .index = Index(1)}}, 2000);
  REQUIRE(one.out.persist);
  CHECK(std::get<VoteReply>(one.out.persist->then[0].body).reject);
}

TEST_CASE("a vote given before a crash is not given again to another") {
  Restored restored = founded();
  restored.hard = {.term = Term(2), .vote = ReplicaId(2), .commit = Index(1)};
  Replica one({.self = kSelf}, restored);
  one.hear(3, 2, VoteRequest{.last = {.term = Term(1), .index = Index(1)}}, 2000);
  REQUIRE(one.out.persist);
  CHECK(std::get<VoteReply>(one.out.persist->then[0].body).reject);
}

TEST_CASE("who heard a leader lately, or started lately, ignores candidates") {
  Replica one;
  one.hear(3, 2, VoteRequest{.last = {.term = Term(1), .index = Index(1)}}, 100);
  CHECK(one.core.term() == Term(1));
  one.hear(2, 2, Heartbeat{}, 1000);
  one.hear(3, 3, VoteRequest{.last = {.term = Term(1), .index = Index(1)}}, 1500);
  CHECK(one.core.term() == Term(2));
  one.hear(3, 3, VoteRequest{.last = {.term = Term(1), .index = Index(1)}}, 1601);
  CHECK(one.core.term() == Term(3));
}

TEST_CASE("a pre-vote moves neither term nor vote, and a grant of it wins no election") {
  Replica one;
  one.hear(2, 5, VoteRequest{.pre = true, .last = {.term = Term(1), .index = Index(1)}}, 2000);
  CHECK(one.core.term() == Term(1));
  CHECK_FALSE(one.core.vote());
  one.step(Timeout{}, 4000);
  CHECK(one.core.role() == Role::kPreCandidate);
  one.durable(4000);
  one.hear(2, 2, VoteReply{.pre = true}, 4000);
  CHECK(one.core.role() == Role::kCandidate);
  one.durable(4000);
  one.hear(2, 2, VoteReply{.pre = true}, 4000);  // the same answer again
  CHECK(one.core.role() == Role::kCandidate);
}

TEST_CASE("a leader counts itself only once its entry is durable") {
  Replica one;
  one.lead();
  one.step(Propose{.data = base::Bytes("a"), .ticket = 1}, 2001);
  const Persist held = *one.out.persist;
  one.hear(3, 2, AppendReply{.index = Index(3)}, 2001);
  CHECK(one.core.log().committed() == Index(2));
  one.out.persist = held;
  one.durable(2002);
  CHECK(one.core.log().committed() == Index(3));
}

TEST_CASE("an entry of an earlier term is not committed by counting") {
  Restored restored = founded();
  restored.entries.push_back(
      {.id = {.term = Term(1), .index = Index(2)}, .data = base::Bytes("old")});
  Replica one({.self = kSelf}, restored);
  one.step(Timeout{}, 2000);
  one.durable(2000);
  one.hear(2, 2, VoteReply{.pre = true}, 2000);
  one.durable(2000);
  one.hear(2, 2, VoteReply{}, 2000);
  REQUIRE(one.core.role() == Role::kLeader);
  one.durable(2000);
  one.hear(2, 2, AppendReply{.index = Index(2)}, 2000);
  CHECK(one.core.log().committed() == Index(1));
  one.hear(2, 2, AppendReply{.index = Index(3)}, 2000);
  CHECK(one.core.log().committed() == Index(3));
}

TEST_CASE("a read waits for a round that began after it, answered by a quorum") {
  Replica one;
  one.lead();
  one.step(ReadIndex{.ticket = 1}, 2001);
  CHECK(one.out.reads.empty());
  const auto beats = one.sent<Heartbeat>();
  REQUIRE_FALSE(beats.empty());
  const std::uint64_t round = beats[0].read;
  one.step(ReadIndex{.ticket = 2}, 2002);
  one.hear(2, 2, HeartbeatReply{.read = round}, 2003);
  REQUIRE(one.out.reads.size() == 1);  // the second one began later
  CHECK(one.out.reads[0].ticket == 1);
  CHECK(one.out.reads[0].index == Index(2));
}

TEST_CASE("reads are refused when leadership is lost") {
  Replica one;
  one.lead();
  one.step(ReadIndex{.ticket = 1}, 2001);
  one.hear(2, 9, Heartbeat{}, 2002);
  REQUIRE(one.out.reads_refused.size() == 1);
  CHECK(one.out.reads_refused[0].ticket == 1);
}

TEST_CASE("a leader that no quorum answers steps down") {
  Replica one;
  one.lead();
  one.step(Timeout{}, 2600);  // replica 2 answered in this period
  CHECK(one.core.role() == Role::kLeader);
  one.step(Timeout{}, 3200);
  CHECK(one.core.role() == Role::kFollower);
}

TEST_CASE("a transfer that was taken back is ignored") {
  const Append entries{.prev = {.term = Term(1), .index = Index(1)},
                       .entries = {{.id = {.term = Term(2), .index = Index(2)}}},
                       .commit = Index(1)};
  Replica one;
  one.hear(2, 2, entries, 1000);
  one.hear(2, 2, TimeoutNow{.last = Index(1)}, 1001);
  CHECK(one.core.role() == Role::kFollower);
  one.hear(2, 2, TimeoutNow{.last = Index(2)}, 1002);
  CHECK(one.core.role() == Role::kCandidate);
}

TEST_CASE("a lost snapshot is sent again after its time, where the driver says nothing") {
  for (const bool timed : {false, true}) {
    Config config{.self = kSelf};
    config.snapshot_timeout = timed ? base::seconds(5) : base::Duration::zero();
    Replica one(config);
    one.lead();
    one.hear(3, 2, AppendReply{.index = Index(1), .reject = true, .hint = {}}, 2000);
    REQUIRE(one.sent<InstallSnapshot>().size() == 1);
    std::size_t again = 0;
    for (std::int64_t ms = 2100; ms <= 9000; ms += 100) {
      one.step(Timeout{}, ms);
      one.hear(2, 2, HeartbeatReply{}, ms);
      one.hear(3, 2, HeartbeatReply{}, ms);
      again += one.sent<InstallSnapshot>().size();
    }
    CHECK((again > 0) == timed);
  }
}

TEST_CASE("who installed a snapshot that the log has left behind since is sent the next one") {
  Replica one;
  one.lead();
  one.hear(3, 2, AppendReply{.index = Index(1), .reject = true, .hint = {}}, 2000);
  REQUIRE(one.sent<InstallSnapshot>().size() == 1);
  CHECK(one.sent<InstallSnapshot>()[0].snapshot->last.index == Index(1));
  one.step(Propose{.data = base::Bytes("a"), .ticket = 1}, 2001);
  one.durable(2001);
  one.hear(2, 2, AppendReply{.index = Index(3)}, 2001);
  one.step(Applied{.index = Index(3)}, 2001);
  one.step(SnapshotTaken{.index = Index(3), .state = base::Bytes("a")}, 2001);
  one.step(CompactTo{.index = Index(3)}, 2001);
  one.hear(3, 2, AppendReply{.index = Index(1)}, 2002);
  REQUIRE(one.sent<InstallSnapshot>().size() == 1);
  CHECK(one.sent<InstallSnapshot>()[0].snapshot->last.index == Index(3));
  one.hear(3, 2, AppendReply{.index = Index(3)}, 2003);
  CHECK(one.core.membership().progress.at(ReplicaId(3)).state() == ProgressState::kReplicate);
}

TEST_CASE("messages of strangers and of the past change nothing") {
  Replica one;
  one.lead();
  const EntryId last = one.core.log().last_id();
  one.hear(9, 2, AppendReply{.index = Index(99)}, 2001);
  one.hear(2, 2, AppendReply{.index = Index(99)}, 2001);  // beyond our log
  one.hear(2, 1, VoteReply{}, 2001);
  one.hear(3, 2, Append{.prev = last, .entries = {}, .commit = Index(99)}, 2001);  // a rival
  CHECK(one.core.role() == Role::kLeader);
  CHECK(one.core.log().last_id() == last);
  CHECK(one.core.log().committed() == Index(2));
}

TEST_CASE("a refused candidate learns what is committed") {
  Restored restored = founded();
  for (std::uint64_t index = 2; index <= 4; ++index) {
    restored.entries.push_back({.id = {.term = Term(1), .index = Index(index)}});
  }
  Replica one({.self = kSelf}, restored);
  one.step(Timeout{}, 2000);
  one.durable(2000);
  // Who refuses a pre-vote speaks in its own term.
  one.hear(
      2, 1,
      VoteReply{.pre = true, .reject = true, .committed = {.term = Term(1), .index = Index(3)}},
      2000);
  CHECK(one.core.log().committed() == Index(3));
  one.hear(
      3, 1,
      VoteReply{.pre = true, .reject = true, .committed = {.term = Term(9), .index = Index(4)}},
      2000);
  CHECK(one.core.log().committed() == Index(3));  // not our entry 4
}

}  // namespace
}  // namespace brigade::raft
