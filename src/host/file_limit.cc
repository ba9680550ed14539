#include "host/file_limit.h"

#include <algorithm>

#include <sys/resource.h>

namespace brigade::host {

std::size_t raise_file_limit(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  const rlim_t goal = std::min<rlim_t>(wanted, limit.rlim_max);
  if (limit.rlim_cur < goal) {
    const rlimit raised{.rlim_cur = goal, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
      return goal;
    }
  }
  return limit.rlim_cur;
}

}  // namespace brigade::host
