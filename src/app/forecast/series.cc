#include "app/forecast/series.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <string_view>

namespace brigade::forecast {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr double kValueMax = 1e15;  // squares of errors stay exact enough to compare

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

class SeriesReader {
 public:
  explicit SeriesReader(const std::string& source) : source_(source) {}

  Status line(std::string_view text) {
    ++number_;
    if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
    if (text.empty() || text.front() == '#') {
      return base::ok();
    }
    if (!headed_) {
      headed_ = true;
      return text == "t_s,value" ? base::ok() : Status(wrong("expected the header t_s,value"));
    }
    const std::size_t comma = text.find(',');
    const auto time = parse_number(text.substr(0, comma));
    if (comma == std::string_view::npos || !time) {
      return wrong("expected t_s,value such as 60,12.5");
    }
    const std::string_view said = text.substr(comma + 1);
    const auto value = parse_number(said);
    if (!said.empty() && (!value || *value < 0 || *value > kValueMax)) {
      return wrong("expected a value from 0 to 1e15, or none for a missing sample");
    }
    return sample(*time, value);
  }

  Result<Series> finish() {
    if (series_.values.empty()) {
      return Error{source_ + ": no sample in it; expected CSV t_s,value"};
    }
    return std::move(series_);
  }

 private:
  [[nodiscard]] Error wrong(const std::string& what) const {
    return {source_ + ":" + std::to_string(number_) + ": " + what};
  }

  Status sample(double time, std::optional<double> value) {
    double steps = 1;
    if (rows_ == 1) {
      series_.step_s = time - last_time_;
    }
    if (rows_ >= 1) {
      steps = std::round((time - last_time_) / series_.step_s);
      const double off = std::abs(time - last_time_ - steps * series_.step_s);
      if (!(series_.step_s > 0) || !(steps >= 1) || off > series_.step_s / 100) {
        return wrong("expected equidistant times that rise");
      }
    }
    if (static_cast<double>(series_.values.size()) + steps > static_cast<double>(kSamplesMax)) {
      return wrong("more than " + std::to_string(kSamplesMax) + " samples");
    }
    const double before = series_.values.empty() ? 0 : series_.values.back();
    for (double missing = 1; missing < steps; ++missing) {
      series_.values.push_back(before);
      ++series_.gaps;
    }
    series_.values.push_back(value.value_or(before));
    series_.gaps += value ? 0 : 1;
    last_time_ = time;
    ++rows_;
    return base::ok();
  }

  const std::string& source_;
  std::size_t number_ = 0;  // of the current line, from 1
  bool headed_ = false;
  std::size_t rows_ = 0;
  double last_time_ = 0;
  Series series_;
};

}  // namespace

Result<Series> read_series(std::istream& in, const std::string& source) {
  SeriesReader reader(source);
  std::string line;
  while (std::getline(in, line)) {
    if (auto status = reader.line(line); !status) {
      return status.error();
    }
  }
  if (in.bad()) {
    return Error{source + ": reading failed"};
  }
  return reader.finish();
}

Result<Series> read_series_file(const std::string& path) {
  if (path == "-") {
    return read_series(std::cin, "standard input");
  }
  std::ifstream file(path);
  if (!file) {
    return Error{"cannot read " + path + ": " + std::strerror(errno)};
  }
  return read_series(file, path);
}

}  // namespace brigade::forecast
