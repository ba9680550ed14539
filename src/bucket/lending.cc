#include "bucket/lending.h"

#include <algorithm>
#include <vector>

#include "base/wide.h"

namespace brigade::bucket {
namespace {

using base::Duration;
using base::milliseconds;
using base::Prng;
using base::TimePoint;
using base::Tokens;
using base::Wide;

constexpr Permille kOne = 1000;

// Weights of the score, in thousandths.
constexpr std::int64_t kPerRttRef = 100;  // for every kRttRef of round trip ...
constexpr std::int64_t kRttMost = 400;    // ... up to this much
constexpr Duration kRttRef = milliseconds(5);
constexpr std::int64_t kOtherZone = 50;
constexpr std::int64_t kOtherRegion = 400;
constexpr std::int64_t kAge = 200;  // for a digest at its maximum age
constexpr std::int64_t kCredit = 100;
constexpr std::int64_t kGood = 300;  // the dice choose among those so near to the best

bool is_possible(const Candidate& candidate) {
  return candidate.breaker_closed && candidate.free > Tokens{} && candidate.age < kDigestAgeMax;
}

// parts / whole in thousandths, at most `most`. Requires: parts >= 0, whole > 0.
std::int64_t permille(std::int64_t parts, std::int64_t whole, std::int64_t most) {
  return static_cast<std::int64_t>(std::min<Wide>(most, static_cast<Wide>(parts) * kOne / whole));
}

}  // namespace

Tokens lendable(const LendInput& lender, const LendRequest& request) {
  const Tokens keep = std::max({lender.near_term_need, lender.reserve,
                                lender.size.scaled(lender.class_reserve, kOne), Tokens{}});
  const Tokens grant =
      std::min({request.want, lender.level - keep, lender.level.scaled(lender.max_share, kOne)});
  return grant > Tokens{} && grant >= request.min ? grant : Tokens{};
}

Duration prefetch_horizon(Duration rtt_p99) {
  return 2 * rtt_p99 + milliseconds(2);
}

bool should_prefetch(const BorrowInput& borrower) {
  return borrower.level < borrower.demand.over(prefetch_horizon(borrower.rtt_p99));
}

Tokens borrow_want(const BorrowInput& borrower) {
  const Duration horizon = 2 * prefetch_horizon(borrower.rtt_p99);
  const base::Rate deficit = std::max(borrower.demand - borrower.rate, base::Rate{});
  const Tokens parked = std::max(borrower.waiting - borrower.level, Tokens{});
  const Tokens ahead = std::max(deficit.over(horizon), borrower.demand.over(milliseconds(10)));
  const Tokens refill = borrower.rate.over(2 * borrower.rtt_p99);
  const Tokens most = std::max(borrower.room - refill, std::min(borrower.room, parked));
  return std::clamp(parked + ahead, Tokens{}, std::max(most, Tokens{}));
}

std::int64_t score(const Candidate& candidate, Tokens want) {
  const std::int64_t enough =
      want > Tokens{} ? permille(std::max(candidate.free, Tokens{}).micro(), want.micro(), kOne)
                      : kOne;
  const std::int64_t distance =
      std::min(kRttMost, permille(std::max(candidate.rtt, Duration::zero()).count(),
                                  kRttRef.count(), kRttMost * kOne) *
                             kPerRttRef / kOne);
  const std::int64_t away =
      candidate.same_region ? (candidate.same_zone ? 0 : kOtherZone) : kOtherRegion;
  const std::int64_t stale =
      permille(std::max(candidate.age, Duration::zero()).count(), kDigestAgeMax.count(), kOne) *
      kAge / kOne;
  const std::int64_t credit = std::clamp(candidate.credit, -kOne, kOne) * kCredit / kOne;
  return enough - distance - away - stale + credit;
}

std::optional<std::size_t> choose(std::span<const Candidate> candidates, Tokens want, Prng& prng) {
  std::int64_t best = INT64_MIN;
  for (const Candidate& candidate : candidates) {
    if (is_possible(candidate)) {
      best = std::max(best, score(candidate, want));
    }
  }
  if (best == INT64_MIN) {
    return std::nullopt;
  }
  const auto weight = [&](const Candidate& candidate) -> std::uint64_t {
    if (!is_possible(candidate)) {
      return 0;
    }
    const std::int64_t near = kGood - (best - score(candidate, want));
    if (near <= 0) {
      return 0;
    }
    // Whoever has several times what is wanted can serve several borrowers.
    const std::int64_t plenty =
        permille(candidate.free.micro(), std::max<std::int64_t>(want.micro(), 1), 8 * kOne);
    return static_cast<std::uint64_t>(near * near * std::max<std::int64_t>(plenty, 1));
  };
  std::uint64_t total = 0;
  for (const Candidate& candidate : candidates) {
    total += weight(candidate);
  }
  std::uint64_t drawn = prng.below(total);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::uint64_t mine = weight(candidates[i]);
    if (drawn < mine) {
      return i;
    }
    drawn -= mine;
  }
  return std::nullopt;
}

bool Backoff::is_little(Tokens granted, Tokens want) {
  return granted.micro() < want.micro() / 4 || granted <= Tokens{};
}

void Backoff::little_came(TimePoint now, Prng& prng) {
  delay_ = std::clamp(2 * delay_, kMin, kMax);
  next_ = now + prng.between(delay_ - delay_ / 4, delay_ + delay_ / 4);
}

void Backoff::enough_came() {
  delay_ = Duration::zero();
  next_ = TimePoint::min();
}

}  // namespace brigade::bucket
