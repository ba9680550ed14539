// A directory of its own for one test, removed afterwards.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <stdlib.h>

#include "storage/disk.h"

namespace brigade::storage {

class Scratch {
 public:
  Scratch() {
    std::string pattern = std::filesystem::temp_directory_path() / "brigade-storage-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return root_ + "/" + name; }

 private:
  std::string root_;
};

inline std::unique_ptr<Disk> opened(const std::string& directory) {
  auto disk = Disk::open(directory);
  REQUIRE_MESSAGE(disk.has_value(), disk.error().message);
  return std::move(disk).value();
}

inline Contents loaded(Disk& disk) {
  auto contents = disk.load();
  REQUIRE_MESSAGE(contents.has_value(), contents.error().message);
  return std::move(contents).value();
}

inline void committed(Disk& disk, const Turn& turn) {
  const base::Status status = disk.commit(turn);
  REQUIRE_MESSAGE(status.has_value(), status.error().message);
}

inline std::string error_of(const std::string& directory) {
  auto disk = Disk::open(directory);
  if (!disk) {
    return disk.error().message;
  }
  const auto contents = (*disk)->load();
  return contents ? "" : contents.error().message;
}

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Names and sizes of every file below a directory.
inline std::map<std::string, std::uintmax_t> sizes_below(const std::string& directory) {
  std::map<std::string, std::uintmax_t> sizes;
  std::error_code gone;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, gone)) {
    if (entry.is_regular_file(gone)) {
      sizes[entry.path().lexically_relative(directory).string()] = entry.file_size(gone);
    }
  }
  return sizes;
}

// The files of a directory as a crash would leave them, at one moment: while the store's own
// threads write or delete files in the middle of the copy, it is made again.
inline void copy_live(const std::string& from, const std::string& to) {
  bool still = false;
  for (int i = 0; i < 1000 && !still; ++i) {
    std::error_code failed;
    std::filesystem::remove_all(to);
    const auto before = sizes_below(from);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, failed);
    still = !failed && before == sizes_below(from) && before == sizes_below(to);
  }
  REQUIRE_MESSAGE(still, "the directory never stood still");
}

inline raft::Entry command(std::uint64_t term, std::uint64_t index, const std::string& data) {
  return {.id = {.term = raft::Term(term), .index = raft::Index(index)},
          .kind = raft::EntryKind::kCommand,
          .data = base::Bytes(data),
          .change = {}};
}

inline raft::HardState hard(std::uint64_t term, std::uint64_t vote, std::uint64_t commit) {
  return {.term = raft::Term(term), .vote = raft::ReplicaId(vote), .commit = raft::Index(commit)};
}

inline SnapshotMark mark(std::uint64_t term, std::uint64_t index) {
  return {.last = {.term = raft::Term(term), .index = raft::Index(index)},
          .conf = {.voters = {raft::ReplicaId(1), raft::ReplicaId(2)},
                   .voters_outgoing = {},
                   .learners = {raft::ReplicaId(9)},
                   .learners_next = {},
                   .auto_leave = false}};
}

}  // namespace brigade::storage
