// Random turns against a model, with restarts and crashes: what is loaded is always what was
// committed.
#include <map>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "storage/disk.h"
#include "tests/storage/scratch.h"

using namespace brigade;
using namespace brigade::storage;

namespace {

struct ModelGroup {
  raft::HardState hard;
  SnapshotMark mark;
  std::vector<raft::Entry> entries;
  raft::Index applied;
  std::map<std::string, std::string> records;

  [[nodiscard]] raft::Index last() const { return mark.last.index.next(entries.size()); }
  [[nodiscard]] raft::EntryId at(raft::Index index) const {
    return index == mark.last.index ? mark.last : entries[index.distance(mark.last.index) - 1].id;
  }
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : dice_(seed) {}

  Turn turn();
  void check(const Contents& contents) const;
  bool one_in(std::uint64_t n) { return dice_.chance(1, n); }

 private:
  void append(ModelGroup& group, GroupTurn& turn);
  void compact(ModelGroup& group, GroupTurn& turn);
  void install(ModelGroup& group, GroupTurn& turn);
  void apply(ModelGroup& group, GroupTurn& turn);
  raft::Index between(raft::Index low, raft::Index high) {
    return low.next(dice_.below(high.distance(low) + 1));
  }

  base::Prng dice_;
  std::map<base::ShardId, ModelGroup> groups_;
};

Turn Model::turn() {
  Turn turn;
  for (std::uint64_t i = dice_.below(4); i > 0; --i) {
    GroupTurn one;
    one.group = base::ShardId(static_cast<std::uint32_t>(dice_.below(3)));
    if (one_in(40)) {
      one.drop = true;
      groups_.erase(one.group);
    }
    ModelGroup& group = groups_[one.group];
    if (one_in(2)) {
      group.hard.term = raft::Term(group.hard.term.value() + dice_.below(3));
      group.hard.vote = raft::ReplicaId(dice_.below(4));
    }
    if (one_in(25)) {
      install(group, one);
    }
    append(group, one);
    group.hard.commit = between(std::max(group.hard.commit, group.mark.last.index), group.last());
    one.hard = group.hard;
    apply(group, one);
    if (one_in(6)) {
      compact(group, one);
    }
    turn.groups.push_back(std::move(one));
  }
  return turn;
}

void Model::append(ModelGroup& group, GroupTurn& turn) {
  const raft::Index committed = std::max(group.hard.commit, group.mark.last.index);
  const raft::Index kept = one_in(3) ? between(committed, group.last()) : group.last();
  const std::uint64_t count = dice_.below(5);
  if (count == 0) {
    return;
  }
  group.entries.resize(kept.distance(group.mark.last.index));
  for (std::uint64_t i = 1; i <= count; ++i) {
    const raft::Entry entry =
        command(group.hard.term.value(), kept.next(i).value(), std::string(dice_.below(30), 'x'));
    group.entries.push_back(entry);
    turn.entries.push_back(entry);
  }
}

void Model::compact(ModelGroup& group, GroupTurn& turn) {
  const raft::Index to = between(group.mark.last.index, group.applied);
  const raft::EntryId last = group.at(to);
  group.entries.erase(
      group.entries.begin(),
      group.entries.begin() + static_cast<std::ptrdiff_t>(to.distance(group.mark.last.index)));
  group.mark = mark(last.term.value(), to.value());
  turn.compact = group.mark;
}

void Model::install(ModelGroup& group, GroupTurn& turn) {
  const raft::Index index = group.last().next(dice_.below(5));
  group.hard.commit = index;
  group.mark = mark(group.hard.term.value(), index.value());
  group.entries.clear();
  group.applied = index;
  group.records = {{"installed", std::to_string(index.value())}};
  turn.install =
      Install{.mark = group.mark, .records = {{"installed", group.records.begin()->second}}};
}

void Model::apply(ModelGroup& group, GroupTurn& turn) {
  group.applied = between(std::max(group.applied, group.mark.last.index), group.hard.commit);
  turn.applied = group.applied;
  for (std::uint64_t i = dice_.below(4); i > 0; --i) {
    const std::string key = "key " + std::to_string(dice_.below(20));
    if (one_in(3)) {
      group.records.erase(key);
      turn.records.push_back({.key = key, .value = std::nullopt});
    } else {
      group.records[key] = std::to_string(dice_.next());
      turn.records.push_back({.key = key, .value = group.records[key]});
    }
  }
}

void Model::check(const Contents& contents) const {
  REQUIRE(contents.groups.size() == groups_.size());
  for (const auto& [id, group] : groups_) {
    const GroupContents& found = contents.groups.at(id);
    REQUIRE(found.raft.hard == group.hard);
    REQUIRE(found.raft.snapshot.last == group.mark.last);
    REQUIRE(found.raft.snapshot.conf == group.mark.conf);
    REQUIRE(found.raft.entries == group.entries);
    REQUIRE(found.raft.applied == group.applied);
    std::vector<Record> records;
    for (const auto& [key, value] : group.records) {
      records.push_back({key, value});
    }
    REQUIRE(found.records == records);
  }
}

}  // namespace

TEST_SUITE("storage/turns") {
  TEST_CASE("what is loaded is what was committed, across restarts and crashes") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      CAPTURE(seed);
      const Scratch scratch;
      Model model(seed);
      int life = 0;
      std::string path = scratch.path("0");
      auto disk = opened(path);
      loaded(*disk);
      for (int i = 0; i < 250; ++i) {
        committed(*disk, model.turn());
        if (model.one_in(2)) {
          continue;
        }
        if (model.one_in(25)) {  // a crash: the files as they are, nothing closed
          const std::string next = scratch.path(std::to_string(++life));
          copy_live(path, next);
          disk = opened(next);
          path = next;
        } else if (model.one_in(25)) {
          disk.reset();
          disk = opened(path);
        } else {
          continue;
        }
        model.check(loaded(*disk));
      }
    }
  }
}
