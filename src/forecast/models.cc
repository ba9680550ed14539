#include "forecast/models.h"

#include "base/check.h"

namespace brigade::forecast {
namespace {

bool is_gain(double value) {
  return value > 0 && value <= 1;
}

// A gain as names show it: 0.25 -> "25".
std::string percent(double gain) {
  return std::to_string(static_cast<int>(gain * 100 + 0.5));
}

}  // namespace

Ewma::Ewma(double gain) : name_("ewma-" + percent(gain)), gain_(gain) {
  BRIGADE_CHECK(is_gain(gain));
}

void Ewma::observe(double sample) {
  level_ = begun_ ? level_ + gain_ * (sample - level_) : sample;
  begun_ = true;
}

DampedHolt::DampedHolt(Gains gains)
    : name_("holt-" + percent(gains.level) + "-" + percent(gains.trend) + "-" +
            percent(gains.damping)),
      gains_(gains) {
  BRIGADE_CHECK(is_gain(gains.level) && is_gain(gains.trend) && is_gain(gains.damping));
}

void DampedHolt::observe(double sample) {
  if (!begun_) {
    level_ = sample;
    begun_ = true;
    return;
  }
  const double before = level_;
  const double carried = gains_.damping * trend_;
  level_ = gains_.level * sample + (1 - gains_.level) * (before + carried);
  trend_ = gains_.trend * (level_ - before) + (1 - gains_.trend) * carried;
}

double DampedHolt::forecast(int steps) const {
  double reach = 0;
  double fade = 1;
  for (int i = 0; i < steps; ++i) {
    fade *= gains_.damping;
    reach += fade;
  }
  return level_ + reach * trend_;
}

Season::Season(std::size_t length) : length_(length) {
  BRIGADE_CHECK(length >= 1 && length <= kSeasonMax);
}

void Season::observe(double sample) {
  if (!full()) {
    samples_.push_back(sample);
    return;
  }
  samples_[next_] = sample;
  next_ = (next_ + 1) % length_;
}

double Season::at(int steps) const {
  return samples_[(next_ + static_cast<std::size_t>(steps - 1)) % length_];
}

double Season::last() const {
  return samples_.empty() ? 0 : samples_[(next_ + samples_.size() - 1) % samples_.size()];
}

double SeasonalNaive::forecast(int steps) const {
  return season_.full() ? season_.at(steps) : season_.last();
}

SeasonalShift::SeasonalShift(std::size_t season, double gain)
    : name_("seasonal-shift-" + percent(gain)), season_(season), gain_(gain) {
  BRIGADE_CHECK(is_gain(gain));
}

void SeasonalShift::observe(double sample) {
  if (season_.full()) {
    shift_ += gain_ * (sample - season_.at(1) - shift_);
  }
  season_.observe(sample);
}

double SeasonalShift::forecast(int steps) const {
  return season_.full() ? season_.at(steps) + shift_ : season_.last();
}

}  // namespace brigade::forecast
