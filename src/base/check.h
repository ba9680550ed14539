// CHECK: invariants that no bytes from outside can break. Always on; prints where and aborts.
#pragma once

namespace brigade::base {

// Prints the condition and place to stderr and aborts. Never returns.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace brigade::base

#define BRIGADE_CHECK(condition)                                     \
  do {                                                               \
    if (!(condition)) [[unlikely]] {                                 \
      ::brigade::base::check_failed(#condition, __FILE__, __LINE__); \
    }                                                                \
  } while (false)
