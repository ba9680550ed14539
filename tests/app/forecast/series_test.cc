#include "app/forecast/series.h"

#include <sstream>
#include <string>

#include <doctest/doctest.h>

namespace brigade::forecast {
namespace {

base::Result<Series> read(const std::string& text) {
  std::istringstream in(text);
  return read_series(in, "s.csv");
}

TEST_CASE("a series is read as it was recorded") {
  const auto series = read("t_s,value\n0,1.5\n60,2\n120,0\n");
  REQUIRE(series);
  CHECK(series->step_s == 60);
  CHECK(series->values == std::vector<double>{1.5, 2, 0});
  CHECK(series->gaps == 0);
}

TEST_CASE("a missing sample repeats the one before it") {
  const auto series = read("t_s,value\r\n0,5\r\n10,\r\n20,7\r\n50,8\r\n");
  REQUIRE(series);
  CHECK(series->values == std::vector<double>{5, 5, 7, 7, 7, 8});
  CHECK(series->gaps == 3);
}

TEST_CASE("what is no series is refused with file, line and what was expected") {
  CHECK(read("").error().message.find("no sample") != std::string::npos);
  CHECK(read("a,b\n").error().message == "s.csv:1: expected the header t_s,value");
  CHECK(read("t_s,value\n0;1\n").error().message.starts_with("s.csv:2: expected t_s,value"));
  CHECK(read("t_s,value\n0,-1\n").error().message.starts_with("s.csv:2: expected a value"));
  CHECK(read("t_s,value\n0,nan\n").error().message.starts_with("s.csv:2: expected a value"));
  CHECK(read("t_s,value\n0,1\n0,1\n").error().message.starts_with("s.csv:3: expected equidistant"));
  CHECK(read("t_s,value\n0,1\n5,1\n8,1\n")
            .error()
            .message.starts_with("s.csv:4: expected equidistant"));
  CHECK(read("t_s,value\n0,1\n1,1\n1e12,1\n").error().message.starts_with("s.csv:4: more than"));
}

}  // namespace
}  // namespace brigade::forecast
