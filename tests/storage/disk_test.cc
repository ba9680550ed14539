#include "storage/disk.h"

#include <doctest/doctest.h>

#include "base/endian.h"
#include "storage/promise.h"
#include "tests/storage/scratch.h"

namespace fs = std::filesystem;
using namespace brigade;
using namespace brigade::storage;

namespace {

constexpr base::ShardId kGroup(3);

GroupTurn of_group() {
  GroupTurn turn;
  turn.group = kGroup;
  return turn;
}

Turn only(GroupTurn group) {
  Turn turn;
  turn.groups.push_back(std::move(group));
  return turn;
}

// Five entries of term 2, three of them committed, two applied.
Turn five_entries() {
  GroupTurn group = of_group();
  group.hard = hard(2, 1, 3);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    group.entries.push_back(command(2, i, "command " + std::to_string(i)));
  }
  group.records = {{.key = "b", .value = "2"}, {.key = "a", .value = std::string("\0x", 2)}};
  group.applied = raft::Index(2);
  return only(group);
}

// An open store that took them.
std::unique_ptr<Disk> disk_of_five(const std::string& path) {
  auto disk = opened(path);
  loaded(*disk);
  committed(*disk, five_entries());
  return disk;
}

GroupContents reread(const std::string& path) {
  const auto disk = opened(path);
  return loaded(*disk).groups.at(kGroup);
}

}  // namespace

TEST_SUITE("storage/disk") {
  TEST_CASE("a new directory is empty and keeps its identity from then on") {
    const Scratch scratch;
    const std::string path = scratch.path("deep/data");
    {
      const auto disk = opened(path);
      const Contents nothing = loaded(*disk);
      CHECK(nothing.identity.empty());
      CHECK(nothing.groups.empty());
      Turn turn;
      turn.identity = {{.name = "node id", .value = base::Bytes("abc")},
                       {.name = "", .value = base::Bytes("unnamed")},
                       {.name = "generation", .value = base::Bytes("1")}};
      committed(*disk, turn);
      turn.identity = {{.name = "generation", .value = {}}};
      committed(*disk, turn);
      CHECK(disk->turn() == 2);
    }
    const auto disk = opened(path);
    CHECK(disk->turn() == 2);
    const Contents contents = loaded(*disk);
    CHECK(contents.identity == std::map<std::string, base::Bytes>{{"", base::Bytes("unnamed")},
                                                                  {"node id", base::Bytes("abc")}});
  }

  TEST_CASE("a group comes back with hard state, log, records and applied index") {
    const Scratch scratch;
    const Turn turn = five_entries();
    {
      const auto disk = opened(scratch.path("data"));
      loaded(*disk);
      committed(*disk, turn);
    }
    const GroupContents group = reread(scratch.path("data"));
    CHECK(group.raft.hard == hard(2, 1, 3));
    CHECK(group.raft.entries == turn.groups[0].entries);
    CHECK(group.raft.applied == raft::Index(2));
    CHECK(group.raft.snapshot == raft::Snapshot());
    CHECK(group.records == std::vector<Record>{{"a", std::string("\0x", 2)}, {"b", "2"}});
  }

  TEST_CASE("what was committed is there although the process never closed the store") {
    const Scratch scratch;
    const auto disk = disk_of_five(scratch.path("data"));
    copy_live(scratch.path("data"), scratch.path("crashed"));
    CHECK(reread(scratch.path("crashed")).raft.entries.size() == 5);
  }

  TEST_CASE("entries replace everything from the first one's index on") {
    const Scratch scratch;
    {
      const auto disk = disk_of_five(scratch.path("data"));
      GroupTurn group = of_group();
      group.hard = hard(4, 0, 3);
      group.entries = {command(4, 4, "another")};
      committed(*disk, only(group));
    }
    const GroupContents shorter = reread(scratch.path("data"));
    REQUIRE(shorter.raft.entries.size() == 4);
    CHECK(shorter.raft.entries[3] == command(4, 4, "another"));
    {
      // Also after a restart, and twice in one turn.
      const auto disk = opened(scratch.path("data"));
      loaded(*disk);
      GroupTurn first = of_group();
      first.entries = {command(4, 5, "five"), command(4, 6, "six"), command(4, 7, "seven")};
      GroupTurn second = of_group();
      second.hard = hard(5, 0, 3);
      second.entries = {command(5, 5, "new five")};
      Turn turn = only(first);
      turn.groups.push_back(second);
      committed(*disk, turn);
    }
    const GroupContents again = reread(scratch.path("data"));
    REQUIRE(again.raft.entries.size() == 5);
    CHECK(again.raft.entries[4] == command(5, 5, "new five"));
  }

  TEST_CASE("a compacted log begins behind its mark") {
    const Scratch scratch;
    {
      const auto disk = disk_of_five(scratch.path("data"));
      GroupTurn group = of_group();
      group.compact = mark(2, 2);
      committed(*disk, only(group));
      group.compact.reset();
      group.entries = {command(2, 6, "six")};
      committed(*disk, only(group));
    }
    const GroupContents group = reread(scratch.path("data"));
    CHECK(group.raft.snapshot.last == mark(2, 2).last);
    CHECK(group.raft.snapshot.conf == mark(2, 2).conf);
    REQUIRE(group.raft.entries.size() == 4);
    CHECK(group.raft.entries.front() == command(2, 3, "command 3"));
    CHECK(group.raft.entries.back() == command(2, 6, "six"));
    CHECK(group.records.size() == 2);
  }

  TEST_CASE("an installed snapshot replaces log and records, of its group only") {
    const Scratch scratch;
    {
      const auto disk = disk_of_five(scratch.path("data"));
      Turn other = five_entries();
      other.groups[0].group = base::ShardId(4);
      committed(*disk, other);
      GroupTurn group = of_group();
      group.hard = hard(7, 0, 40);
      group.install = Install{.mark = mark(6, 40), .records = {{"a", "new"}, {"z", ""}}};
      group.entries = {command(7, 41, "first behind it")};
      committed(*disk, only(group));
    }
    const auto disk = opened(scratch.path("data"));
    const Contents contents = loaded(*disk);
    const GroupContents& group = contents.groups.at(kGroup);
    CHECK(group.raft.snapshot.last == mark(6, 40).last);
    CHECK(group.raft.applied == raft::Index(40));
    CHECK(group.raft.entries == std::vector<raft::Entry>{command(7, 41, "first behind it")});
    CHECK(group.records == std::vector<Record>{{"a", "new"}, {"z", ""}});
    CHECK(contents.groups.at(base::ShardId(4)).raft.entries.size() == 5);
    CHECK(contents.groups.at(base::ShardId(4)).records.size() == 2);
  }

  TEST_CASE("a dropped group is gone, and a new one may take its place in the same turn") {
    const Scratch scratch;
    {
      const auto disk = disk_of_five(scratch.path("data"));
      Turn other = five_entries();
      other.groups[0].group = base::ShardId(4);
      committed(*disk, other);
      GroupTurn group = of_group();
      group.drop = true;
      committed(*disk, only(group));
      group.group = base::ShardId(4);
      group.hard = hard(1, 0, 0);
      group.entries = {command(1, 1, "reborn")};
      committed(*disk, only(group));
    }
    const auto disk = opened(scratch.path("data"));
    const Contents contents = loaded(*disk);
    CHECK_FALSE(contents.groups.contains(kGroup));
    const GroupContents& reborn = contents.groups.at(base::ShardId(4));
    CHECK(reborn.raft.entries == std::vector<raft::Entry>{command(1, 1, "reborn")});
    CHECK(reborn.records.empty());
    CHECK(reborn.raft.applied == raft::Index(0));
  }

  TEST_CASE("erased records are gone") {
    const Scratch scratch;
    {
      const auto disk = disk_of_five(scratch.path("data"));
      GroupTurn group = of_group();
      group.records = {{.key = "b", .value = std::nullopt}, {.key = "c", .value = "3"}};
      group.applied = raft::Index(3);
      committed(*disk, only(group));
    }
    CHECK(reread(scratch.path("data")).records ==
          std::vector<Record>{{"a", std::string("\0x", 2)}, {"c", "3"}});
  }

  TEST_CASE("an empty turn writes nothing") {
    const Scratch scratch;
    const auto disk = opened(scratch.path("data"));
    loaded(*disk);
    committed(*disk, Turn());
    CHECK(disk->turn() == 0);
  }
}

TEST_SUITE("storage/refusals") {
  TEST_CASE("a directory in use is refused, and free again after its user ended") {
    const Scratch scratch;
    {
      const auto disk = opened(scratch.path("data"));
      CHECK(says(error_of(scratch.path("data")), "in use by another process"));
    }
    CHECK(error_of(scratch.path("data")).empty());
  }

  TEST_CASE("a file in the place of the directory is refused") {
    const Scratch scratch;
    write_file(scratch.path("data"), "I am a file");
    CHECK(says(error_of(scratch.path("data")), "is not a directory"));
    CHECK(says(error_of(scratch.path("data/below")), "is not a directory"));
  }

  TEST_CASE("a directory that cannot be written is refused") {
    // Not even the superuser writes there.
    CHECK(error_of("/proc/brigade-data") != "");
    const Scratch scratch;
    fs::create_directory(scratch.path("data"));
    fs::permissions(scratch.path("data"), fs::perms::owner_read | fs::perms::owner_exec);
    if (::access(scratch.path("data").c_str(), W_OK) != 0) {
      CHECK(says(error_of(scratch.path("data")), "cannot be written by this user"));
    }
  }

  TEST_CASE("a directory of another format is refused before anything in it is touched") {
    const Scratch scratch;
    opened(scratch.path("data"));
    std::string promise = content_of(scratch.path("data/promise"));
    promise[8] = 7;
    write_file(scratch.path("data/promise"), promise);
    const std::string error = error_of(scratch.path("data"));
    CHECK(says(error, "has format 7"));
    CHECK(says(error, "format 1"));
    CHECK(content_of(scratch.path("data/promise")) == promise);
  }

  TEST_CASE("a store that lost a turn it promised is never believed") {
    const Scratch scratch;
    {
      const auto disk = disk_of_five(scratch.path("data"));
      copy_live(scratch.path("data/store"), scratch.path("older"));
      GroupTurn group = of_group();
      group.hard = hard(9, 2, 3);
      committed(*disk, only(group));
    }
    fs::remove_all(scratch.path("data/store"));
    SUBCASE("an older store in its place") {
      fs::copy(scratch.path("older"), scratch.path("data/store"), fs::copy_options::recursive);
      CHECK(says(error_of(scratch.path("data")), "ends at turn 1, but turn 2 was durable"));
    }
    SUBCASE("no store at all") {
      CHECK(says(error_of(scratch.path("data")), "the store is missing"));
    }
    SUBCASE("an empty store") {
      fs::create_directory(scratch.path("data/store"));
      CHECK(says(error_of(scratch.path("data")), "the store is missing"));
    }
    CHECK(says(error_of(scratch.path("data")), "brigade remove"));
  }

  TEST_CASE(
      "a turn that need not last may be lost to a power failure, as long as none after it lasts") {
    const Scratch scratch;
    GroupTurn group = of_group();
    {
      const auto disk = disk_of_five(scratch.path("data"));
      copy_live(scratch.path("data/store"), scratch.path("older"));
      group.hard = hard(2, 1, 4);
      group.must_last = false;
      committed(*disk, only(group));
      copy_live(scratch.path("data"), scratch.path("killed"));
      SUBCASE("it was the last") {}
      SUBCASE("a later one lasts") {
        group.hard = hard(2, 1, 5);
        group.must_last = true;
        committed(*disk, only(group));
      }
    }
    CHECK(reread(scratch.path("killed")).raft.hard == hard(2, 1, 4));
    fs::remove_all(scratch.path("data/store"));
    fs::copy(scratch.path("older"), scratch.path("data/store"), fs::copy_options::recursive);
    CHECK(says(error_of(scratch.path("data")), "was durable") == group.must_last);
  }

  TEST_CASE("a directory without its promise file, or with a damaged one, is refused") {
    const Scratch scratch;
    {
      const auto disk = disk_of_five(scratch.path("data"));
    }
    const std::string promise = content_of(scratch.path("data/promise"));
    SUBCASE("absent") {
      fs::remove(scratch.path("data/promise"));
    }
    SUBCASE("empty") {
      write_file(scratch.path("data/promise"), "");
    }
    SUBCASE("cut") {
      write_file(scratch.path("data/promise"), promise.substr(0, 20));
    }
    SUBCASE("a flipped bit of the turn") {
      std::string bad = promise;
      bad[13] = static_cast<char>(bad[13] ^ 4);
      write_file(scratch.path("data/promise"), bad);
    }
    SUBCASE("something else") {
      write_file(scratch.path("data/promise"), "dear diary,\ntoday nothing happened\n");
    }
    CHECK(says(error_of(scratch.path("data")), "is damaged"));
    CHECK(says(error_of(scratch.path("data")), "is damaged"));
  }

  TEST_CASE("a creation that was cut short is completed") {
    const Scratch scratch;
    SUBCASE("before the promise was written") {
      fs::create_directory(scratch.path("data"));
      write_file(scratch.path("data/promise"), "");
    }
    SUBCASE("before the store was complete") {
      opened(scratch.path("data"));
      fs::remove(scratch.path("data/store/CURRENT"));
    }
    CHECK(error_of(scratch.path("data")).empty());
  }

  TEST_CASE("log, state and manifest with a flipped byte are refused or read as they were") {
    const Scratch scratch;
    {
      const auto disk = disk_of_five(scratch.path("data"));
    }
    {
      opened(scratch.path("data"));
    }  // flushes the write-ahead log into tables
    const Contents whole = [&] {
      const auto disk = opened(scratch.path("data"));
      return loaded(*disk);
    }();
    int refused = 0;
    int tables = 0;
    for (const auto& file : fs::directory_iterator(scratch.path("data/store"))) {
      const std::string name = file.path().filename();
      if (!name.ends_with(".sst") && !name.starts_with("MANIFEST") && name != "CURRENT") {
        continue;
      }
      tables += name.ends_with(".sst") ? 1 : 0;
      const std::string content = content_of(file.path());
      for (std::size_t at = 0; at < content.size(); at += 1 + content.size() / 24) {
        const std::string broken = scratch.path("broken");
        fs::remove_all(broken);
        fs::copy(scratch.path("data"), broken, fs::copy_options::recursive);
        std::string bad = content;
        bad[at] = static_cast<char>(bad[at] ^ 0x55);
        write_file(broken + "/store/" + name, bad);
        auto disk = Disk::open(broken);
        auto contents = disk ? (*disk)->load() : base::Result<Contents>(disk.error());
        if (!contents) {
          ++refused;
          continue;
        }
        CHECK(contents->groups.at(kGroup).raft.entries == whole.groups.at(kGroup).raft.entries);
        CHECK(contents->groups.at(kGroup).raft.hard == whole.groups.at(kGroup).raft.hard);
        CHECK(contents->groups.at(kGroup).records == whole.groups.at(kGroup).records);
      }
    }
    CHECK(tables == 3);
    CHECK(refused > 40);
  }

  TEST_CASE("a write-ahead log that is cut or has a flipped byte loses no turn silently") {
    const Scratch scratch;
    const auto disk = disk_of_five(scratch.path("data"));
    GroupTurn group = of_group();
    group.hard = hard(9, 2, 3);
    committed(*disk, only(group));
    std::string wal;
    for (const auto& file : fs::directory_iterator(scratch.path("data/store"))) {
      if (file.path().extension() == ".log" && fs::file_size(file.path()) > 0) {
        wal = file.path().filename();
      }
    }
    REQUIRE_FALSE(wal.empty());
    const std::string content = content_of(scratch.path("data/store/" + wal));
    const auto try_with = [&](const std::string& bad) {
      const std::string broken = scratch.path("broken");
      copy_live(scratch.path("data"), broken);
      write_file(broken + "/store/" + wal, bad);
      CHECK(says(error_of(broken), "is damaged"));
    };
    for (std::size_t at = 0; at < content.size(); at += 1 + content.size() / 24) {
      CAPTURE(at);
      try_with(content.substr(0, at));
      std::string bad = content;
      bad[at] = static_cast<char>(bad[at] ^ 0x55);
      try_with(bad);
    }
  }
}
