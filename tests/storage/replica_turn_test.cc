#include "storage/replica_turn.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "node/token_store.h"
#include "tests/storage/scratch.h"
#include "wire/store_codec.h"

using namespace brigade;
using namespace brigade::storage;

namespace {

constexpr base::ShardId kShard(1);

node::StateRecord session(std::uint64_t account) {
  return node::SessionRecord{.account = node::Account(account),
                             .node = base::NodeId(account),
                             .boot = {.high = 1, .low = account},
                             .attempt = 1};
}

node::RecordWrite put(const node::StateRecord& record) {
  return {.key = node::record_key(record), .dropped = false, .record = record};
}

raft::Persist persist(std::uint64_t term, std::uint64_t commit, std::vector<raft::Entry> entries) {
  raft::Persist out;
  out.hard = hard(term, 1, commit);
  out.entries = std::move(entries);
  return out;
}

node::ReplicaState restarted(const std::string& path, const node::Codec& codec) {
  const auto disk = opened(path);
  auto state = replica_state(loaded(*disk).groups.at(kShard), codec);
  REQUIRE(state.has_value());
  return std::move(state).value();
}

}  // namespace

TEST_SUITE("storage/replica_turn") {
  TEST_CASE("what a replica writes is what it is given after a restart") {
    const Scratch scratch;
    const wire::StoreCodec codec;
    {
      const auto disk = opened(scratch.path("data"));
      loaded(*disk);
      node::GroupWrite write;
      write.shard = kShard;
      write.persists.push_back(persist(1, 0, {command(1, 1, "one"), command(1, 2, "two")}));
      write.persists.push_back(persist(2, 2, {command(2, 2, "other"), command(2, 3, "three")}));
      write.records = {put(session(5)), put(session(6))};
      write.applied = 2;
      write.compacted = node::Compaction{.last = mark(1, 1).last, .conf = mark(1, 1).conf};
      Turn turn;
      add(write, codec, turn);
      committed(*disk, turn);
      CHECK(disk->turn() == 1);
    }
    const node::ReplicaState state = restarted(scratch.path("data"), codec);
    CHECK(state.raft.hard == hard(2, 1, 2));
    CHECK(state.raft.snapshot.last == mark(1, 1).last);
    CHECK(state.raft.entries ==
          std::vector<raft::Entry>{command(2, 2, "other"), command(2, 3, "three")});
    CHECK(state.raft.applied == raft::Index(2));
    CHECK(state.records == std::vector<node::StateRecord>{session(5), session(6)});
    node::TokenStore store(kShard, 4);
    CHECK(store.restore(state.records));
  }

  TEST_CASE("only what the log cannot redo must last") {
    const wire::StoreCodec codec;
    node::GroupWrite write{.shard = kShard, .records = {put(session(5))}, .applied = 2};
    write.persists.push_back(persist(1, 2, {}));
    SUBCASE("a commit index and records") {
      Turn turn;
      add(write, codec, turn);
      CHECK(std::none_of(turn.groups.begin(), turn.groups.end(),
                         [](const GroupTurn& group) { return group.must_last; }));
    }
    SUBCASE("entries, a term or a vote among them") {
      write.persists.front().sync = true;
      Turn turn;
      add(write, codec, turn);
      CHECK(turn.groups.front().must_last);
    }
  }

  TEST_CASE("a snapshot from the leader replaces the records of a replica") {
    const Scratch scratch;
    const wire::StoreCodec codec;
    {
      const auto disk = opened(scratch.path("data"));
      loaded(*disk);
      node::GroupWrite write;
      write.shard = kShard;
      write.persists.push_back(persist(1, 1, {command(1, 1, "one")}));
      write.records = {put(session(5))};
      write.applied = 1;
      Turn turn;
      add(write, codec, turn);
      committed(*disk, turn);

      write = {};
      write.shard = kShard;
      write.persists.push_back(persist(3, 30, {}));
      auto snapshot = std::make_shared<raft::Snapshot>();
      snapshot->last = mark(2, 30).last;
      snapshot->conf = mark(2, 30).conf;
      write.persists.back().snapshot = snapshot;
      write.replace = true;
      write.records = {put(session(20))};
      write.applied = 30;
      write.compacted = node::Compaction{.last = snapshot->last, .conf = snapshot->conf};
      turn = {};
      add(write, codec, turn);
      committed(*disk, turn);
    }
    const node::ReplicaState state = restarted(scratch.path("data"), codec);
    CHECK(state.raft.entries.empty());
    CHECK(state.raft.applied == raft::Index(30));
    CHECK(state.raft.snapshot.conf == mark(2, 30).conf);
    CHECK(state.records == std::vector<node::StateRecord>{session(20)});
  }

  TEST_CASE("a record that cannot be read stops the start") {
    GroupContents contents;
    contents.records.push_back({.key = "m", .value = "not a record"});
    const auto state = replica_state(contents, wire::StoreCodec());
    REQUIRE_FALSE(state.has_value());
    CHECK(says(state.error().message, "newer version"));
  }

  TEST_CASE("a replica that begins or ends forgets what was there, and leaves its id for good") {
    const Scratch scratch;
    const wire::StoreCodec codec;
    const raft::ReplicaId first(7U << 16U | 1U);
    const raft::ReplicaId second(7U << 16U | 2U);
    {
      const auto disk = opened(scratch.path("data"));
      CHECK(replica_grounds(loaded(*disk))->empty());
      node::GroupWrite write;
      write.shard = kShard;
      write.ground = {.id = first};
      write.persists.push_back(persist(3, 0, {}));
      Turn turn;
      add(write, codec, turn);
      committed(*disk, turn);
    }
    {
      const auto disk = opened(scratch.path("data"));
      const Contents contents = loaded(*disk);
      CHECK(*replica_grounds(contents) ==
            std::map<base::ShardId, node::ReplicaGround>{{kShard, {.id = first}}});
      CHECK(contents.groups.at(kShard).raft.hard.term == raft::Term(3));
      node::GroupWrite end;
      end.shard = kShard;
      end.ground = {.id = first, .removed = true};
      Turn turn;
      add(end, codec, turn);
      committed(*disk, turn);
    }
    {
      const auto disk = opened(scratch.path("data"));
      const Contents contents = loaded(*disk);
      CHECK(replica_grounds(contents)->at(kShard).removed);
      CHECK_FALSE(contents.groups.contains(kShard));
      node::GroupWrite again;
      again.shard = kShard;
      again.ground = {.id = second};
      Turn turn;
      add(again, codec, turn);
      committed(*disk, turn);
    }
    const auto disk = opened(scratch.path("data"));
    CHECK(replica_grounds(loaded(*disk))->at(kShard) == node::ReplicaGround{.id = second});
    Contents odd;
    odd.identity["replica.x"] = base::Bytes(std::string(9, '\0'));
    CHECK_FALSE(replica_grounds(odd));
    odd.identity.clear();
    odd.identity["replica.1"] = base::Bytes(std::string(9, '\x02'));
    CHECK_FALSE(replica_grounds(odd));
  }
}
