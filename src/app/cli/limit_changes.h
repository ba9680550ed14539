// What applying a limits file changes, for people.
#pragma once

#include <span>
#include <string>

#include "bucket/limit_spec.h"

namespace brigade::cli {

// A line each for what is created, changed and, with `prune`, deleted; nothing for what stays.
std::string changes_text(std::span<const bucket::LimitSpec> before,
                         std::span<const bucket::LimitSpec> applied, bool prune);

}  // namespace brigade::cli
