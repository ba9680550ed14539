// The models: naive persistence, exponential averages, Holt's damped trend, and what a season ago
// says.
//
// Sources: Holt 1957; Gardner, McKenzie 1985 (damped additive trend); Hyndman, Athanasopoulos,
// Forecasting: Principles and Practice, 3.1 and 8.2; algorithms 2.11.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "forecast/predictor.h"

namespace brigade::forecast {

// Tomorrow is as today: the yardstick of every other model.
class Persistence final : public Predictor {
 public:
  [[nodiscard]] std::string_view name() const override { return "persistence"; }
  void observe(double sample) override { last_ = sample; }
  [[nodiscard]] double forecast(int) const override { return last_; }

 private:
  double last_ = 0;
};

// Exponentially weighted moving average. Requires: 0 < gain <= 1.
class Ewma final : public Predictor {
 public:
  explicit Ewma(double gain);

  [[nodiscard]] std::string_view name() const override { return name_; }
  void observe(double sample) override;
  [[nodiscard]] double forecast(int) const override { return level_; }

 private:
  std::string name_;
  double gain_;
  double level_ = 0;
  bool begun_ = false;
};

// Level and trend; the trend fades by `damping` with every step, so that a rise is not drawn out
// for ever.
class DampedHolt final : public Predictor {
 public:
  // Each in (0, 1].
  struct Gains {
    double level = 0.5;
    double trend = 0.1;
    double damping = 0.9;
  };
  explicit DampedHolt(Gains gains);

  [[nodiscard]] std::string_view name() const override { return name_; }
  void observe(double sample) override;
  [[nodiscard]] double forecast(int steps) const override;

 private:
  std::string name_;
  Gains gains_;
  double level_ = 0;
  double trend_ = 0;
  bool begun_ = false;
};

// The last samples of one season, 1 .. kSeasonMax of them.
class Season {
 public:
  static constexpr std::size_t kSeasonMax = 100'000;

  explicit Season(std::size_t length);

  void observe(double sample);
  // True once a whole season was seen.
  [[nodiscard]] bool full() const { return samples_.size() == length_; }
  // What the season before showed at the point `steps` after the latest sample. Requires: full().
  [[nodiscard]] double at(int steps) const;
  [[nodiscard]] double last() const;

 private:
  std::size_t length_;
  std::vector<double> samples_;  // a ring
  std::size_t next_ = 0;
};

// What was a season ago; persistence until a season has passed.
class SeasonalNaive final : public Predictor {
 public:
  explicit SeasonalNaive(std::size_t season) : season_(season) {}

  [[nodiscard]] std::string_view name() const override { return "seasonal-naive"; }
  void observe(double sample) override { season_.observe(sample); }
  [[nodiscard]] double forecast(int steps) const override;

 private:
  Season season_;
};

// The shape of the last season, moved to where the series is now: what was a season ago plus an
// average of how much more it has been lately.
class SeasonalShift final : public Predictor {
 public:
  SeasonalShift(std::size_t season, double gain);

  [[nodiscard]] std::string_view name() const override { return name_; }
  void observe(double sample) override;
  [[nodiscard]] double forecast(int steps) const override;

 private:
  std::string name_;
  Season season_;
  double gain_;
  double shift_ = 0;
};

}  // namespace brigade::forecast
