// Counts what this program allocates: operator new is replaced.
#pragma once

#include <cstdint>

namespace brigade::bench {

// Calls of any operator new so far.
std::uint64_t allocations();

}  // namespace brigade::bench
