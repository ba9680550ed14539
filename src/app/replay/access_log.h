// One line of an access log in the common or combined format.
// Source: Apache HTTP Server, mod_log_config ("%h %l %u %t ...").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace brigade::replay {

struct LogLine {
  std::string_view host;    // points into the line
  std::int64_t second = 0;  // since the epoch, UTC
};

// `host ident user [10/Oct/2000:13:55:36 -0700] ...`; what follows the time is not looked at.
// nullopt for anything else and for times before the epoch.
std::optional<LogLine> parse_log_line(std::string_view line);

}  // namespace brigade::replay
