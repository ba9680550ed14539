// How many files and connections this process may have open.
#pragma once

#include <cstddef>

namespace brigade::host {

// Raises the soft limit to `wanted`, or to the hard limit when that is lower; what holds now.
std::size_t raise_file_limit(std::size_t wanted);

}  // namespace brigade::host
