#include "bucket/sizing.h"

#include <algorithm>
#include <cstddef>

#include "base/check.h"
#include "base/wide.h"
#include "bucket/water_fill.h"

namespace brigade::bucket {
namespace {

using base::Rate;
using base::Tokens;
using base::Wide;

constexpr Permille kOne = 1000;
// Beyond six deviations more of the same protects from nothing.
// Fixed point with 40 bits of fraction: the rounding of z x sigma stays below that of a share.
constexpr std::int64_t kZOne = std::int64_t{1} << 40;
constexpr std::int64_t kZMax = 6 * kZOne;

Rate nano(Wide value) {
  return Rate::nano_per_second(static_cast<std::int64_t>(std::min<Wide>(value, Rate::kMaxNano)));
}

std::int64_t less_reserve(Rate total, Permille reserve) {
  return total.scaled(kOne - reserve, kOne).nano_per_second();
}

// want + z x sigma, at most max.
std::int64_t with_margin(const Part& part, const Claim& claim, std::int64_t z) {
  const Wide margin = static_cast<Wide>(claim.sigma.nano_per_second()) * z / kZOne;
  const Wide most = std::max(part.want, claim.max.nano_per_second());
  return static_cast<std::int64_t>(std::min<Wide>(part.want + margin, most));
}

// The largest z at which all margins fit.
std::int64_t common_z(std::span<const Part> parts, std::span<const Claim> claims,
                      std::int64_t capacity) {
  const auto fits = [&](std::int64_t z) {
    Wide sum = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      sum += with_margin(parts[i], claims[i], z);
    }
    return sum <= capacity;
  };
  std::int64_t low = 0;
  std::int64_t high = kZMax;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::vector<std::int64_t> spread_slack(std::span<const Part> parts, std::span<const Claim> claims,
                                       std::int64_t capacity) {
  const std::int64_t z = common_z(parts, claims, capacity);
  std::vector<std::int64_t> shares;
  std::vector<Part> extra;
  std::int64_t left = capacity;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    shares.push_back(with_margin(parts[i], claims[i], z));
    left -= shares.back();
    const std::int64_t most = std::max(shares.back(), claims[i].max.nano_per_second());
    extra.push_back({0, most - shares.back(), parts[i].weight});
  }
  const std::vector<std::int64_t> more = water_fill(extra, left);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i] += more[i];
  }
  return shares;
}

}  // namespace

RateBounds rate_bounds(const SizingSpec& spec, Rate rate, Tokens burst) {
  const auto as_rate = [&](Tokens size) {
    return nano(static_cast<Wide>(std::min(size, burst).micro()) * rate.nano_per_second() /
                burst.micro());
  };
  return {as_rate(spec.min), spec.max > Tokens{} ? as_rate(spec.max) : rate};
}

Rate want(const SizingSpec& spec, const RateBounds& bounds, const Load& load) {
  const Wide p = std::max<std::int64_t>(load.predicted.nano_per_second(), 0);
  const Wide s = std::max<std::int64_t>(load.wanted.nano_per_second(), 0);
  Wide size = s;
  if (p * kOne > s * spec.threshold_high) {
    const Wide grown = s * spec.growth / kOne;
    const Wide needed = p * 2 * kOne / (spec.threshold_high + spec.threshold_low);
    size = std::max(grown, needed);
  } else if (p * kOne < s * spec.threshold_low) {
    size = (s * spec.shrink + kOne - 1) / kOne;
  }
  return std::clamp(nano(size), bounds.min, std::max(bounds.min, bounds.max));
}

std::vector<Rate> fit(std::span<const Claim> claims, const Supply& supply) {
  std::vector<Part> parts;
  Wide wants = 0;
  for (const Claim& claim : claims) {
    const std::int64_t min = std::max<std::int64_t>(claim.min.nano_per_second(), 0);
    const std::int64_t max = std::max(min, claim.max.nano_per_second());
    parts.push_back({min, std::clamp(claim.want.nano_per_second(), min, max),
                     std::max<std::int64_t>(claim.weight, 1)});
    wants += parts.back().want;
  }
  const Rate total = std::max(supply.total, Rate{});
  const std::int64_t relaxed = less_reserve(total, supply.reserve_slack);
  const std::vector<std::int64_t> shares =
      wants <= relaxed ? spread_slack(parts, claims, relaxed)
                       : water_fill(parts, less_reserve(total, supply.reserve_overload));
  std::vector<Rate> rates;
  rates.reserve(shares.size());
  for (const std::int64_t share : shares) {
    rates.push_back(Rate::nano_per_second(share));
  }
  return rates;
}

std::vector<Tokens> size_floors(std::span<const Tokens> needs, Tokens burst) {
  std::vector<Tokens> floors;
  if (needs.empty()) {
    return floors;
  }
  const auto holders = static_cast<std::int64_t>(needs.size());
  const Tokens usual = std::max(burst, Tokens{}).scaled(1, 2 * holders);
  const Tokens least = usual.scaled(1, 5);
  Tokens left = std::max(burst, Tokens{}) - Tokens::micro(least.micro() * holders);
  for (const Tokens need : needs) {
    Tokens more = std::max(usual, need) - least;
    if (more > left) {
      more = std::min(usual - least, left);
    }
    floors.push_back(least + more);
    left -= more;
  }
  return floors;
}

std::vector<Tokens> sizes(std::span<const Rate> rates, const Room& room) {
  BRIGADE_CHECK(room.rate > Rate{} && room.floors.size() == rates.size());
  std::vector<Tokens> sizes(rates.size());
  const Tokens burst = std::max(room.burst, Tokens{});
  Wide above = 0;
  Tokens left = burst;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const Wide size = static_cast<Wide>(burst.micro()) *
                      std::max<std::int64_t>(rates[i].nano_per_second(), 0) /
                      room.rate.nano_per_second();
    sizes[i] =
        std::max(Tokens::micro(static_cast<std::int64_t>(std::min<Wide>(size, burst.micro()))),
                 room.floors[i]);
    above += (sizes[i] - room.floors[i]).micro();
    left -= room.floors[i];
  }
  if (above > left.micro()) {
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const Wide exceeds = (sizes[i] - room.floors[i]).micro();
      sizes[i] =
          room.floors[i] + Tokens::micro(static_cast<std::int64_t>(exceeds * left.micro() / above));
    }
  }
  return sizes;
}

bool worth_making(const Change& change, Permille threshold) {
  const Wide difference = static_cast<Wide>(change.to) - change.from;
  const Wide moved = difference < 0 ? -difference : difference;
  return moved * kOne > static_cast<Wide>(change.from) * threshold;
}

}  // namespace brigade::bucket
