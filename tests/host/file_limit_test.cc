#include "host/file_limit.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

using namespace brigade;

TEST_CASE("the soft limit is raised as far as the hard one allows, and never lowered") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit low{.rlim_cur = 64, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  CHECK(host::raise_file_limit(100) == 100);
  CHECK(host::raise_file_limit(80) == 100);
  CHECK(host::raise_file_limit(static_cast<std::size_t>(before.rlim_max)) == before.rlim_max);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
}
