// What bytes from elsewhere may say: every amount, rate, time and choice that is read passes here.
// The first thing that is wrong is remembered, the rest is read as zeros; the caller looks once, at
// the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "base/tokens.h"

namespace brigade::wire {

// The most elements of any list: what is decoded stays within a small multiple of what arrived.
constexpr std::size_t kItemsMax = std::size_t{1} << 17U;
// Times that enter arithmetic: a century, so that sums cannot overflow.
constexpr base::Duration kSpanMax = base::seconds(std::int64_t{100} * 366 * 86'400);
// Terms and indices of logs: nobody gets so far, and there is always a next one.
constexpr std::uint64_t kOrdinalMax = std::uint64_t{1} << 60U;

class Checks {
 public:
  [[nodiscard]] bool ok() const { return wrong_.empty(); }
  [[nodiscard]] base::Error error() const { return {wrong_}; }

  // Remembers what is wrong, unless something was already.
  void refuse(std::string what) {
    if (wrong_.empty()) {
      wrong_ = std::move(what);
    }
  }
  void expect(bool holds, const char* what) {
    if (!holds) {
      refuse(what);
    }
  }
  // A union member or enumerant that this version does not know.
  void refuse_unknown(const char* what, std::uint64_t number) {
    refuse("unknown " + std::string(what) + " " + std::to_string(number) +
           ": the sender runs a newer version");
  }

  base::Tokens tokens(std::int64_t micro) {
    const bool fits = micro >= -base::Tokens::kMaxMicro && micro <= base::Tokens::kMaxMicro;
    expect(fits, "an amount is out of range");
    return base::Tokens::micro(fits ? micro : 0);
  }
  // An amount that somebody holds: never negative.
  base::Tokens held(std::int64_t micro) {
    expect(micro >= 0, "an amount is negative");
    return tokens(micro < 0 ? 0 : micro);
  }
  base::Rate rate(std::int64_t nano) {
    const bool fits = nano >= -base::Rate::kMaxNano && nano <= base::Rate::kMaxNano;
    expect(fits, "a rate is out of range");
    return base::Rate::nano_per_second(fits ? nano : 0);
  }
  // A time of 0 .. kSpanMax.
  base::Duration span(std::int64_t ns) {
    const bool fits = ns >= 0 && ns <= kSpanMax.count();
    expect(fits, "a time is out of range");
    return base::Duration(fits ? ns : 0);
  }
  // A time of at least 0 that is only told on; Duration::max() says never.
  base::Duration wait(std::int64_t ns) {
    expect(ns >= 0, "a time is out of range");
    return base::Duration(ns < 0 ? 0 : ns);
  }
  std::uint64_t ordinal(std::uint64_t number) {
    expect(number <= kOrdinalMax, "a term or index is out of range");
    return number <= kOrdinalMax ? number : 0;
  }
  // An enumerant up to `last`, the same number on both sides.
  template <class To, class From>
  To choice(From from, To last, const char* what) {
    const auto number = static_cast<std::uint16_t>(from);
    if (number > static_cast<std::uint16_t>(last)) {
      refuse_unknown(what, number);
      return To{};
    }
    return static_cast<To>(number);
  }
  // How many elements of a list to read.
  std::size_t items(std::size_t count) {
    expect(count <= kItemsMax, "a list is too long");
    return count <= kItemsMax ? count : 0;
  }

 private:
  std::string wrong_;
};

}  // namespace brigade::wire
