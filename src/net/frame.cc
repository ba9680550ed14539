#include "net/frame.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "base/endian.h"
#include "base/key_hash.h"

namespace brigade::net {

namespace {

constexpr std::size_t kFirstBuffer = 4096;
constexpr std::size_t kKeptBuffer = std::size_t{256} << 10;  // larger ones are given back

std::uint64_t checksum(std::uint32_t kind, std::string_view payload) {
  const std::uint64_t seed = static_cast<std::uint64_t>(kind) << 32 | payload.size();
  return base::hash_key(payload, seed).low;
}

bool known(std::uint32_t kind) {
  return kind >= static_cast<std::uint32_t>(FrameKind::kHello) &&
         kind <= static_cast<std::uint32_t>(FrameKind::kAnswer);
}

}  // namespace

std::array<char, kFrameHeaderBytes> frame_header(FrameKind kind, std::string_view payload) {
  BRIGADE_CHECK(payload.size() <= kMaxFrameBytes);
  std::string bytes;
  bytes.reserve(kFrameHeaderBytes);
  base::append_le(bytes, static_cast<std::uint32_t>(payload.size()));
  base::append_le(bytes, static_cast<std::uint32_t>(kind));
  base::append_le(bytes, checksum(static_cast<std::uint32_t>(kind), payload));
  std::array<char, kFrameHeaderBytes> header{};
  std::copy(bytes.begin(), bytes.end(), header.begin());
  return header;
}

void append_frame(std::string& out, FrameKind kind, std::string_view payload) {
  const auto header = frame_header(kind, payload);
  out.append(header.data(), header.size());
  out.append(payload);
}

std::span<char> FrameCutter::room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > kKeptBuffer) {
      buffer_ = std::vector<char>();
    }
  } else if (begin_ > 0 && end_ == buffer_.size()) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    // Doubles with what has arrived, up to the frame's end: a header that promises much gets no
    // memory for the promise.
    const std::size_t goal = std::max(frame_end(), end_ + 1);
    buffer_.resize(std::max(kFirstBuffer, std::min(2 * buffer_.size(), goal)));
  }
  return {buffer_.data() + end_, buffer_.size() - end_};
}

// Where the frame that begins at begin_ ends in the buffer; SIZE_MAX while its header is not here.
std::size_t FrameCutter::frame_end() const {
  if (end_ - begin_ < kFrameHeaderBytes) {
    return SIZE_MAX;
  }
  const std::string_view header(buffer_.data() + begin_, kFrameHeaderBytes);
  return begin_ + kFrameHeaderBytes + base::load_le<std::uint32_t>(header, 0);
}

void FrameCutter::filled(std::size_t n) {
  BRIGADE_CHECK(n <= buffer_.size() - end_);
  end_ += n;
}

std::optional<Frame> FrameCutter::next() {
  const std::string_view bytes(buffer_.data() + begin_, end_ - begin_);
  if (broken_ != nullptr || bytes.size() < kFrameHeaderBytes) {
    return std::nullopt;
  }
  const auto length = base::load_le<std::uint32_t>(bytes, 0);
  const auto kind = base::load_le<std::uint32_t>(bytes, 4);
  if (!known(kind)) {
    broken_ = "unknown kind of frame";
    return std::nullopt;
  }
  if (length > max_payload_) {
    broken_ = "frame over the size limit";
    return std::nullopt;
  }
  if (bytes.size() - kFrameHeaderBytes < length) {
    return std::nullopt;
  }
  const std::string_view payload = bytes.substr(kFrameHeaderBytes, length);
  if (base::load_le<std::uint64_t>(bytes, 8) != checksum(kind, payload)) {
    broken_ = "checksum mismatch";
    return std::nullopt;
  }
  begin_ += kFrameHeaderBytes + length;
  return Frame{static_cast<FrameKind>(kind), payload};
}

}  // namespace brigade::net
