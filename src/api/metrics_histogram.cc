#include "api/metrics_histogram.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace brigade::api {

// Buckets are (low, high], as Prometheus counts: one less than the value decides. Values of 1 to 16
// ns have a bucket each, then every power of two has kParts.
std::size_t Histogram::bucket_of(std::uint64_t ns) {
  const std::uint64_t below = ns == 0 ? 0 : ns - 1;
  if (below < kParts) {
    return static_cast<std::size_t>(below);
  }
  const auto exponent = static_cast<unsigned>(std::bit_width(below)) - 1;
  const auto part = static_cast<std::size_t>(below >> (exponent - kPartBits)) - kParts;
  return (exponent - kPartBits + 1) * kParts + part;
}

std::uint64_t Histogram::upper_bound(std::size_t bucket) {
  if (bucket < kParts) {
    return bucket + 1;
  }
  const std::size_t shift = bucket / kParts - 1;
  return (kParts + bucket % kParts + 1) << shift;
}

void Histogram::record(base::Duration value) {
  constexpr auto kMost = static_cast<std::int64_t>(std::uint64_t{1} << kExponents);
  const std::int64_t ns = std::clamp<std::int64_t>(value.count(), 0, kMost);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(ns))];
  ++count_;
  sum_ns_ += ns;
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) {
    return;
  }
  for (std::size_t i = 0; i < kBuckets; ++i) {
    buckets_[i] += other.buckets_[i];
  }
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
}

std::uint64_t Histogram::up_to(unsigned exponent) const {
  BRIGADE_CHECK(exponent <= kExponents);
  const std::size_t end = bucket_of(std::uint64_t{1} << exponent) + 1;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < end; ++i) {
    total += buckets_[i];
  }
  return total;
}

base::Duration Histogram::quantile(unsigned permille) const {
  const std::uint64_t wanted =
      std::max<std::uint64_t>(1, (count_ * std::min(permille, 1000U) + 999) / 1000);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= wanted) {
      return base::Duration(static_cast<std::int64_t>(upper_bound(i)));
    }
  }
  return base::Duration::zero();
}

void Histogram::clear() {
  *this = Histogram();
}

}  // namespace brigade::api
