// A model on trial: every forecast it makes is kept until its sample comes, so that its margin is
// learned and its loss is known. The loss is that of the 0.9 quantile at one horizon (pinball
// loss): too little costs nine times what too much costs.
//
// The margin is a multiple of how far the errors stray from their mean lately; the multiple moves
// until one sample in ten exceeds mean + margin, so that it follows calm and restless hours alike.
// It does not make up for bias: a model that lags on every ramp pays for that.
//
// Threads: single-threaded. Memory: the model's and `horizon` forecasts. Sources: Koenker, Bassett
// 1978 (pinball loss); Gibbs, Candes 2021 (adaptive conformal inference); algorithms 2.11.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "forecast/predictor.h"

namespace brigade::forecast {

// mean + spread is exceeded by one sample in ten; spread >= 0. Both never negative.
struct Forecast {
  double mean = 0;
  double spread = 0;
  [[nodiscard]] double high() const { return mean + spread; }
};

constexpr double kQuantile = 0.9;
// The loss of having expected at most `high` when `sample` came.
double pinball(double sample, double high);

// Sums over everything judged so far; differences of two of them describe the time between.
struct Score {
  std::uint64_t judged = 0;
  double pinball = 0;
  double squared = 0;  // of the errors of the mean

  [[nodiscard]] Score since(const Score& earlier) const;
  [[nodiscard]] double mean_pinball() const;
  [[nodiscard]] double rmse() const;
};

// Forecasts whose samples have not come yet, oldest first.
class Outstanding {
 public:
  explicit Outstanding(int horizon);

  // The forecast for the sample that comes now; nullptr while there is none.
  [[nodiscard]] const Forecast* due() const;
  // Replaces what was due by a forecast made now.
  void expect(const Forecast& forecast);

 private:
  std::size_t horizon_;
  std::vector<Forecast> ring_;
  std::size_t next_ = 0;
};

class Rehearsal {
 public:
  // The weight of a loss fades by this much with every sample.
  static constexpr double kDiscount = 0.99;

  // Requires: horizon >= 1, the steps ahead that are judged.
  Rehearsal(std::unique_ptr<Predictor> model, int horizon);

  // Requires: finite, >= 0.
  void observe(double sample);
  // For the sample `horizon` steps after the latest.
  [[nodiscard]] const Forecast& forecast() const { return latest_; }
  // The discounted sum of its losses: comparable between rehearsals of the same age.
  [[nodiscard]] double loss() const { return loss_; }
  [[nodiscard]] const Score& score() const { return score_; }
  [[nodiscard]] const Predictor& model() const { return *model_; }

 private:
  void judge(const Forecast& forecast, double sample);

  std::unique_ptr<Predictor> model_;
  int horizon_;
  Outstanding outstanding_;
  Forecast latest_;
  double bias_ = 0;      // recent mean error
  double scale_ = 0;     // recent mean deviation from it
  double multiple_ = 1;  // of it
  double loss_ = 0;
  Score score_;
};

}  // namespace brigade::forecast
