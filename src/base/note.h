// Note: what a core did, for people and checkers. Cores emit notes instead of logging: the driver
// logs them, the simulator hashes them, scenario tests print them.
#pragma once

#include <cstdint>

namespace brigade::base {

struct Note {
  const char* event = "";  // a string literal: the event's name, lower case, words joined by '-'
  std::uint64_t a = 0;     // up to three ids or amounts; their meaning is documented at the event
  std::uint64_t b = 0;
  std::uint64_t c = 0;
};

}  // namespace brigade::base
