#include "storage/notes.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace brigade::storage {
namespace {

class Notes final : public rocksdb::Logger {
 public:
  explicit Notes(const std::string& path)
      : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), file_(std::fopen(path.c_str(), "we")) {}
  ~Notes() override {
    if (file_ != nullptr) {
      std::fclose(file_);
    }
  }
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;

  using Logger::Logv;
  // Called by RocksDB's threads as well: one line is one write.
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 4096> line{};
    const int size = std::vsnprintf(line.data(), line.size() - 1, format, arguments);
    if (file_ == nullptr || size <= 0 || written_ > kNotesBytesMax) {
      return;
    }
    const std::size_t kept = std::min(static_cast<std::size_t>(size), line.size() - 2);
    line.at(kept) = '\n';
    written_ += kept + 1;
    std::fwrite(line.data(), 1, kept + 1, file_);
    std::fflush(file_);
  }

 private:
  std::FILE* file_;
  std::atomic<std::size_t> written_ = 0;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> open_notes(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  fs::rename(folder + "/LOG", folder + "/LOG.old", ignored);
  return std::make_shared<Notes>(folder + "/LOG");
}

}  // namespace brigade::storage
