#include "app/forecast/command.h"

#include <cstdio>
#include <memory>
#include <string>

#include "app/forecast/backtest.h"
#include "app/forecast/series.h"
#include "forecast/models.h"

namespace brigade::forecast {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 2;

struct Flags {
  std::string file;
  BacktestPlan plan;
  bool as_json = false;
};

base::Result<std::string> report(const Flags& flags) {
  const auto series = read_series_file(flags.file);
  if (!series) {
    return series.error();
  }
  const auto result = backtest(*series, flags.plan);
  if (!result) {
    return base::Error{flags.file + ": " + result.error().message};
  }
  const Setting setting{
      .file = flags.file, .plan = flags.plan, .step_s = series->step_s, .gaps = series->gaps};
  return flags.as_json ? backtest_json(*result, setting) : backtest_text(*result, setting);
}

}  // namespace

void add_forecast_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "forecast", "backtests the load predictors and their online choice on a recorded series");
  const auto flags = std::make_shared<Flags>();
  command->add_option("FILE", flags->file, "CSV t_s,value; - is standard input")->required();
  command->add_option("--horizon", flags->plan.horizon, "how many steps ahead is judged")
      ->required()
      ->check(CLI::Range(1, kHorizonMax));
  command->add_option("--season", flags->plan.season, "how many steps a season has")
      ->required()
      ->check(CLI::Range(std::size_t{1}, Season::kSeasonMax));
  command->add_flag("--json", flags->as_json, "print JSON");
  command->callback([flags, &exit_code] {
    const auto text = report(*flags);
    if (text) {
      std::fwrite(text->data(), 1, text->size(), stdout);
    } else {
      std::fprintf(stderr, "brigade forecast: %s\n", text.error().message.c_str());
    }
    exit_code = text ? kDone : kFailed;
  });
}

}  // namespace brigade::forecast
