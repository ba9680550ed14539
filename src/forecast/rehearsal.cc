#include "forecast/rehearsal.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace brigade::forecast {
namespace {

// How fast bias, scale and the multiple of it follow.
constexpr double kGain = 0.05;
// A margin is for what strays, not for what a model always gets wrong: nine in ten samples lie
// within three mean deviations unless the model is biased.
constexpr double kMultipleMax = 3;

double magnitude(double value) {
  return value < 0 ? -value : value;
}

}  // namespace

double pinball(double sample, double high) {
  return sample > high ? kQuantile * (sample - high) : (1 - kQuantile) * (high - sample);
}

Score Score::since(const Score& earlier) const {
  return {.judged = judged - earlier.judged,
          .pinball = pinball - earlier.pinball,
          .squared = squared - earlier.squared};
}

double Score::mean_pinball() const {
  return judged == 0 ? 0 : pinball / static_cast<double>(judged);
}

double Score::rmse() const {
  return judged == 0 ? 0 : std::sqrt(std::max(0.0, squared) / static_cast<double>(judged));
}

Outstanding::Outstanding(int horizon) : horizon_(static_cast<std::size_t>(horizon)) {
  BRIGADE_CHECK(horizon >= 1);
}

const Forecast* Outstanding::due() const {
  return ring_.size() < horizon_ ? nullptr : &ring_[next_];
}

void Outstanding::expect(const Forecast& forecast) {
  if (ring_.size() < horizon_) {
    ring_.push_back(forecast);
    return;
  }
  ring_[next_] = forecast;
  next_ = (next_ + 1) % horizon_;
}

Rehearsal::Rehearsal(std::unique_ptr<Predictor> model, int horizon)
    : model_(std::move(model)), horizon_(horizon), outstanding_(horizon) {}

void Rehearsal::judge(const Forecast& forecast, double sample) {
  const double loss = pinball(sample, forecast.high());
  const double error = sample - forecast.mean;
  loss_ = kDiscount * loss_ + loss;
  score_.pinball += loss;
  score_.squared += error * error;
  if (score_.judged++ == 0) {
    bias_ = error;
    scale_ = magnitude(error);
  }
  const bool exceeded = error > multiple_ * scale_;
  multiple_ =
      std::clamp(multiple_ + kGain * (exceeded ? kQuantile : kQuantile - 1), 0.0, kMultipleMax);
  scale_ += kGain * (magnitude(error - bias_) - scale_);
  bias_ += kGain * (error - bias_);
}

void Rehearsal::observe(double sample) {
  if (const Forecast* due = outstanding_.due()) {
    judge(*due, sample);
  }
  model_->observe(sample);
  latest_ = {.mean = std::max(0.0, model_->forecast(horizon_)), .spread = multiple_ * scale_};
  outstanding_.expect(latest_);
}

}  // namespace brigade::forecast
