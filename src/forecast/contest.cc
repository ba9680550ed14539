#include "forecast/contest.h"

#include <algorithm>
#include <utility>

#include "forecast/models.h"

namespace brigade::forecast {

Field quick_field() {
  Field field;
  field.push_back(std::make_unique<Ewma>(0.5));
  field.push_back(std::make_unique<Ewma>(0.2));
  field.push_back(std::make_unique<DampedHolt>(DampedHolt::Gains{.level = 0.5, .trend = 0.1}));
  field.push_back(
      std::make_unique<DampedHolt>(DampedHolt::Gains{.level = 0.8, .trend = 0.2, .damping = 0.5}));
  field.push_back(std::make_unique<DampedHolt>(DampedHolt::Gains{.level = 0.8, .trend = 0.3}));
  return field;
}

Field seasonal_field(std::size_t season) {
  Field field = quick_field();
  field.push_back(std::make_unique<SeasonalNaive>(season));
  field.push_back(std::make_unique<SeasonalShift>(season, 0.2));
  field.push_back(std::make_unique<SeasonalShift>(season, 0.7));
  return field;
}

Contest::Contest(Field challengers, ContestRules rules)
    : rules_(rules), outstanding_(rules.horizon) {
  trials_.reserve(challengers.size() + 1);
  trials_.emplace_back(std::make_unique<Persistence>(), rules.horizon);
  for (auto& model : challengers) {
    trials_.emplace_back(std::move(model), rules.horizon);
  }
}

void Contest::observe(double sample) {
  if (const Forecast* due = outstanding_.due()) {
    const double error = sample - due->mean;
    ++score_.judged;
    score_.pinball += pinball(sample, due->high());
    score_.squared += error * error;
  }
  for (Rehearsal& trial : trials_) {
    trial.observe(sample);
  }
  choose();
  outstanding_.expect(forecast());
}

void Contest::choose() {
  if (trials_.front().score().judged < rules_.trial_min) {
    return;
  }
  // Half the margin keeps who was believed, the whole one wins: no to and fro over noise.
  const double naive = trials_.front().loss();
  if (believed_ != 0 && believed().loss() > naive * (1 - rules_.margin / 2)) {
    believed_ = 0;
  }
  const auto best =
      std::min_element(trials_.begin(), trials_.end(),
                       [](const Rehearsal& a, const Rehearsal& b) { return a.loss() < b.loss(); });
  if (best->loss() < believed().loss() * (1 - rules_.margin)) {
    believed_ = static_cast<std::size_t>(best - trials_.begin());
  }
}

}  // namespace brigade::forecast
