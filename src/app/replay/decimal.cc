#include "app/replay/decimal.h"

namespace brigade::replay {

std::optional<std::int64_t> parse_scaled(std::string_view text, int decimals, bool drops) {
  constexpr std::int64_t kMax = std::int64_t{1} << 62;
  std::int64_t value = 0;
  bool digits = false;
  bool fraction = false;
  const auto append = [&value](int digit) {
    if (value > (kMax - digit) / 10) {
      return false;
    }
    value = value * 10 + digit;
    return true;
  };
  for (const char c : text) {
    if (c == '.' && !fraction) {
      fraction = true;
      continue;
    }
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    digits = true;
    if (fraction && decimals == 0) {
      if (!drops && c != '0') {
        return std::nullopt;
      }
      continue;
    }
    decimals -= fraction ? 1 : 0;
    if (!append(c - '0')) {
      return std::nullopt;
    }
  }
  for (; decimals > 0; --decimals) {
    if (!append(0)) {
      return std::nullopt;
    }
  }
  return digits ? std::optional(value) : std::nullopt;
}

}  // namespace brigade::replay
