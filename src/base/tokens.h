// Amounts and rates of tokens, in integers. Rounding always goes against over-admission:
// minting rounds down, costs and waits round up.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "base/time.h"
#include "base/wide.h"

namespace brigade::base {

// A signed amount in micro-tokens. Valid amounts stay within +-kMax so that sums cannot overflow.
class Tokens {
 public:
  static constexpr std::int64_t kMicro = 1'000'000;
  // 2^60 micro-tokens: about 1.15e12 tokens; the largest burst, rate per second or cost.
  static constexpr std::int64_t kMaxMicro = std::int64_t{1} << 60;

  constexpr Tokens() = default;
  [[nodiscard]] static constexpr Tokens micro(std::int64_t value) { return Tokens(value); }
  [[nodiscard]] static constexpr Tokens whole(std::int64_t value) { return Tokens(value * kMicro); }

  [[nodiscard]] constexpr std::int64_t micro() const { return micro_; }
  // Whole tokens, rounded towards minus infinity.
  [[nodiscard]] constexpr std::int64_t floor() const {
    return micro_ >= 0 ? micro_ / kMicro : -((-micro_ + kMicro - 1) / kMicro);
  }
  [[nodiscard]] constexpr double as_double() const { return static_cast<double>(micro_) / kMicro; }

  constexpr Tokens& operator+=(Tokens other) {
    micro_ += other.micro_;
    return *this;
  }
  constexpr Tokens& operator-=(Tokens other) {
    micro_ -= other.micro_;
    return *this;
  }
  friend constexpr Tokens operator+(Tokens a, Tokens b) { return Tokens(a.micro_ + b.micro_); }
  friend constexpr Tokens operator-(Tokens a, Tokens b) { return Tokens(a.micro_ - b.micro_); }
  friend constexpr Tokens operator-(Tokens a) { return Tokens(-a.micro_); }
  friend constexpr auto operator<=>(Tokens, Tokens) = default;

  // this * numerator / denominator, rounded down. Requires: denominator > 0.
  [[nodiscard]] constexpr Tokens scaled(std::int64_t numerator, std::int64_t denominator) const {
    const Wide product = static_cast<Wide>(micro_) * numerator;
    Wide quotient = product / denominator;
    if (product % denominator != 0 && product < 0) {
      --quotient;
    }
    return Tokens(static_cast<std::int64_t>(quotient));
  }

 private:
  constexpr explicit Tokens(std::int64_t value) : micro_(value) {}
  std::int64_t micro_ = 0;
};

// A rate in nano-tokens per second; a day's worth of one token is still 11574 of them.
class Rate {
 public:
  // 4.6e18 nano-tokens/s: 4.6e9 tokens/s.
  static constexpr std::int64_t kMaxNano = std::int64_t{1} << 62;

  constexpr Rate() = default;
  [[nodiscard]] static constexpr Rate nano_per_second(std::int64_t value) { return Rate(value); }
  [[nodiscard]] static constexpr Rate per_second(std::int64_t tokens) {
    return Rate(tokens * 1'000'000'000);
  }
  // `amount` per `period`, rounded down. Requires: period > 0.
  [[nodiscard]] static constexpr Rate of(Tokens amount, Duration period) {
    const Wide nano = static_cast<Wide>(amount.micro()) * 1000 * 1'000'000'000 / period.count();
    return Rate(nano > kMaxNano ? kMaxNano : static_cast<std::int64_t>(nano));
  }

  [[nodiscard]] constexpr std::int64_t nano_per_second() const { return nano_; }
  [[nodiscard]] constexpr double as_double() const { return static_cast<double>(nano_) / 1e9; }

  constexpr Rate& operator+=(Rate other) {
    nano_ += other.nano_;
    return *this;
  }
  constexpr Rate& operator-=(Rate other) {
    nano_ -= other.nano_;
    return *this;
  }
  friend constexpr Rate operator+(Rate a, Rate b) { return Rate(a.nano_ + b.nano_); }
  friend constexpr Rate operator-(Rate a, Rate b) { return Rate(a.nano_ - b.nano_); }
  friend constexpr Rate operator-(Rate a) { return Rate(-a.nano_); }
  friend constexpr auto operator<=>(Rate, Rate) = default;

  // this * numerator / denominator, rounded towards zero. Requires: denominator > 0.
  [[nodiscard]] constexpr Rate scaled(std::int64_t numerator, std::int64_t denominator) const {
    return Rate(static_cast<std::int64_t>(static_cast<Wide>(nano_) * numerator / denominator));
  }
  // This rate / (1 + rho), rounded down: what may be minted against a clock that may run fast.
  [[nodiscard]] constexpr Rate derated(Drift drift) const {
    return scaled(1'000'000, 1'000'000 + drift.ppm);
  }
  // What this rate yields in `elapsed`, rounded down, saturating at the largest amount.
  [[nodiscard]] constexpr Tokens over(Duration elapsed) const {
    // nano-tokens/s * ns / 1e12 = micro-tokens
    const Wide micro = static_cast<Wide>(nano_) * elapsed.count() / 1'000'000'000'000;
    return Tokens::micro(micro > Tokens::kMaxMicro ? Tokens::kMaxMicro
                                                   : static_cast<std::int64_t>(micro));
  }
  // How long this rate needs for `amount`, rounded up; Duration::max() when it never gets there.
  [[nodiscard]] constexpr Duration time_for(Tokens amount) const {
    if (amount <= Tokens{}) {
      return Duration::zero();
    }
    if (nano_ <= 0) {
      return Duration::max();
    }
    const Wide ns = (static_cast<Wide>(amount.micro()) * 1'000'000'000'000 + nano_ - 1) / nano_;
    return ns > Duration::max().count() ? Duration::max() : Duration(static_cast<std::int64_t>(ns));
  }

 private:
  constexpr explicit Rate(std::int64_t value) : nano_(value) {}
  std::int64_t nano_ = 0;
};

}  // namespace brigade::base
