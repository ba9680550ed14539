#include "storage/promise.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/endian.h"
#include "base/key_hash.h"
#include "storage/advice.h"

namespace brigade::storage {
namespace {

constexpr std::string_view kMagic = "brigade\n";
constexpr std::size_t kBodyBytes = kMagic.size() + sizeof(std::uint32_t) + sizeof(std::uint64_t);
constexpr std::size_t kFileBytes = kBodyBytes + sizeof(std::uint64_t);

std::string encode(std::uint64_t turn) {
  std::string out(kMagic);
  base::append_le(out, kFormat);
  base::append_le(out, turn);
  const std::uint64_t checksum = base::hash_key(out, 0).low;
  base::append_le(out, checksum);
  return out;
}

base::Status sync_directory(const std::string& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    return advise(errno, directory);
  }
  const int code = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (code != 0) {
    return advise(code, directory);
  }
  return base::ok();
}

}  // namespace

base::Result<Promise> Promise::open(const std::string& directory) {
  const std::string path = directory + "/promise";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return advise(errno, errno == EISDIR ? path : directory);
  }
  Promise promise(descriptor, path);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? advise_in_use(directory) : advise(errno, path);
  }
  if (const base::Status status = promise.read(); !status) {
    return status.error();
  }
  if (const base::Status status = sync_directory(directory); !status) {
    return status.error();
  }
  return promise;
}

Promise::Promise(Promise&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      blank_(other.blank_),
      turn_(other.turn_) {}

Promise& Promise::operator=(Promise&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  std::swap(blank_, other.blank_);
  std::swap(turn_, other.turn_);
  return *this;
}

Promise::~Promise() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

base::Status Promise::read() {
  std::array<char, kFileBytes + 1> buffer{};
  const ssize_t size = ::pread(descriptor_, buffer.data(), buffer.size(), 0);
  if (size < 0) {
    return advise(errno, path_);
  }
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
  if (bytes.empty()) {
    return base::ok();
  }
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + sizeof(kFormat)) {
    return advise_damaged(path_, "not what a node writes there");
  }
  // Another format may have another checksum, so the format speaks first.
  const auto format = base::load_le<std::uint32_t>(bytes, kMagic.size());
  if (format != kFormat) {
    return base::Error{path_ + ": the directory has format " + std::to_string(format) +
                       ", this program reads and writes format " + std::to_string(kFormat) +
                       ": start it with the version that wrote it"};
  }
  if (bytes.size() != kFileBytes ||
      bytes != encode(base::load_le<std::uint64_t>(bytes, kMagic.size() + sizeof(kFormat)))) {
    return advise_damaged(path_, "wrong checksum");
  }
  blank_ = false;
  turn_ = base::load_le<std::uint64_t>(bytes, kMagic.size() + sizeof(kFormat));
  return base::ok();
}

base::Status Promise::note(std::uint64_t turn) {
  const std::string bytes = encode(turn);
  const ssize_t size = ::pwrite(descriptor_, bytes.data(), bytes.size(), 0);
  if (size != static_cast<ssize_t>(bytes.size())) {
    return advise(size < 0 ? errno : ENOSPC, path_);
  }
  blank_ = false;
  turn_ = turn;
  return base::ok();
}

base::Status Promise::engrave(std::uint64_t turn) {
  if (const base::Status status = note(turn); !status) {
    return status;
  }
  if (::fsync(descriptor_) != 0) {
    return advise(errno, path_);
  }
  return base::ok();
}

}  // namespace brigade::storage
