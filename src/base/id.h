// Strong identifiers: compare, hash, print; no arithmetic, no implicit conversion either way.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace brigade::base {

template <class Tag, class Rep = std::uint64_t>
class Id {
 public:
  using rep = Rep;

  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}

  [[nodiscard]] constexpr Rep value() const { return value_; }
  // False for the zero id, which stands for "none" everywhere.
  [[nodiscard]] constexpr explicit operator bool() const { return value_ != 0; }

  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  Rep value_ = 0;
};

}  // namespace brigade::base

template <class Tag, class Rep>
struct std::hash<brigade::base::Id<Tag, Rep>> {
  std::size_t operator()(brigade::base::Id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
