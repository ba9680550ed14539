#include "bucket/fairness.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/check.h"
#include "base/wide.h"

namespace brigade::bucket {
namespace {

using base::Tokens;
using base::UnsignedWide;
using base::Wide;

constexpr Permille kOne = 1000;

}  // namespace

Permille jain(std::span<const std::int64_t> amounts) {
  std::int64_t most = 0;
  for (const std::int64_t amount : amounts) {
    BRIGADE_CHECK(amount >= 0);
    most = std::max(most, amount);
  }
  // Squares of 40 bits times a million amounts stay within 128 bits; the rest is below a permille.
  unsigned shift = 0;
  while ((most >> shift) >= (std::int64_t{1} << 40)) {
    ++shift;
  }
  UnsignedWide sum = 0;
  UnsignedWide squares = 0;
  for (const std::int64_t amount : amounts) {
    const auto x = static_cast<UnsignedWide>(amount >> shift);
    sum += x;
    squares += x * x;
  }
  if (squares == 0) {
    return kOne;
  }
  // sum^2 / squares <= n, so dividing first by squares would lose everything: scale by parts.
  const UnsignedWide whole = sum * sum / squares;
  const UnsignedWide rest = (sum * sum % squares) * kOne / squares;
  return static_cast<Permille>((whole * kOne + rest) / amounts.size());
}

Permille max_min_gap(std::span<const Part> parts, std::span<const std::int64_t> amounts,
                     std::int64_t capacity) {
  BRIGADE_CHECK(parts.size() == amounts.size());
  const std::vector<std::int64_t> fair = water_fill(parts, capacity);
  Wide worst = 0;
  for (std::size_t i = 0; i < fair.size(); ++i) {
    if (fair[i] > amounts[i]) {
      worst = std::max(worst, (static_cast<Wide>(fair[i]) - amounts[i]) * kOne / fair[i]);
    }
  }
  return static_cast<Permille>(worst);
}

Permille lend_imbalance(const LendFlow& flow) {
  const Wide total = static_cast<Wide>(flow.lent.micro()) + flow.borrowed.micro();
  const Wide difference = static_cast<Wide>(flow.lent.micro()) - flow.borrowed.micro();
  if (total <= 0) {
    return 0;
  }
  return static_cast<Permille>((difference < 0 ? -difference : difference) * kOne / total);
}

Tokens proportional_cap(Tokens surplus, const ProportionalAsk& ask) {
  if (surplus <= Tokens{} || ask.want <= Tokens{}) {
    return Tokens{};
  }
  if (ask.want_of_all <= surplus) {
    return std::min(ask.want, surplus);
  }
  const Tokens all = std::max(ask.want_of_all, ask.want);
  return std::min(ask.want, surplus.scaled(ask.want.micro(), all.micro()));
}

}  // namespace brigade::bucket
