// Limits as text: the YAML that operators write (interface.md, limits file) and HTTP bodies, since
// JSON is a subset of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bucket/limit_spec.h"

namespace brigade::api {

// Reads `limits: [...]`. The whole text is checked: unknown and repeated keys, repeated names and
// senseless values are errors that name `source`, the line, and what was expected.
base::Result<std::vector<bucket::LimitSpec>> read_limits(std::string_view text,
                                                         const std::string& source);

// "1000/s", "600/m", "90/30s", "10/1.5s" as tokens per second; > 0.
base::Result<base::Rate> read_rate(std::string_view text);

}  // namespace brigade::api
