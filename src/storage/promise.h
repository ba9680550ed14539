// The promise file: which format a data directory has, who uses it, and how many turns it was told
// are durable.
//
// A log whose acknowledged tail got lost looks exactly like a shorter log; only a second witness
// tells. So after each durable turn its number is written here too, without waiting for the disk: a
// store that holds fewer turns than promised has lost some. After a power failure the number may be
// an old one, which makes the witness weaker but never wrong.
//
//   file := magic format turn checksum
//   magic := "brigade\n", format := u32 le, turn := u64 le
//   checksum := u64 le, of all that precedes it
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace brigade::storage {

// Of everything in a data directory; a change of any layout needs a new one.
constexpr std::uint32_t kFormat = 1;

// Threads: single-threaded (owner: Disk). Holds an exclusive lock on the file while it lives.
class Promise {
 public:
  // Opens or creates the file in this directory and locks it. Errors: the directory cannot be
  // written, is in use, or has another format; the file is damaged.
  static base::Result<Promise> open(const std::string& directory);
  Promise(Promise&& other) noexcept;
  Promise& operator=(Promise&& other) noexcept;
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;
  ~Promise();

  // The file was empty or absent: no turn was ever promised, or the file was lost.
  [[nodiscard]] bool blank() const { return blank_; }
  [[nodiscard]] std::uint64_t turn() const { return turn_; }

  // Makes this number durable.
  base::Status engrave(std::uint64_t turn);
  // Writes this number, to be durable whenever the kernel sees fit.
  base::Status note(std::uint64_t turn);

 private:
  Promise(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  base::Status read();

  int descriptor_;
  std::string path_;
  bool blank_ = true;
  std::uint64_t turn_ = 0;
};

}  // namespace brigade::storage
