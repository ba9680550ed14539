// A disk that fails: what the operating system says is passed on, and nothing is written after it.
#include <doctest/doctest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "storage/disk.h"
#include "tests/storage/scratch.h"

using namespace brigade;
using namespace brigade::storage;

namespace {

// What the next write-ahead log operations answer.
struct Fault {
  bool sync_fails = false;
  bool full = false;
  int writes = 0;
};

class FailingFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FailingFile(std::unique_ptr<rocksdb::FSWritableFile> file, Fault& fault)
      : FSWritableFileOwnerWrapper(std::move(file)), fault_(fault) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    ++fault_.writes;
    return fault_.full ? rocksdb::IOStatus::NoSpace("No space left on device")
                       : target()->Append(data, options, context);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&,
                           rocksdb::IODebugContext* context) override {
    return Append(data, options, context);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* context) override {
    return fault_.sync_fails ? rocksdb::IOStatus::IOError("While fdatasync: Input/output error")
                             : target()->Sync(options, context);
  }

 private:
  Fault& fault_;
};

class FailingFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit FailingFiles(Fault& fault)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), fault_(fault) {}

  const char* Name() const override { return "FailingFiles"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* context) override {
    const auto status = target()->NewWritableFile(name, options, result, context);
    if (status.ok() && name.ends_with(".log")) {
      *result = std::make_unique<FailingFile>(std::move(*result), fault_);
    }
    return status;
  }

 private:
  Fault& fault_;
};

Turn identity(const std::string& value) {
  Turn turn;
  turn.identity = {{.name = "name", .value = base::Bytes(value)}};
  return turn;
}

}  // namespace

TEST_SUITE("storage/failing_disk") {
  TEST_CASE("after one failed write nothing is written again") {
    const Scratch scratch;
    Fault fault;
    const auto env = rocksdb::NewCompositeEnv(std::make_shared<FailingFiles>(fault));
    std::string expected;
    {
      auto disk = Disk::open(scratch.path("data"), env.get());
      REQUIRE_MESSAGE(disk.has_value(), disk.error().message);
      loaded(**disk);
      committed(**disk, identity("kept"));
      SUBCASE("fsync fails") {
        fault.sync_fails = true;
        expected = "the disk failed";
      }
      SUBCASE("the disk is full") {
        fault.full = true;
        expected = "is full";
      }
      const base::Status failed = (*disk)->commit(identity("lost"));
      REQUIRE_FALSE(failed.has_value());
      CHECK(says(failed.error().message, expected));
      fault.sync_fails = false;
      fault.full = false;
      const int writes = fault.writes;
      const base::Status again = (*disk)->commit(identity("too late"));
      REQUIRE_FALSE(again.has_value());
      CHECK(again.error().message == failed.error().message);
      CHECK(fault.writes == writes);
      CHECK((*disk)->turn() == 1);
    }
    const auto disk = opened(scratch.path("data"));
    const std::string kept(loaded(*disk).identity.at("name").view());
    // A turn whose fsync failed may be there or not; nobody was told that it is.
    CHECK((kept == "kept" || (kept == "lost" && expected == "the disk failed")));
  }
}
