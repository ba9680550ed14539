// How a limit's rate and burst are divided among its nodes (semantics 7): what each one should
// want, how the wants are fitted into the limit, and which changes are worth a log entry.
//
// Pure functions of integers: every leader decides alike. Prediction and demand only move shares,
// never the sum. Source: semantics 7; algorithms 2.9.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/tokens.h"
#include "bucket/limit_spec.h"

namespace brigade::bucket {

// What a node may be given, as rates.
struct RateBounds {
  base::Rate min;
  base::Rate max;
};

// The spec's `min` and `max` sizes (tokens; max 0: the whole burst) as rates of a limit of this
// rate and burst: size x rate / burst. Requires: burst > 0.
RateBounds rate_bounds(const SizingSpec& spec, base::Rate rate, base::Tokens burst);

struct Load {
  base::Rate predicted;  // p
  // s: what the node *wanted* last time, or its share when nothing is known. Handing in the share
  // that fit() made of it, slack included, closes a second loop around this one, in which shares
  // wander without end even under constant load.
  base::Rate wanted;
};

// The size that a node should have, before fitting:
//     p > s x high ? max(s x growth, p / mid) : p < s x low ? s x shrink : s,   mid = (high +
//     low)/2
// clamped to the bounds. Growth rounds down and shrinking up, so that a spec that validate()
// accepts never flaps: under constant load the wants move one way and then stay.
base::Rate want(const SizingSpec& spec, const RateBounds& bounds, const Load& load);

// One node's claim on a limit. Requires: 0 <= min <= max, weight in 1..2^31, sigma >= 0.
struct Claim {
  base::Rate want;
  base::Rate min;
  base::Rate max;
  std::int64_t weight = 1;
  base::Rate sigma;  // how far the load strays from its prediction
};

struct Supply {
  base::Rate total;
  Permille reserve_slack = 50;    // kept in the pool while there is enough for everybody
  Permille reserve_overload = 5;  // kept in the pool while there is not
};

// Shares in the order of the claims; the sum never exceeds the total less the reserve in force.
// * Wants exceed the total: weighted max-min water-filling between min and want.
// * Slack: everybody gets its want and z x sigma on top, with the same z for all (equal risk to run
//   dry) up to six; what then remains is spread evenly by weight. Nobody exceeds max.
// Raising the total never lowers anybody's share (but for rounding).
std::vector<base::Rate> fit(std::span<const Claim> claims, const Supply& supply);

// Floors of the holders' sizes, in their order; `needs` is the room that each one's largest cost
// takes. The usual floor is half the burst, divided evenly, so that an idle node has headroom to
// borrow into. Who needs more gets it, the first first, as long as the others keep a fifth of the
// usual. The sum never exceeds the burst.
std::vector<base::Tokens> size_floors(std::span<const base::Tokens> needs, base::Tokens burst);

struct Room {
  base::Rate rate;                       // of the limit
  base::Tokens burst;                    // to be divided
  std::span<const base::Tokens> floors;  // one a holder; their sum <= burst
};

// Sizes for these rates: rate_i x burst / rate, at least the floor each; when that is more than the
// burst, what exceeds the floors is scaled down. The sum never exceeds the burst. Requires: rate >
// 0, as many floors as rates.
std::vector<base::Tokens> sizes(std::span<const base::Rate> rates, const Room& room);

struct Change {
  std::int64_t from = 0;
  std::int64_t to = 0;
};
// True if a right changes by more than `threshold` of what it is. Any change from zero counts.
bool worth_making(const Change& change, Permille threshold = 50);

}  // namespace brigade::bucket
