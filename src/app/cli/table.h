// Text tables and numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brigade::cli {

enum class Align : std::uint8_t { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
};

// Columns as wide as their widest cell, two spaces between them, none at a line's end.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Missing cells are empty; what is above the number of columns is dropped.
  void row(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // Lines that begin with `indent`.
  [[nodiscard]] std::string text(std::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// What another program sent, for a terminal: control characters become '?'.
std::string printable(std::string_view text);
// `text`, or "-" when there is none.
std::string or_dash(std::string_view text);
// "a, b, c".
std::string joined(const std::vector<std::string>& texts);

// "12", "0.25", "1234.5": three decimals below 100, one above, none where they are zeros.
std::string number_text(double value);
// "12.5%" of a part.
std::string percent_text(double part);
// "512 B", "1.5 MiB".
std::string bytes_text(double bytes);
// "45s", "3m12s", "2h5m", "4d3h".
std::string span_text(double seconds);
// "150ms", "1.5s", "2m1s": to the millisecond below a minute, seconds rounded up above.
std::string milliseconds_text(double ms);

}  // namespace brigade::cli
