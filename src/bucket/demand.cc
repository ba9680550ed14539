#include "bucket/demand.h"

#include "base/wide.h"

namespace brigade::bucket {
namespace {

using base::Rate;
using base::TimePoint;
using base::Wide;

// After so many windows without an offer nothing is left of any average.
constexpr std::int64_t kForgotten = 160;

// Moves 1/divisor of the way; downwards rounded up, so that averages of nothing end at zero.
std::int64_t approach(std::int64_t from, std::int64_t to, std::int64_t divisor) {
  return to >= from ? from + (to - from) / divisor : from - (from - to + divisor - 1) / divisor;
}

Rate per_second(std::int64_t scaled, std::int64_t scale) {
  // micro-tokens per window -> nano-tokens per second
  const Wide nano = static_cast<Wide>(scaled) * 1000 * base::seconds(1).count() /
                    DemandMeter::kWindow.count() / scale;
  return Rate::nano_per_second(static_cast<std::int64_t>(std::min<Wide>(nano, Rate::kMaxNano)));
}

}  // namespace

void DemandMeter::close(std::int64_t sample) {
  const std::int64_t scaled = sample * kScale;
  const std::int64_t miss = scaled > mean_ ? scaled - mean_ : mean_ - scaled;
  if (windows_ == 0) {
    mean_ = scaled;
    deviation_ = scaled / 2;
  } else {
    mean_ = approach(mean_, scaled, 2);
    deviation_ = approach(deviation_, miss, 4);
  }
  last_ = sample;
  ++windows_;
}

void DemandMeter::roll(TimePoint now) {
  if (now < ends_) {
    return;
  }
  const std::int64_t over = (now - ends_) / kWindow + 1;  // windows that ended
  close(offered_);
  offered_ = 0;
  for (std::int64_t i = 1; i < std::min(over, kForgotten); ++i) {
    close(0);
  }
  windows_ += over - std::min(over, kForgotten);
  ends_ += over * kWindow;
}

Rate DemandMeter::rate(TimePoint now) const {
  DemandMeter rolled = *this;
  rolled.roll(now);
  return per_second(rolled.mean_, kScale);
}

Rate DemandMeter::sigma(TimePoint now) const {
  DemandMeter rolled = *this;
  rolled.roll(now);
  return per_second(rolled.deviation_, kScale);
}

Rate DemandMeter::surge(TimePoint now) const {
  DemandMeter rolled = *this;
  rolled.roll(now);
  return std::max(per_second(rolled.mean_, kScale), per_second(rolled.offered_, 1));
}

}  // namespace brigade::bucket
