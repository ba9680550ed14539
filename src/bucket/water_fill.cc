#include "bucket/water_fill.h"

#include <algorithm>
#include <cstddef>

#include "base/check.h"
#include "base/wide.h"

namespace brigade::bucket {
namespace {

using base::Wide;

// The water level at which a part starts or stops to rise: amount / weight.
struct Turn {
  std::int64_t amount = 0;
  std::size_t part = 0;
  bool starts = false;
};

std::vector<Turn> turns_in_order(std::span<const Part> parts) {
  std::vector<Turn> turns;
  turns.reserve(parts.size() * 2);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    turns.push_back({parts[i].floor, i, true});
    turns.push_back({parts[i].want, i, false});
  }
  std::sort(turns.begin(), turns.end(), [&](const Turn& a, const Turn& b) {
    const Wide left = static_cast<Wide>(a.amount) * parts[b.part].weight;
    const Wide right = static_cast<Wide>(b.amount) * parts[a.part].weight;
    if (left != right) {
      return left < right;
    }
    return a.starts != b.starts ? a.starts : a.part < b.part;
  });
  return turns;
}

std::vector<std::int64_t> cut_floors(std::span<const Part> parts, std::int64_t capacity, Wide sum) {
  std::vector<std::int64_t> shares;
  shares.reserve(parts.size());
  for (const Part& part : parts) {
    shares.push_back(static_cast<std::int64_t>(static_cast<Wide>(part.floor) * capacity / sum));
  }
  return shares;
}

}  // namespace

std::vector<std::int64_t> water_fill(std::span<const Part> parts, std::int64_t capacity) {
  BRIGADE_CHECK(capacity >= 0);
  Wide floors = 0;
  Wide wants = 0;
  for (const Part& part : parts) {
    BRIGADE_CHECK(part.floor >= 0);
    BRIGADE_CHECK(part.floor <= part.want);
    BRIGADE_CHECK(part.weight >= 1);
    floors += part.floor;
    wants += part.want;
  }
  std::vector<std::int64_t> shares(parts.size());
  if (wants <= capacity) {
    std::transform(parts.begin(), parts.end(), shares.begin(),
                   [](const Part& part) { return part.want; });
    return shares;
  }
  if (floors >= capacity) {
    return cut_floors(parts, capacity, std::max<Wide>(floors, 1));
  }
  // Raise the level from turn to turn: `fixed` is what those hold that do not rise, `rising` the
  // weights of those that do.
  Wide fixed = floors;
  Wide rising = 0;
  for (const Turn& turn : turns_in_order(parts)) {
    const Part& part = parts[turn.part];
    if (fixed * part.weight + rising * turn.amount >= static_cast<Wide>(capacity) * part.weight) {
      break;
    }
    rising += turn.starts ? part.weight : -part.weight;
    fixed += turn.starts ? -part.floor : part.want;
  }
  const Wide left = capacity - fixed;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Wide share = left * parts[i].weight / rising;
    shares[i] = static_cast<std::int64_t>(std::clamp<Wide>(share, parts[i].floor, parts[i].want));
  }
  return shares;
}

}  // namespace brigade::bucket
