#include "host/proc_text.h"

#include <doctest/doctest.h>

using namespace brigade::host;

TEST_SUITE("host/proc_text") {
  TEST_CASE("busy ticks leave out idle and iowait and count no guest twice") {
    const auto ticks = parse_machine_ticks(
        "cpu  100 10 30 800 50 5 4 1 60 6\ncpu0 50 5 15 400 25 2 2 0 30 3\nintr 1\n");
    REQUIRE(ticks);
    CHECK(ticks->busy == 150);
    CHECK(ticks->total == 1000);
    CHECK_FALSE(parse_machine_ticks("cpu 1 2 3\n"));
    CHECK_FALSE(parse_machine_ticks("cpu0 1 2 3 4 5 6 7 8\n"));
    CHECK_FALSE(parse_machine_ticks(""));
  }

  TEST_CASE("counts are whole numbers alone on their line") {
    CHECK(parse_count("42\n") == 42U);
    CHECK(parse_count("0") == 0U);
    CHECK_FALSE(parse_count("-1\n"));
    CHECK_FALSE(parse_count("max\n"));
    CHECK_FALSE(parse_count("42 7\n"));
    CHECK_FALSE(parse_count(""));
    CHECK_FALSE(parse_count("99999999999999999999\n"));
  }

  TEST_CASE("fields are found by their whole name, with or without a colon") {
    CHECK(parse_field("usage_usec 5\nuser_usec 3\n", "user_usec") == 3U);
    CHECK(parse_field("MemTotal:       2048 kB\nMemFree: 1 kB\n", "MemTotal") == 2048U);
    CHECK_FALSE(parse_field("usage_usec2 5\n", "usage_usec"));
    CHECK_FALSE(parse_field("usage_usec\n", "usage_usec"));
  }

  TEST_CASE("a cgroup's quota is a number of cores, max is none") {
    CHECK(parse_cpu_max("150000 100000\n") == 1.5);
    CHECK_FALSE(parse_cpu_max("max 100000\n"));
    CHECK_FALSE(parse_cpu_max("100 0\n"));
    CHECK_FALSE(parse_cpu_max(""));
  }

  TEST_CASE("network bytes are summed over interfaces without loopback") {
    const auto bytes = parse_net_dev(
        "Inter-|   Receive  |  Transmit\n"
        " face |bytes packets errs drop fifo frame compressed multicast|bytes packets\n"
        "    lo: 3193 29 0 0 0 0 0 0 3193 29 0 0 0 0 0 0\n"
        "  eth0: 1000 10 0 0 0 0 0 0 200 5 0 0 0 0 0 0\n"
        "eth1:7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0\n");
    REQUIRE(bytes);
    CHECK(bytes->in == 1007);
    CHECK(bytes->out == 208);
    CHECK_FALSE(parse_net_dev("one line\n"));
    CHECK_FALSE(parse_net_dev("a\nb\neth0: 1 2\n"));
  }

  TEST_CASE("pressure is the share of the last ten seconds") {
    CHECK(parse_pressure("some avg10=12.50 avg60=0.01 avg300=0.01 total=12762732\n"
                         "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n") == 0.125);
    CHECK_FALSE(parse_pressure("some avg10=nan avg60=0 avg300=0 total=0\n"));
    CHECK_FALSE(parse_pressure("some avg10=101 avg60=0 avg300=0 total=0\n"));
    CHECK_FALSE(parse_pressure("full avg10=1.00\n"));
  }

  TEST_CASE("resident pages are the second number") {
    CHECK(parse_resident_pages("765 424 396 5 0 123 0\n") == 424U);
    CHECK_FALSE(parse_resident_pages("765\n"));
  }

  TEST_CASE("cgroup paths of both versions are told apart") {
    const CgroupPaths v1 =
        parse_cgroup_paths("4:memory:/box\n2:cpu,cpuacct:/a/b\n0::/u\nrubbish\n");
    CHECK(v1.memory == "/box");
    CHECK(v1.cpu == "/a/b");
    CHECK(v1.cpuacct == "/a/b");
    CHECK(v1.unified == "/u");
    CHECK(parse_cgroup_paths("").unified.empty());
  }
}
