// Rates as people wrote them: "6/m" rather than "0.1/s".
#pragma once

#include <string>

namespace brigade::cli {

struct RateUnit {
  double seconds = 1;
  const char* name = "s";
};

// The unit, of a second, minute, hour and day, in which this is a whole number of tokens; a second
// when there is none. A node keeps rates to the nano-token per second, rounded down.
RateUnit unit_of(double per_second);
// "6/m"; "0.2/m" of a share of it.
std::string rate_text(double per_second, RateUnit unit);

}  // namespace brigade::cli
