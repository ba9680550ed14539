#include "base/hex.h"

namespace brigade::base {
namespace {

void append(std::string& out, std::uint64_t value, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += kDigits[(value >> static_cast<unsigned>(shift)) & 0xfU];
  }
}

}  // namespace

std::string hex(std::uint64_t value, int digits) {
  std::string out;
  append(out, value, digits);
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    append(out, static_cast<unsigned char>(c), 2);
  }
  return out;
}

std::string text(NodeId id) {
  return hex(id.value(), 12);
}

std::string text(const ClusterId& id) {
  return hex(id.high, 16) + hex(id.low, 16);
}

}  // namespace brigade::base
