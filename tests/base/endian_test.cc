#include "base/endian.h"

#include <doctest/doctest.h>

using namespace brigade::base;

TEST_SUITE("base/endian") {
  TEST_CASE("bytes are in the order that the name says") {
    std::string out;
    append_le(out, std::uint32_t{0x01020304});
    append_be(out, std::uint16_t{0xfffe});
    CHECK(out == std::string("\x04\x03\x02\x01\xff\xfe", 6));
    CHECK(load_le<std::uint32_t>(out) == 0x01020304);
    CHECK(load_be<std::uint16_t>(out, 4) == 0xfffe);
  }

  TEST_CASE("the extremes survive both orders") {
    for (const std::uint64_t value :
         {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
      std::string out;
      append_le(out, value);
      append_be(out, value);
      CHECK(load_le<std::uint64_t>(out) == value);
      CHECK(load_be<std::uint64_t>(out, 8) == value);
    }
  }

  TEST_CASE("big-endian keys sort as their numbers do") {
    std::string low;
    std::string high;
    append_be(low, std::uint64_t{255});
    append_be(high, std::uint64_t{256});
    CHECK(low < high);
  }

  TEST_CASE("reading beyond the end is noticed once and for all") {
    FieldReader reader(std::string_view("\x01\x00\x02", 3));
    CHECK(reader.le<std::uint16_t>() == 1);
    CHECK(reader.le<std::uint16_t>() == 0);
    CHECK_FALSE(reader.ok());
    CHECK(reader.bytes(1).empty());
    CHECK_FALSE(reader.ok());
  }
}
