// Frames: how messages lie in a stream of bytes between two nodes.
//
//   stream   := frame*
//   frame    := length kind checksum payload
//   length   := u32, little-endian: bytes of payload
//   kind     := u32, little-endian: FrameKind
//   checksum := u64, little-endian: low half of XXH3-128 over payload, seeded with
//               kind << 32 | length
//
// Single-threaded. Malformed bytes break the cutter of that stream for good and cost no more memory
// than what has arrived.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brigade::net {

enum class FrameKind : std::uint32_t {
  kHello = 1,
  kRefusal = 2,
  kMessage = 3,   // one way, of the layers above
  kQuestion = 4,  // of an exchange
  kAnswer = 5,
};

constexpr std::size_t kFrameHeaderBytes = 16;
// Largest payload between nodes that know each other, and before they do.
constexpr std::size_t kMaxFrameBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxGreetingBytes = 4096;

std::array<char, kFrameHeaderBytes> frame_header(FrameKind kind, std::string_view payload);
void append_frame(std::string& out, FrameKind kind, std::string_view payload);

struct Frame {
  FrameKind kind;
  std::string_view payload;
};

// Cuts a stream of bytes into frames: room(), filled(n), then next() until it yields nothing.
class FrameCutter {
 public:
  explicit FrameCutter(std::size_t max_payload) : max_payload_(max_payload) {}

  // Raises or lowers the bound for frames whose header has not been seen yet.
  void allow(std::size_t max_payload) { max_payload_ = max_payload; }

  // Where the next bytes go; never empty. Invalidates frames handed out before.
  std::span<char> room();
  // Requires: n <= the size of the last room().
  void filled(std::size_t n);
  // The next whole frame; its payload is valid until room(). Nothing once broken.
  std::optional<Frame> next();

  // Why no frame will ever come again; nullptr while all is well.
  [[nodiscard]] const char* broken() const { return broken_; }
  [[nodiscard]] std::size_t capacity() const { return buffer_.size(); }

 private:
  [[nodiscard]] std::size_t frame_end() const;

  std::size_t max_payload_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // first byte not handed out
  std::size_t end_ = 0;    // behind the last byte received
  const char* broken_ = nullptr;
};

}  // namespace brigade::net
