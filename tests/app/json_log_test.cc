#include "app/json_log.h"

#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

namespace brigade::app {
namespace {

TEST_CASE("a line of the JSON log is one object, whatever its message says") {
  for (const std::string message :
       {R"(plain)", R"(peer "n2" said C:\temp {})", "two\nlines\tand \x01", "gr\xc3\xbc\xc3\x9f"}) {
    std::ostringstream out;
    spdlog::logger log("test", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
    log.set_formatter(json_log());
    log.warn("{}", message);
    const std::string line = out.str();
    REQUIRE(line.ends_with('\n'));
    CHECK(line.find('\n') == line.size() - 1);
    const auto object = nlohmann::json::parse(line, nullptr, false);
    REQUIRE_FALSE(object.is_discarded());
    CHECK(object["message"] == message);
    CHECK(object["level"] == "warning");
    CHECK(object["time"].get<std::string>().size() >= 28);
  }
}

}  // namespace
}  // namespace brigade::app
