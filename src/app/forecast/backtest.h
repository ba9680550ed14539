// A backtest of every model and of the online choice on one recorded series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "app/forecast/series.h"
#include "base/result.h"

namespace brigade::forecast {

struct BacktestPlan {
  int horizon = 1;         // steps
  std::size_t season = 0;  // steps
};

struct Line {
  std::string name;
  double pinball = 0;  // mean, of the 0.9 quantile
  double rmse = 0;     // of the mean
};

struct Backtest {
  std::size_t samples = 0;
  std::uint64_t judged = 0;  // forecasts, all after the first season and kWarmUp samples
  double mean = 0;           // of the judged samples
  std::vector<Line> models;  // persistence first
  Line choice;               // name: who is believed at the end
  Line persistence;          // with the margin that every model learns
  Line seasonal_naive;
  Line bare_persistence;  // the value itself as the quantile, without any margin
  Line bare_seasonal_naive;
};

// Samples that nobody is judged by, besides the first season.
constexpr std::size_t kWarmUp = 200;
constexpr int kHorizonMax = 10'000;

// An error when the series is too short to judge anything.
base::Result<Backtest> backtest(const Series& series, const BacktestPlan& plan);

struct Setting {
  std::string file;
  BacktestPlan plan;
  double step_s = 0;
  std::size_t gaps = 0;
};
std::string backtest_text(const Backtest& result, const Setting& setting);
std::string backtest_json(const Backtest& result, const Setting& setting);

}  // namespace brigade::forecast
