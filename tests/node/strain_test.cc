#include "node/strain.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

TEST_CASE("one busy sample is no pressure, two in a row are") {
  Strain strain;
  strain.observe({.cpu = 1.0});
  CHECK_FALSE(strain.pressed());
  strain.observe({.cpu = 0.5});
  strain.observe({.cpu = 0.99});
  CHECK_FALSE(strain.pressed());
  strain.observe({.cpu = 0.96});
  CHECK(strain.pressed());
}

TEST_CASE("pressure ends well below where it began") {
  Strain strain;
  strain.observe({.cpu = 1.0});
  strain.observe({.cpu = 1.0});
  strain.observe({.cpu = 0.85});
  CHECK(strain.pressed());
  strain.observe({.cpu = 0.79});
  CHECK_FALSE(strain.pressed());
}

TEST_CASE("memory counts against its limit, and says nothing where none is known") {
  Strain strain;
  for (int i = 0; i < 3; ++i) {
    strain.observe({.memory_bytes = 1'000'000'000});
  }
  CHECK_FALSE(strain.pressed());
  for (int i = 0; i < 2; ++i) {
    strain.observe({.memory_bytes = 96, .memory_limit_bytes = 100});
  }
  CHECK(strain.pressed());
}

TEST_CASE("work that waits for the loop is pressure whatever the CPU says") {
  Strain strain;
  for (int i = 0; i < 2; ++i) {
    strain.observe({.cpu = 0.1, .queue_ms = 25});
  }
  CHECK(strain.pressed());
  strain.observe({.cpu = 0.1, .queue_ms = 1});
  CHECK_FALSE(strain.pressed());
}

}  // namespace
}  // namespace brigade::node
