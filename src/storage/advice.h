// What to tell the person whose disk it is: what is wrong and what to do about it.
#pragma once

#include <string>

#include "base/result.h"

namespace brigade::storage {

// An operating system's error code about a path.
base::Error advise(int code, const std::string& path);
base::Error advise_full(const std::string& path);
base::Error advise_in_use(const std::string& path);
// What the node kept there cannot be trusted any more; `what` says why.
base::Error advise_damaged(const std::string& path, const std::string& what);

}  // namespace brigade::storage
