// What every fuzzer needs: its input as text, in pieces, and a way to say that a property broke.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brigade::fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Pieces of 1 to 16 bytes, by a recipe of few bits.
inline std::vector<std::string_view> pieces(std::string_view all, std::uint32_t recipe) {
  std::vector<std::string_view> cut;
  while (!all.empty()) {
    const std::size_t size = std::min<std::size_t>(all.size(), 1 + recipe % 16);
    cut.push_back(all.substr(0, size));
    all.remove_prefix(size);
    recipe = recipe * 1'664'525 + 1'013'904'223;
  }
  return cut;
}

// Ends the fuzzer: the input is kept as a finding.
inline void require(bool holds) {
  if (!holds) {
    __builtin_trap();
  }
}

}  // namespace brigade::fuzz
