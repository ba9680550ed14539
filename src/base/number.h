// Texts of numbers, whole or not at all.
#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace brigade::base {

// "12", "-0.5", "1e3"; nullopt for anything else, infinity and NaN included.
inline std::optional<double> read_number(std::string_view text) {
  double value = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [parsed, error] = std::from_chars(begin, end, value);
  const bool whole = error == std::errc() && parsed == end;
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace brigade::base
