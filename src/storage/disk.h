// A node's data directory: its identity, and of each Raft group the log, the hard state and the
// state machine's records, in one RocksDB with one write-ahead log, so that all groups of a turn
// share one fsync.
//
// Threads: single-threaded (owner: the storage thread; every call may wait for the disk, so never
// the event loop's). Ownership: one process per directory, by a lock. Invariants: (1) a turn is
// there entirely or not at all; (2) a store that lost a turn it promised, or holds anything that
// does not fit together, is refused by open() or load(), never repaired and never taken for an
// empty one; (3) after a failed commit nothing is ever written again: once fsync has failed the
// kernel may have dropped what it could not write, so trying again proves nothing (Rebello et al.,
// USENIX ATC 2020).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "storage/promise.h"
#include "storage/turn.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace brigade::storage {

struct Families;

class Disk {
 public:
  // Opens this data directory, or creates it. Errors say what to do about a directory that is in
  // use, cannot be written, is full, is no directory, has another format or is damaged.
  // `env` replaces the operating system's files, for tests of failing disks; it must outlive the
  // disk.
  static base::Result<std::unique_ptr<Disk>> open(const std::string& directory,
                                                  rocksdb::Env* env = nullptr);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // Everything that is kept, checked. Needed once, before the first commit.
  base::Result<Contents> load();

  // Makes a turn durable: one write batch, one fsync. An error means that the node must stop; this
  // and every later commit then fail. Synced when a part of it must last. Requires: load()
  // succeeded.
  base::Status commit(const Turn& turn);

  // How many turns are in the store.
  [[nodiscard]] std::uint64_t turn() const { return turn_; }

 private:
  // Which part of a group's log is kept: (mark, last].
  struct Extent {
    raft::Index mark;
    raft::Index last;
  };
  class Batch;

  Disk(std::string directory, Promise promise);
  base::Status open_store(bool create, rocksdb::Env* env);
  base::Status check_turn();
  base::Status fail(base::Error error);

  std::string directory_;
  Promise promise_;
  std::unique_ptr<Families> store_;
  std::optional<std::map<base::ShardId, Extent>> extents_;  // after load()
  std::uint64_t turn_ = 0;
  std::optional<base::Error> failure_;
};

}  // namespace brigade::storage
