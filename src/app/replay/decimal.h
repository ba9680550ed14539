// Decimal texts as scaled integers, without the detour through floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace brigade::replay {

// "12", "12.5", ".5", "12." times 10^decimals; digits after the last that counts are dropped when
// `drops`, otherwise an error. nullopt for anything else, also for a sign, and above 2^62.
std::optional<std::int64_t> parse_scaled(std::string_view text, int decimals, bool drops);

}  // namespace brigade::replay
