#include "base/hex.h"

#include <doctest/doctest.h>

namespace brigade::base {
namespace {

TEST_CASE("values have as many digits as are asked for, bytes have two each") {
  CHECK(hex(std::uint64_t{0xabc}, 6) == "000abc");
  CHECK(hex(std::uint64_t{0xabc}, 2) == "bc");
  CHECK(hex(~std::uint64_t{0}, 16) == "ffffffffffffffff");
  CHECK(hex(std::string_view("\x00\xff\x1a", 3)) == "00ff1a");
}

TEST_CASE("ids keep their leading zeros") {
  CHECK(text(NodeId(0x0a)) == "00000000000a");
  CHECK(text(ClusterId{1, 2}) == "00000000000000010000000000000002");
}

}  // namespace
}  // namespace brigade::base
