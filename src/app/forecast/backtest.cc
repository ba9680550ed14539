#include "app/forecast/backtest.h"

#include <string_view>

#include "forecast/contest.h"

namespace brigade::forecast {
namespace {

Line line_of(std::string_view name, const Score& score) {
  return {.name = std::string(name), .pinball = score.mean_pinball(), .rmse = score.rmse()};
}

// The sample `back` before each judged one as its forecast.
Line bare(std::string_view name, const std::vector<double>& values, std::size_t from,
          std::size_t back) {
  Score score;
  for (std::size_t i = from; i < values.size(); ++i) {
    const double error = values[i] - values[i - back];
    ++score.judged;
    score.pinball += pinball(values[i], values[i - back]);
    score.squared += error * error;
  }
  return line_of(name, score);
}

const Line& named(const std::vector<Line>& lines, std::string_view name) {
  for (const Line& line : lines) {
    if (line.name == name) {
      return line;
    }
  }
  return lines.front();
}

}  // namespace

base::Result<Backtest> backtest(const Series& series, const BacktestPlan& plan) {
  const std::vector<double>& values = series.values;
  const auto horizon = static_cast<std::size_t>(plan.horizon);
  const std::size_t from = plan.season + horizon + kWarmUp;
  if (values.size() <= from) {
    return base::Error{"the series has " + std::to_string(values.size()) +
                       " samples: a season of " + std::to_string(plan.season) + " at horizon " +
                       std::to_string(horizon) + " needs more than " + std::to_string(from)};
  }
  Contest contest(seasonal_field(plan.season), {.horizon = plan.horizon});
  std::vector<Score> before;
  Score choice_before;
  Backtest result{.samples = values.size(), .judged = values.size() - from};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i == from) {
      for (const Rehearsal& trial : contest.trials()) {
        before.push_back(trial.score());
      }
      choice_before = contest.score();
    }
    result.mean += i < from ? 0 : values[i] / static_cast<double>(result.judged);
    contest.observe(values[i]);
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Rehearsal& trial = contest.trials()[i];
    result.models.push_back(line_of(trial.model().name(), trial.score().since(before[i])));
  }
  result.choice = line_of(contest.believed().model().name(), contest.score().since(choice_before));
  result.persistence = named(result.models, "persistence");
  result.seasonal_naive = named(result.models, "seasonal-naive");
  // Beyond one season ahead, the season to repeat is the last one that was seen.
  const std::size_t back = (horizon + plan.season - 1) / plan.season * plan.season;
  result.bare_persistence = bare("persistence", values, from, horizon);
  result.bare_seasonal_naive = bare("seasonal-naive", values, from, back);
  return result;
}

}  // namespace brigade::forecast
