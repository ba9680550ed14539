#include "bucket/token_bucket.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"

namespace brigade::bucket {

TokenBucket::TokenBucket(Rate rate, Tokens size, Tokens level, TimePoint now)
    : rate_(rate), size_(size), level_(level), minted_until_(now) {
  check_invariants();
}

void TokenBucket::mint(TimePoint now) {
  if (now <= minted_until_) {
    return;
  }
  // nano-tokens/s x ns = 1e-12 micro-tokens
  constexpr std::int64_t kUnits = 1'000'000'000'000;
  const base::Wide units =
      static_cast<base::Wide>(rate_.nano_per_second()) * (now - minted_until_).count() + fraction_;
  minted_until_ = now;
  if (units <= INT64_MAX) [[likely]] {
    // Dividing 64 bits by a constant is a multiplication; 128 bits would be a library call.
    const auto narrow = static_cast<std::int64_t>(units);
    credit(narrow / kUnits, narrow % kUnits);
  } else {
    const base::Wide micro = units / kUnits;
    credit(micro > Tokens::kMaxMicro ? Tokens::kMaxMicro : static_cast<std::int64_t>(micro),
           static_cast<std::int64_t>(units % kUnits));
  }
}

void TokenBucket::credit(std::int64_t micro, std::int64_t fraction) {
  const Tokens space = room();
  if (micro >= space.micro()) {
    level_ += space;
    fraction_ = 0;
  } else {
    level_ += Tokens::micro(micro);
    fraction_ = fraction;
  }
}

bool TokenBucket::take(Tokens cost, Tokens floor) {
  if (level_ - cost < floor && cost > Tokens{}) {
    return false;
  }
  level_ -= cost;
  return true;
}

void TokenBucket::put(Tokens amount) {
  level_ += std::min(amount, room());
}

Tokens TokenBucket::hold(Tokens want) {
  const Tokens got = std::clamp(want, Tokens{}, room());
  held_ += got;
  return got;
}

void TokenBucket::release(Tokens amount) {
  BRIGADE_CHECK(amount <= held_);
  held_ -= amount;
}

Tokens TokenBucket::resize(Rate rate, Tokens size, TimePoint now) {
  BRIGADE_CHECK(held_ <= size);
  mint(now);
  rate_ = rate;
  size_ = size;
  const Tokens cut = std::max(Tokens{}, level_ + held_ - size_);
  level_ -= cut;
  return cut;
}

Duration TokenBucket::wait_for(Tokens cost, Tokens floor) const {
  const Tokens short_by = cost + floor - level_;
  if (short_by <= Tokens{}) {
    return Duration::zero();
  }
  if (cost + floor > size_ - held_) {
    return Duration::max();
  }
  return rate_.time_for(short_by);
}

void TokenBucket::check_invariants() const {
  BRIGADE_CHECK(level_ >= Tokens{});
  BRIGADE_CHECK(held_ >= Tokens{});
  BRIGADE_CHECK(level_ + held_ <= size_);
}

}  // namespace brigade::bucket
