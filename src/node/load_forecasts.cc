#include "node/load_forecasts.h"

#include <algorithm>

namespace brigade::node {
namespace {

constexpr std::int64_t kGrain = 1024;

}  // namespace

void LoadForecasts::observe(const LedgerId& id, Account account, Rate offered) {
  auto found = contests_.find({id, account});
  if (found == contests_.end()) {
    if (contests_.size() >= kSeriesMax) {
      return;
    }
    found = contests_
                .try_emplace({id, account}, forecast::quick_field(),
                             forecast::ContestRules{.horizon = kHorizon})
                .first;
  }
  found->second.observe(std::max(0.0, offered.as_double()));
}

Rate LoadForecasts::expected(const LedgerId& id, Account account, Rate reported, Rate limit) const {
  const auto found = contests_.find({id, account});
  if (found == contests_.end() || found->second.naive()) {
    return reported;
  }
  // Beyond four times the limit one demand is as hopeless as another.
  const std::int64_t grain = std::max<std::int64_t>(limit.nano_per_second() / kGrain, 1);
  const double most = 4.0 * kGrain;
  const double mean = found->second.forecast().mean * 1e9 / static_cast<double>(grain);
  const auto grains = static_cast<std::int64_t>(std::min(mean, most) + 0.5);
  return Rate::nano_per_second(static_cast<std::int64_t>(
      std::min<base::Wide>(static_cast<base::Wide>(grains) * grain, Rate::kMaxNano)));
}

void LoadForecasts::forget(const std::function<bool(const LedgerId&, Account)>& over) {
  std::erase_if(contests_,
                [&](const auto& entry) { return over(entry.first.first, entry.first.second); });
}

}  // namespace brigade::node
