// A recorded series of equidistant samples: CSV `t_s,value` with a header.
//
// A sample that is missing (an empty value, or a time that was left out) repeats the one before it,
// so that seasons stay in step. Errors name source, line and what was expected.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.h"

namespace brigade::forecast {

struct Series {
  double step_s = 0;
  std::vector<double> values;  // finite, >= 0
  std::size_t gaps = 0;        // how many of them stand in for a missing sample
};

constexpr std::size_t kSamplesMax = 10'000'000;

// `source` names the series in errors.
base::Result<Series> read_series(std::istream& in, const std::string& source);
// "-" is standard input.
base::Result<Series> read_series_file(const std::string& path);

}  // namespace brigade::forecast
