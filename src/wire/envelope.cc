#include "wire/envelope.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

#include <capnp/serialize-packed.h>
#include <capnp/serialize.h>
#include <kj/exception.h>
#include <kj/io.h>

#include "base/endian.h"

namespace brigade::wire {
namespace {

constexpr std::size_t kWordBytes = sizeof(capnp::word);
constexpr std::size_t kSegmentsMax = 512;
constexpr std::size_t kTraversalFloor = 64;  // words

class StringStream final : public kj::OutputStream {
 public:
  explicit StringStream(std::string& out) : out_(out) {}
  void write(const void* buffer, std::size_t size) override {
    out_.append(static_cast<const char*>(buffer), size);
  }

 private:
  std::string& out_;
};

// Bytes of others may be wrong at any rate: the library neither prints what it thinks of them nor
// looks up who called it.
class Quiet final : public kj::ExceptionCallback {
 public:
  void logMessage(kj::LogSeverity, const char*, int, int, kj::String&&) override {}
  StackTraceMode stackTraceMode() override { return StackTraceMode::NONE; }
};

// Every word may be looked at twice, so that pointers to one place cannot multiply it.
capnp::ReaderOptions limits(std::size_t words) {
  return {.traversalLimitInWords = 2 * words + kTraversalFloor, .nestingLimit = kNestingMax};
}

void read_plain(std::string_view bytes,
                const std::function<void(capnp::MessageReader&, Checks&)>& read, Checks& checks) {
  // A segment count that wraps round would be taken for an empty message.
  if (bytes.size() < kWordBytes || bytes.size() % kWordBytes != 0 ||
      base::load_le<std::uint32_t>(bytes) >= kSegmentsMax) {
    checks.refuse("not a message");
    return;
  }
  const std::size_t words = bytes.size() / kWordBytes;
  kj::Array<capnp::word> copy;
  kj::ArrayPtr<const capnp::word> content(reinterpret_cast<const capnp::word*>(bytes.data()),
                                          words);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(capnp::word) != 0) {
    copy = kj::heapArray<capnp::word>(words);
    std::memcpy(copy.begin(), bytes.data(), bytes.size());
    content = copy;
  }
  capnp::FlatArrayMessageReader message(content, limits(words));
  if (message.getEnd() != content.end()) {
    checks.refuse("bytes behind the message");
    return;
  }
  read(message, checks);
}

// How many words packed bytes stand for; nullopt when they end in the middle of one. The library's
// own count trusts its input.
//   packed := (tag, one byte for each bit of tag; 0x00: n more zero words; 0xff: n more plain
//   words)*
std::optional<std::size_t> unpacked_words(std::string_view bytes) {
  std::size_t words = 0;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto tag = static_cast<unsigned char>(bytes[at]);
    at += 1 + static_cast<std::size_t>(std::popcount(tag));
    ++words;
    if (tag == 0x00 || tag == 0xff) {
      if (at >= bytes.size()) {
        return std::nullopt;
      }
      const auto run = static_cast<unsigned char>(bytes[at]);
      at += 1 + (tag == 0xff ? run * kWordBytes : 0);
      words += run;
    }
  }
  return at == bytes.size() ? std::optional(words) : std::nullopt;
}

void read_packed(std::string_view bytes,
                 const std::function<void(capnp::MessageReader&, Checks&)>& read, Checks& checks) {
  const auto words = unpacked_words(bytes);
  if (!words || *words > kUnpackedMax) {
    checks.refuse(words ? "a message is too large" : "not a packed message");
    return;
  }
  kj::ArrayInputStream stream(blob(bytes));
  capnp::PackedMessageReader message(stream, limits(*words));
  read(message, checks);
  if (stream.tryGetReadBuffer().size() > 0) {
    checks.refuse("bytes behind the message");
  }
}

}  // namespace

std::string to_bytes(capnp::MessageBuilder& message, Packing packing) {
  std::string bytes;
  StringStream stream(bytes);
  if (packing == Packing::kPacked) {
    capnp::writePackedMessage(stream, message);
  } else {
    bytes.reserve(capnp::computeSerializedSizeInWords(message) * kWordBytes);
    capnp::writeMessage(stream, message);
  }
  return bytes;
}

// The library wants its callback on the real stack, not on the one that the address sanitizer makes
// up for what it watches.
[[gnu::no_sanitize_address]] base::Status from_bytes(
    std::string_view bytes, Packing packing,
    const std::function<void(capnp::MessageReader&, Checks&)>& read) {
  Checks checks;
  const Quiet quiet;
  try {
    if (packing == Packing::kPacked) {
      read_packed(bytes, read, checks);
    } else {
      read_plain(bytes, read, checks);
    }
  } catch (const kj::Exception& exception) {
    checks.refuse("not a message: " + std::string(exception.getDescription().cStr()));
  }
  if (!checks.ok()) {
    return checks.error();
  }
  return base::ok();
}

}  // namespace brigade::wire
