#include "host/entropy.h"

#include <set>

#include <doctest/doctest.h>

using namespace brigade;

TEST_SUITE("host/entropy") {
  TEST_CASE("node ids are 48 bits, not zero and not repeated") {
    std::set<base::NodeId> seen;
    for (int i = 0; i < 1000; ++i) {
      const base::NodeId id = host::draw_node_id();
      CHECK(id);
      CHECK(id.value() < (std::uint64_t{1} << 48));
      seen.insert(id);
    }
    CHECK(seen.size() == 1000);
  }

  TEST_CASE("boots and seeds differ each time") {
    CHECK(host::draw_boot() != host::draw_boot());
    CHECK(host::draw_seed() != host::draw_seed());
  }
}
