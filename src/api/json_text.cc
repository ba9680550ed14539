#include "api/json_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace brigade::api {
namespace {

// The length of the UTF-8 sequence at the start of `text`; 0 when there is none (overlong forms,
// surrogates and values above U+10FFFF included). Source: Unicode 15, table 3-7.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned first = at(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return within(1, 0x80, 0xBF) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    const bool whole = within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF);
    return whole ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20) {
    out += "\\u00";
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xFU];
  } else {
    out += c;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 1) {
      append_escaped(out, text.front());
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  out += '"';
}

void append_json_tokens(std::string& out, base::Tokens amount) {
  std::int64_t micro = amount.micro();
  if (micro < 0) {
    out += '-';
    micro = -micro;
  }
  out += std::to_string(micro / base::Tokens::kMicro);
  const std::int64_t fraction = micro % base::Tokens::kMicro;
  if (fraction == 0) {
    return;
  }
  std::string decimals = std::to_string(base::Tokens::kMicro + fraction).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  out += '.';
  out += decimals;
}

}  // namespace brigade::api
