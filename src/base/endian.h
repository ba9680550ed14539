// Integers as bytes of a fixed order: little-endian in frames and records, big-endian in keys,
// whose order as bytes must be their order as numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/check.h"

namespace brigade::base {

template <class T>
void append_le(std::string& out, T value) {
  static_assert(std::is_unsigned_v<T>);
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * i))));
  }
}

template <class T>
void append_be(std::string& out, T value) {
  static_assert(std::is_unsigned_v<T>);
  for (std::size_t i = sizeof(T); i > 0; --i) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * (i - 1)))));
  }
}

// Requires: at least sizeof(T) bytes from `at` on.
template <class T>
T load_le(std::string_view bytes, std::size_t at = 0) {
  static_assert(std::is_unsigned_v<T>);
  BRIGADE_CHECK(at <= bytes.size() && bytes.size() - at >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(
        value |
        static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[at + i])) << (8 * i)));
  }
  return value;
}

template <class T>
T load_be(std::string_view bytes, std::size_t at = 0) {
  static_assert(std::is_unsigned_v<T>);
  BRIGADE_CHECK(at <= bytes.size() && bytes.size() - at >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>((static_cast<std::uint64_t>(value) << 8) |
                           static_cast<unsigned char>(bytes[at + i]));
  }
  return value;
}

// Reads fields off the front of bytes that may be anything: after the first read beyond the end
// every read yields zero or nothing, and ok() is false.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T le() {
    const std::string_view field = bytes(sizeof(T));
    return field.size() == sizeof(T) ? load_le<T>(field) : T{0};
  }
  std::string_view bytes(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return field;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace brigade::base
