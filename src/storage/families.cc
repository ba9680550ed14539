#include "storage/families.h"

#include <cstddef>
#include <vector>

#include <rocksdb/env.h>

#include "base/check.h"
#include "storage/advice.h"
#include "storage/notes.h"

namespace brigade::storage {
namespace {

// A node keeps its working set in memory; the store is written always and read at starts only.
// Buffers stay in memory, so that they are as small as their family allows: facts are few and
// overwritten all the time, the log takes most of what is written.
constexpr std::size_t kFactsBufferBytes = std::size_t{1} << 20;
constexpr std::size_t kLogBufferBytes = std::size_t{8} << 20;
constexpr std::size_t kStateBufferBytes = std::size_t{4} << 20;
constexpr std::size_t kWalBytesMax = std::size_t{64} << 20;

rocksdb::Options store_options(bool create, rocksdb::Env* env) {
  rocksdb::Options options;
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  options.env = env == nullptr ? rocksdb::Env::Default() : env;
  options.paranoid_checks = true;
  // Point-in-time recovery, the default, would drop whatever follows a damaged record and call it a
  // success. This mode forgives only a last record that was cut off while it was being written.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;
  options.recycle_log_file_num = 0;
  // A failed write is for ever (Disk, invariant 3).
  options.max_bgerror_resume_count = 0;
  options.max_total_wal_size = kWalBytesMax;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kNoCompression;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(const rocksdb::Options& options, std::size_t buffer) {
  rocksdb::ColumnFamilyOptions family(options);
  family.write_buffer_size = buffer;
  return family;
}

}  // namespace

void Families::Close::operator()(rocksdb::DB* open) const {
  delete open;
}

Families::~Families() {
  for (rocksdb::ColumnFamilyHandle* family : {facts, log, state}) {
    if (family != nullptr) {
      db->DestroyColumnFamilyHandle(family);
    }
  }
}

rocksdb::Status open_families(const std::string& path, bool create, rocksdb::Env* env,
                              Families& out) {
  rocksdb::Options options = store_options(create, env);
  options.info_log = open_notes(path);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(
      options, path,
      {{rocksdb::kDefaultColumnFamilyName, family_options(options, kFactsBufferBytes)},
       {"log", family_options(options, kLogBufferBytes)},
       {"state", family_options(options, kStateBufferBytes)}},
      &handles, &db);
  if (!status.ok()) {
    return status;
  }
  BRIGADE_CHECK(handles.size() == 3);
  out.db.reset(db);
  out.facts = handles[0];
  out.log = handles[1];
  out.state = handles[2];
  return status;
}

base::Error advise(const rocksdb::Status& status, const std::string& directory) {
  if (status.IsNoSpace()) {
    return advise_full(directory);
  }
  const std::string text = status.ToString();
  if (status.IsIOError() && text.find("While lock file") != std::string::npos) {
    return advise_in_use(directory);
  }
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsPathNotFound()) {
    return advise_damaged(directory, text);
  }
  return {directory + ": " + text +
          ": the disk failed; check it and the system's log before the node is started again"};
}

}  // namespace brigade::storage
