#include "app/cli/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace brigade::cli {
namespace {

// Characters, not bytes: what begins a UTF-8 sequence.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string fixed(double value, int decimals) {
  std::array<char, 400> digits{};
  const int size = std::snprintf(digits.data(), digits.size(), "%.*f", decimals, value);
  std::string text(digits.data(), static_cast<std::size_t>(std::max(0, size)));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') {
      text.pop_back();
    }
  }
  return text == "-0" ? "0" : text;
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) {
    cell = printable(cell);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::string_view indent) const {
  std::vector<std::size_t> widths;
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(width(columns_[i].title));
    for (const auto& cells : rows_) {
      widths[i] = std::max(widths[i], width(cells[i]));
    }
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text(indent);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string blank(widths[i] - width(cells[i]), ' ');
      text += i == 0 ? "" : "  ";
      text += columns_[i].align == Align::kRight ? blank + cells[i] : cells[i] + blank;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  };
  line(titles);
  for (const auto& cells : rows_) {
    line(cells);
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      c = '?';
    }
  }
  return out;
}

std::string or_dash(std::string_view text) {
  return text.empty() ? "-" : std::string(text);
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    out += out.empty() ? "" : ", ";
    out += text;
  }
  return out;
}

std::string number_text(double value) {
  if (!std::isfinite(value)) {
    return "-";
  }
  return fixed(value, std::abs(value) < 100 ? 3 : 1);
}

std::string percent_text(double part) {
  return std::isfinite(part) ? fixed(100 * part, 1) + "%" : "-";
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fixed(bytes, unit == 0 ? 0 : 1) + " " + kUnits.at(unit);
}

std::string span_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) {
    return "-";
  }
  const auto whole = static_cast<long long>(seconds);
  const auto two = [](long long high, const char* a, long long low, const char* b) {
    return std::to_string(high) + a + (low == 0 ? "" : std::to_string(low) + b);
  };
  if (whole < 60) {
    return std::to_string(whole) + "s";
  }
  if (whole < 3600) {
    return two(whole / 60, "m", whole % 60, "s");
  }
  if (whole < 86'400) {
    return two(whole / 3600, "h", whole % 3600 / 60, "m");
  }
  return two(whole / 86'400, "d", whole % 86'400 / 3600, "h");
}

std::string milliseconds_text(double ms) {
  if (!std::isfinite(ms) || ms < 0 || ms > 1e15) {
    return "-";
  }
  if (ms < 1000) {
    return fixed(ms, 0) + "ms";
  }
  if (ms < 60'000) {
    return fixed(ms / 1000, 3) + "s";
  }
  return span_text(std::ceil(ms / 1000));
}

}  // namespace brigade::cli
