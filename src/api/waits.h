// Times as clients are told them: rounded up, so that who waits that long is not refused by
// rounding.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace brigade::api {

// In units of `unit`, >= 0.
inline std::int64_t rounded_up(base::Duration time, base::Duration unit) {
  const std::int64_t rest = time.count() % unit.count() > 0 ? 1 : 0;
  return std::max<std::int64_t>(0, time.count() / unit.count() + rest);
}
inline std::int64_t seconds_up(base::Duration time) {
  return rounded_up(time, base::seconds(1));
}
inline std::int64_t milliseconds_up(base::Duration time) {
  return rounded_up(time, base::milliseconds(1));
}

// Until a bucket is full, in whole seconds. What is no more than a millisecond longer is that many
// seconds still: amounts and rates are integers, and a rate of 1/m is kept a hair lower than that.
// Only a bucket that is full has 0.
inline std::int64_t seconds_until_full(base::Duration time) {
  return time <= base::Duration::zero()
             ? 0
             : std::max<std::int64_t>(1, seconds_up(time - base::milliseconds(1)));
}

}  // namespace brigade::api
