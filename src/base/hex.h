// Hexadecimal digits, and ids as people and the wire's peers read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace brigade::base {

// The lowest `digits` digits of a value; two of each byte.
std::string hex(std::uint64_t value, int digits);
std::string hex(std::string_view bytes);

// Twelve digits; thirty-two.
std::string text(NodeId id);
std::string text(const ClusterId& id);

}  // namespace brigade::base
