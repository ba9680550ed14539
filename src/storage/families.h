// The open RocksDB with its column families (layout.h), for this room's own sources only.
#pragma once

#include <memory>
#include <string>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>

#include "base/result.h"
#include "storage/turn.h"

namespace brigade::storage {

struct Families {
  struct Close {
    void operator()(rocksdb::DB* open) const;
  };
  std::unique_ptr<rocksdb::DB, Close> db;
  // Owned by db, in the order of their creation; the default family first.
  rocksdb::ColumnFamilyHandle* facts = nullptr;
  rocksdb::ColumnFamilyHandle* log = nullptr;
  rocksdb::ColumnFamilyHandle* state = nullptr;

  ~Families();
};

// Opens the store at this path; creates it only when told to.
rocksdb::Status open_families(const std::string& path, bool create, rocksdb::Env* env,
                              Families& out);

// What a failed operation on the store of this data directory means.
base::Error advise(const rocksdb::Status& status, const std::string& directory);

// Reads and checks everything. `directory` is for the errors.
base::Result<Contents> read_contents(const Families& store, const std::string& directory);

}  // namespace brigade::storage
