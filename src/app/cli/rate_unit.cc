#include "app/cli/rate_unit.h"

#include <array>
#include <cmath>

#include "app/cli/table.h"

namespace brigade::cli {
namespace {

// How far what a node keeps may be below what was declared, per second.
constexpr double kKept = 1e-9;
// What a double and its text may add to that, in relation.
constexpr double kExact = 1e-12;

double slack(double amount, RateUnit unit) {
  return kKept * unit.seconds + kExact * amount;
}

}  // namespace

RateUnit unit_of(double per_second) {
  constexpr std::array<RateUnit, 4> kUnits{{{1, "s"}, {60, "m"}, {3600, "h"}, {86'400, "d"}}};
  for (const RateUnit& unit : kUnits) {
    const double amount = per_second * unit.seconds;
    const double whole = std::round(amount);
    if (whole >= 1 && std::abs(amount - whole) <= slack(amount, unit)) {
      return unit;
    }
  }
  return {};
}

std::string rate_text(double per_second, RateUnit unit) {
  const double amount = per_second * unit.seconds;
  const double whole = std::round(amount);
  const bool is_whole = std::abs(amount - whole) <= slack(amount, unit);
  return number_text(is_whole ? whole : amount) + "/" + unit.name;
}

}  // namespace brigade::cli
