// Reading a whole store, believing nothing.
#include <utility>

#include "base/endian.h"
#include "storage/advice.h"
#include "storage/families.h"
#include "storage/layout.h"

namespace brigade::storage {
namespace {

constexpr std::size_t kGroupBytes = sizeof(std::uint32_t);
constexpr std::size_t kIndexBytes = sizeof(std::uint64_t);

class Reading {
 public:
  explicit Reading(const Families& store) : store_(store) {}

  // Each yields what is wrong, or nothing.
  std::string read_facts();
  std::string read_log();
  std::string read_state();
  std::string check_groups();

  rocksdb::Status status;  // of the last iteration
  Contents contents;

 private:
  // Visits every pair of a family with (key, unsealed value) until `visit` finds something wrong.
  template <class Visit>
  std::string each(rocksdb::ColumnFamilyHandle* family, const char* name, const Visit& visit);
  std::string read_fact(std::string_view key, std::string_view value);
  std::string read_group_fact(std::string_view key, std::string_view value);
  static std::string check(GroupContents& group);

  const Families& store_;
};

template <class Visit>
std::string Reading::each(rocksdb::ColumnFamilyHandle* family, const char* name,
                          const Visit& visit) {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(store_.db->NewIterator(options, family));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const std::string_view key = at->key().ToStringView();
    const auto value = unseal(key, at->value().ToStringView());
    if (!value) {
      return std::string("wrong checksum in ") + name;
    }
    if (std::string wrong = visit(key, *value); !wrong.empty()) {
      return wrong;
    }
  }
  status = at->status();
  return {};
}

std::string Reading::read_facts() {
  return each(store_.facts, "facts", [this](std::string_view key, std::string_view value) {
    return read_fact(key, value);
  });
}

std::string Reading::read_fact(std::string_view key, std::string_view value) {
  if (key == turn_key()) {
    return {};
  }
  if (key.front() == kIdentityTag) {
    contents.identity[std::string(key.substr(1))] = base::Bytes(std::string(value));
    return {};
  }
  return read_group_fact(key, value);
}

std::string Reading::read_group_fact(std::string_view key, std::string_view value) {
  if (key.size() != 1 + kGroupBytes) {
    return "an unknown fact";
  }
  raft::Restored& raft = contents.groups[base::ShardId(base::load_be<std::uint32_t>(key, 1))].raft;
  if (key.front() == kHardTag) {
    const auto hard = decode_hard(value);
    raft.hard = hard.value_or(raft::HardState());
    return hard ? "" : "a hard state";
  }
  if (key.front() == kMarkTag) {
    const auto mark = decode_mark(value);
    if (!mark) {
      return "a snapshot mark";
    }
    raft.snapshot = {.last = mark->last, .conf = mark->conf, .state = {}};
    return {};
  }
  const auto applied = decode_number(value);
  if (key.front() != kAppliedTag || !applied) {
    return "an unknown fact";
  }
  raft.applied = raft::Index(*applied);
  return {};
}

std::string Reading::read_log() {
  return each(store_.log, "a log", [this](std::string_view key, std::string_view value) {
    if (key.size() != kGroupBytes + kIndexBytes) {
      return "an entry's key";
    }
    const base::ShardId group(base::load_be<std::uint32_t>(key));
    const raft::Index index(base::load_be<std::uint64_t>(key, kGroupBytes));
    auto entry = decode_entry(index, value);
    if (!entry) {
      return "an entry";
    }
    contents.groups[group].raft.entries.push_back(*std::move(entry));
    return "";
  });
}

std::string Reading::read_state() {
  return each(store_.state, "a record", [this](std::string_view key, std::string_view value) {
    if (key.size() <= kGroupBytes) {
      return "a record's key";
    }
    const base::ShardId group(base::load_be<std::uint32_t>(key));
    contents.groups[group].records.push_back(
        {.key = std::string(key.substr(kGroupBytes)), .value = std::string(value)});
    return "";
  });
}

std::string Reading::check_groups() {
  for (auto& [id, group] : contents.groups) {
    if (const std::string wrong = check(group); !wrong.empty()) {
      return "group " + std::to_string(id.value()) + ": " + wrong;
    }
  }
  return {};
}

// What must hold of any group that commit() wrote (reliability rules: a term never falls, an entry
// that was committed or applied is there).
std::string Reading::check(GroupContents& group) {
  raft::Restored& raft = group.raft;
  raft::EntryId last = raft.snapshot.last;
  for (const raft::Entry& entry : raft.entries) {
    if (entry.id.index != last.index.next()) {
      return "entries are missing after index " + std::to_string(last.index.value());
    }
    if (entry.id.term < last.term) {
      return "terms fall at index " + std::to_string(entry.id.index.value());
    }
    last = entry.id;
  }
  if (raft.hard.term < last.term) {
    return "the log is ahead of the term";
  }
  raft.applied = std::max(raft.applied, raft.snapshot.last.index);
  const raft::Index committed = std::max(raft.hard.commit, raft.snapshot.last.index);
  if (committed > last.index) {
    return "committed entries are missing after index " + std::to_string(last.index.value());
  }
  if (raft.applied > committed) {
    return "records are ahead of the commit";
  }
  return {};
}

}  // namespace

base::Result<Contents> read_contents(const Families& store, const std::string& directory) {
  Reading reading(store);
  for (auto step :
       {&Reading::read_facts, &Reading::read_log, &Reading::read_state, &Reading::check_groups}) {
    if (const std::string wrong = (reading.*step)(); !wrong.empty()) {
      return advise_damaged(directory, wrong);
    }
    if (!reading.status.ok()) {
      return advise(reading.status, directory);
    }
  }
  return std::move(reading.contents);
}

}  // namespace brigade::storage
