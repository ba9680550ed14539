// Cap'n Proto 0.9 compares a C string with a StringPtr in its headers. In C++20, kj hides that
// comparison, and clang 16 and later refuse what is hidden.
#pragma once

#include <kj/string.h>

namespace kj {
inline bool operator==(const char* a, const StringPtr& b) {
  return b == StringPtr(a);
}
}  // namespace kj
