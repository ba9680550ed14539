#include "net/address.h"

#include <doctest/doctest.h>

using namespace brigade::net;

TEST_SUITE("net/address") {
  TEST_CASE("names, numbers and bracketed IPv6 addresses are understood") {
    CHECK(parse_host_port("n1.example:7420").value() == HostPort{"n1.example", 7420});
    CHECK(parse_host_port("127.0.0.1:0").value() == HostPort{"127.0.0.1", 0});
    CHECK(parse_host_port("[::1]:65535").value() == HostPort{"::1", 65535});
    CHECK(parse_host_port(":7420").value() == HostPort{"0.0.0.0", 7420});
  }

  TEST_CASE("what is no address is refused with the text in the message") {
    for (const char* text : {"", "host", "host:", "host:port", "host:65536", "host:-1", "::1:7420",
                             "[host]:1", "[]:1", "a b:1", "a,b:1", "host:1 ", "a\nb:1"}) {
      const auto result = parse_host_port(text);
      REQUIRE_FALSE(result);
      CHECK(result.error().message.find(text) != std::string::npos);
    }
    CHECK_FALSE(parse_host_port(std::string(254, 'a') + ":1"));
  }

  TEST_CASE("an address reads as it is written") {
    for (const char* text : {"n1:7420", "[fe80::1]:80", "10.1.2.3:1"}) {
      CHECK(parse_host_port(text).value().text() == text);
    }
  }

  TEST_CASE("others are told the bound address unless it is every interface") {
    CHECK(advertised_address({"10.0.0.1", 7420}, "").value() == HostPort{"10.0.0.1", 7420});
    const auto missing = advertised_address({"0.0.0.0", 7420}, "");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message.find("--advertise") != std::string::npos);
    CHECK_FALSE(advertised_address({"0.0.0.0", 7420}, "0.0.0.0:7420"));
    CHECK_FALSE(advertised_address({"0.0.0.0", 7420}, "n1:x"));
  }

  TEST_CASE("an advertised address without a port means the bound one") {
    CHECK(advertised_address({"0.0.0.0", 7420}, "n1").value() == HostPort{"n1", 7420});
    CHECK(advertised_address({"0.0.0.0", 7420}, "n1:0").value() == HostPort{"n1", 7420});
    CHECK(advertised_address({"0.0.0.0", 7420}, "n1:9").value() == HostPort{"n1", 9});
  }

  TEST_CASE("loopback and wildcard are told apart") {
    CHECK(is_loopback("127.0.0.5"));
    CHECK(is_loopback("localhost"));
    CHECK_FALSE(is_loopback("10.0.0.1"));
    CHECK(is_wildcard("::"));
    CHECK_FALSE(is_wildcard("::1"));
  }
}
