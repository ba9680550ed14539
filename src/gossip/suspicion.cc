#include "gossip/suspicion.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/wide.h"

namespace brigade::gossip {
namespace {

constexpr std::uint32_t kOne = 1U << 16U;
constexpr std::uint32_t kLog2Of10 = 217'706;  // in units of 2^-16
constexpr std::size_t kSmallest = 16;         // members up to which 2 * members copies are sent

Duration scaled(Duration d, std::uint64_t numerator, std::uint64_t denominator) {
  return Duration(static_cast<std::int64_t>(static_cast<base::Wide>(d.count()) *
                                            static_cast<base::Wide>(numerator) /
                                            static_cast<base::Wide>(denominator)));
}

}  // namespace

std::uint32_t log2_q16(std::uint64_t n) {
  BRIGADE_CHECK(n > 0);
  const auto whole = static_cast<std::uint32_t>(std::bit_width(n)) - 1;
  // n / 2^whole in [1, 2) with 31 fraction bits; each squaring yields one more bit of the log.
  std::uint64_t x = whole >= 31 ? n >> (whole - 31) : n << (31 - whole);
  std::uint32_t fraction = 0;
  for (int bit = 0; bit < 16; ++bit) {
    x = (x * x) >> 31U;
    fraction <<= 1U;
    if (x >= (std::uint64_t{1} << 32U)) {
      x >>= 1U;
      fraction |= 1U;
    }
  }
  return whole * kOne + fraction;
}

std::uint32_t retransmit_limit(const Config& config, std::size_t members) {
  std::uint32_t digits = 0;  // ceil(log10(members + 1)) counts the decimal digits of `members`
  for (std::size_t rest = members; rest > 0; rest /= 10) {
    ++digits;
  }
  const std::uint32_t limit = config.retransmit_mult * std::max(1U, digits);
  return members <= kSmallest ? std::max(limit, static_cast<std::uint32_t>(2 * members)) : limit;
}

SuspicionBounds suspicion_bounds(const Config& config, std::size_t members) {
  const std::uint64_t log2 = log2_q16(std::max<std::size_t>(1, members));
  const Duration unit = config.probe_interval * config.suspicion_mult;
  SuspicionBounds bounds;
  bounds.min = scaled(unit, std::max<std::uint64_t>(log2, kLog2Of10), kLog2Of10);
  bounds.max = bounds.min * config.suspicion_max_mult;
  bounds.confirmations = config.suspicion_confirmations;
  if (members < std::size_t{2} + bounds.confirmations) {
    bounds.confirmations = 0;
  }
  return bounds;
}

Duration suspicion_timeout(const SuspicionBounds& bounds, std::uint32_t confirmations) {
  if (confirmations >= bounds.confirmations) {
    return bounds.min;
  }
  return bounds.max - scaled(bounds.max - bounds.min, log2_q16(confirmations + 1U),
                             log2_q16(bounds.confirmations + 1U));
}

Suspicion::Suspicion(SuspicionBounds bounds, NodeId accuser, TimePoint start)
    : bounds_(bounds), start_(start), accusers_{accuser} {}

Suspicion::Weight Suspicion::confirm(NodeId accuser) {
  if (!accuser || confirmations_ >= bounds_.confirmations ||
      std::find(accusers_.begin(), accusers_.end(), accuser) != accusers_.end()) {
    return Weight::kNothingNew;
  }
  accusers_.push_back(accuser);
  ++confirmations_;
  return Weight::kConfirms;
}

Suspicion::Weight Suspicion::confirm_anyhow() {
  if (confirmations_ >= bounds_.confirmations) {
    return Weight::kNothingNew;
  }
  ++confirmations_;
  return Weight::kConfirms;
}

TimePoint Suspicion::deadline() const {
  return start_ + suspicion_timeout(bounds_, confirmations_);
}

}  // namespace brigade::gossip
