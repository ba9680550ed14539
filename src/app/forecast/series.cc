#include "app/forecast/series.h"

#include <cmath>
#include <optional>
#include <string_view>

#include "app/lines.h"
#include "base/number.h"

namespace brigade::forecast {
namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr double kValueMax = 1e15;  // squares of errors stay exact enough to compare

class SeriesReader {
 public:
  explicit SeriesReader(const std::string& source) : place_(source) {}

  Status line(std::string_view text) {
    if (!place_.next(text)) {
      return base::ok();
    }
    if (!headed_) {
      headed_ = true;
      return text == "t_s,value" ? base::ok()
                                 : Status(place_.wrong("expected the header t_s,value"));
    }
    const std::size_t comma = text.find(',');
    const auto time = base::read_number(text.substr(0, comma));
    if (comma == std::string_view::npos || !time) {
      return place_.wrong("expected t_s,value such as 60,12.5");
    }
    const std::string_view said = text.substr(comma + 1);
    const auto value = base::read_number(said);
    if (!said.empty() && (!value || *value < 0 || *value > kValueMax)) {
      return place_.wrong("expected a value from 0 to 1e15, or none for a missing sample");
    }
    return sample(*time, value);
  }

  Result<Series> finish() {
    if (series_.values.empty()) {
      return Error{place_.source() + ": no sample in it; expected CSV t_s,value"};
    }
    return std::move(series_);
  }

 private:
  Status sample(double time, std::optional<double> value) {
    double steps = 1;
    if (rows_ == 1) {
      series_.step_s = time - last_time_;
    }
    if (rows_ >= 1) {
      steps = std::round((time - last_time_) / series_.step_s);
      const double off = std::abs(time - last_time_ - steps * series_.step_s);
      if (!(series_.step_s > 0) || !(steps >= 1) || off > series_.step_s / 100) {
        return place_.wrong("expected equidistant times that rise");
      }
    }
    if (static_cast<double>(series_.values.size()) + steps > static_cast<double>(kSamplesMax)) {
      return place_.wrong("more than " + std::to_string(kSamplesMax) + " samples");
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

  app::Place place_;
  bool headed_ = false;
  std::size_t rows_ = 0;
  double last_time_ = 0;
  Series series_;
};

}  // namespace

Result<Series> read_series(std::istream& in, const std::string& source) {
  return app::read_lines<SeriesReader>(in, source);
}

Result<Series> read_series_file(const std::string& path) {
  return app::read_lines_of<SeriesReader>(path);
}

}  // namespace brigade::forecast
