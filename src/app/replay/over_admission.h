// The guarantee of semantics 2 as a client can see it: over every interval [t1, t2],
//   cost of the requests sent at or after t1 and answered at or before t2  <=  burst + rate (t2 -
//   t1).
// A request is decided between its send and its receipt, so a system that keeps the guarantee never
// exceeds this, however late the answers are.
#pragma once

#include <vector>

#include "base/time.h"
#include "base/tokens.h"

namespace brigade::replay {

using base::Duration;
using base::Rate;
using base::Tokens;

// One admitted request.
struct Admission {
  Duration sent{0};
  Duration received{0};
  Tokens cost;
};

// The interval in which the most was admitted above what was allowed.
struct OverAdmission {
  // What was admitted less what was allowed, rounded up; above 0 the guarantee is broken.
  Tokens over;
  Duration from{0};
  Duration until{0};
};

// The worst of all intervals, exactly; of several equal ones any. Without admissions it is the
// empty interval: over = -burst. O(n log n) time, about 80 bytes of memory per admission. Requires:
// sent <= received.
OverAdmission worst_over_admission(std::vector<Admission> admissions, Rate rate, Tokens burst);

}  // namespace brigade::replay
