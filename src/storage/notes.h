// RocksDB's own notes, in LOG beside its files. RocksDB's logger ends the process when it cannot
// write (an assertion of Debian's build); a full disk must be told by the writes that matter, so
// this one drops what it cannot write. At most kNotesBytesMax per start; the start before is kept.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <rocksdb/env.h>

namespace brigade::storage {

constexpr std::size_t kNotesBytesMax = std::size_t{1} << 20;

// `folder` is the store's; when it cannot be written, notes go nowhere.
std::shared_ptr<rocksdb::Logger> open_notes(const std::string& folder);

}  // namespace brigade::storage
