#include "app/cli/table.h"

#include <limits>

#include <doctest/doctest.h>

namespace brigade::cli {
namespace {

TEST_CASE("columns are as wide as their widest cell and lines have no blanks at their end") {
  Table table({{"NAME"}, {"N", Align::kRight}, {"LAST"}});
  CHECK(table.empty());
  table.row({"a", "1", "x"});
  table.row({"longer", "1000", ""});
  CHECK(!table.empty());
  CHECK(table.text() ==
        "NAME       N  LAST\n"
        "a          1  x\n"
        "longer  1000\n");
  CHECK(table.text("  ").starts_with("  NAME"));
}

TEST_CASE("width counts characters, and missing cells are empty") {
  Table table({{"A"}, {"B"}});
  table.row({"\xC3\xA9\xC3\xA9\xC3\xA9", "x"});
  table.row({"abc", "y"});
  table.row({});
  CHECK(table.text() ==
        "A    B\n"
        "\xC3\xA9\xC3\xA9\xC3\xA9  x\n"
        "abc  y\n"
        "\n");
}

TEST_CASE("control characters never reach the terminal") {
  Table table({{"A"}});
  table.row({"a\x1b[31m\n"});
  CHECK(table.text() == "A\na?[31m?\n");
  CHECK(printable("\x7F\xC3\xA9") == "?\xC3\xA9");
}

TEST_CASE("numbers have as many decimals as matter") {
  CHECK(number_text(0) == "0");
  CHECK(number_text(-0.0001) == "0");
  CHECK(number_text(12) == "12");
  CHECK(number_text(0.25) == "0.25");
  CHECK(number_text(1.0 / 3) == "0.333");
  CHECK(number_text(1234.56) == "1234.6");
  CHECK(number_text(1e12) == "1000000000000");
  CHECK(number_text(-2.5) == "-2.5");
  CHECK(number_text(std::numeric_limits<double>::quiet_NaN()) == "-");
  CHECK(number_text(std::numeric_limits<double>::infinity()) == "-");
  CHECK(number_text(std::numeric_limits<double>::max()).size() == 309);
}

TEST_CASE("sizes and spans use the unit that fits") {
  CHECK(percent_text(0.69192) == "69.2%");
  CHECK(percent_text(1) == "100%");
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(bytes_text(3.0 * 1024 * 1024 * 1024) == "3 GiB");
  CHECK(span_text(0.9) == "0s");
  CHECK(span_text(45) == "45s");
  CHECK(span_text(180) == "3m");
  CHECK(span_text(192) == "3m12s");
  CHECK(span_text(7500) == "2h5m");
  CHECK(span_text(4 * 86'400 + 3 * 3600) == "4d3h");
  CHECK(span_text(-1) == "-");
  CHECK(milliseconds_text(150) == "150ms");
  CHECK(milliseconds_text(1500) == "1.5s");
  CHECK(milliseconds_text(60'001) == "1m1s");
  CHECK(milliseconds_text(std::numeric_limits<double>::infinity()) == "-");
}

TEST_CASE("texts are joined with commas, nothing is a dash") {
  CHECK(joined({}) == "");
  CHECK(joined({"a"}) == "a");
  CHECK(joined({"a", "b"}) == "a, b");
  CHECK(or_dash("") == "-");
  CHECK(or_dash("a") == "a");
}

}  // namespace
}  // namespace brigade::cli
