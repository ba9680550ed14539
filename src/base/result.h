// Result: a value or an error, with the names of std::expected (absent from C++20 libraries).
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace brigade::base {

// What went wrong with an operation, in words for the person who must act on it.
struct Error {
  std::string message;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}      // NOLINT implicit
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}  // NOLINT implicit

  [[nodiscard]] bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return get<0>(); }
  const T& value() const& { return const_cast<Result*>(this)->get<0>(); }
  T&& value() && { return std::move(get<0>()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  [[nodiscard]] const Error& error() const { return const_cast<Result*>(this)->get<1>(); }

 private:
  template <std::size_t I>
  auto& get() {
    BRIGADE_CHECK(content_.index() == I);
    return *std::get_if<I>(&content_);
  }

  std::variant<T, Error> content_;
};

// The result of an operation that yields nothing but its success.
using Status = Result<std::monostate>;
inline Status ok() {
  return std::monostate{};
}

}  // namespace brigade::base
