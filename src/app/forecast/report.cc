#include <algorithm>
#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "app/cli/table.h"
#include "app/forecast/backtest.h"

namespace brigade::forecast {
namespace {

using nlohmann::ordered_json;

std::string significant(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.5g", value);
  return text.data();
}

std::string ratio(double part, double whole) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", part / whole);
  return whole > 0 ? text.data() : "-";
}

ordered_json line_json(const Line& line) {
  return {{"pinball", line.pinball}, {"rmse", line.rmse}};
}

}  // namespace

std::string backtest_text(const Backtest& result, const Setting& setting) {
  std::string text = setting.file + ": " + std::to_string(result.samples) + " samples every " +
                     cli::number_text(setting.step_s) + " s, " + std::to_string(setting.gaps) +
                     " missing; " + std::to_string(result.judged) + " forecasts judged, " +
                     std::to_string(setting.plan.horizon) + " ahead, season " +
                     std::to_string(setting.plan.season) + "\n\n";
  const double best = std::min(result.persistence.pinball, result.seasonal_naive.pinball);
  cli::Table table({{.title = "predictor"},
                    {.title = "pinball(.9)", .align = cli::Align::kRight},
                    {.title = "of the better naive", .align = cli::Align::kRight},
                    {.title = "RMSE", .align = cli::Align::kRight}});
  const auto add = [&](const std::string& name, const Line& line) {
    table.row({name, significant(line.pinball), ratio(line.pinball, best), significant(line.rmse)});
  };
  for (const Line& line : result.models) {
    add(line.name, line);
  }
  add("online choice", result.choice);
  add("persistence without a margin", result.bare_persistence);
  add("seasonal-naive without a margin", result.bare_seasonal_naive);
  return text + table.text() + "\nbelieved at the end: " + result.choice.name + "\n";
}

std::string backtest_json(const Backtest& result, const Setting& setting) {
  ordered_json json{{"file", setting.file},
                    {"samples", result.samples},
                    {"gaps", setting.gaps},
                    {"step_s", setting.step_s},
                    {"horizon", setting.plan.horizon},
                    {"season", setting.plan.season},
                    {"quantile", 0.9},
                    {"judged", result.judged},
                    {"mean", result.mean}};
  json["choice"] = line_json(result.choice);
  json["choice"]["believed"] = result.choice.name;
  json["persistence"] = line_json(result.persistence);
  json["seasonal_naive"] = line_json(result.seasonal_naive);
  json["bare_persistence"] = line_json(result.bare_persistence);
  json["bare_seasonal_naive"] = line_json(result.bare_seasonal_naive);
  json["predictors"] = ordered_json::array();
  for (const Line& line : result.models) {
    ordered_json one{{"name", line.name}};
    one.update(line_json(line));
    json["predictors"].push_back(std::move(one));
  }
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace brigade::forecast
