// A log-linear histogram of durations: every power of two is cut into 16 equal parts, so that a
// quantile is at most 1/16 too large. Source: HdrHistogram (Tene); constants are ours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace brigade::api {

class Histogram {
 public:
  // Negative durations count as 0, those above 2^42 ns (73 min) as that. Constant time, no
  // allocation.
  void record(base::Duration value);
  void add(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] base::Duration sum() const { return base::Duration(sum_ns_); }
  // The number of values <= 2^exponent ns. Exact. Requires: exponent <= kExponents.
  [[nodiscard]] std::uint64_t up_to(unsigned exponent) const;
  // The smallest bound below which at least `permille` of the values lie; 0 when there are none.
  [[nodiscard]] base::Duration quantile(unsigned permille) const;
  void clear();

  static constexpr unsigned kExponents = 42;

 private:
  static constexpr unsigned kPartBits = 4;
  static constexpr std::size_t kParts = std::size_t{1} << kPartBits;
  static constexpr std::size_t kBuckets = (kExponents - kPartBits + 1) * kParts;

  static std::size_t bucket_of(std::uint64_t ns);
  // The largest value that falls into the bucket.
  static std::uint64_t upper_bound(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t sum_ns_ = 0;
};

}  // namespace brigade::api
