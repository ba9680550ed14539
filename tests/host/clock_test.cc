#include "host/clock.h"

#include <doctest/doctest.h>

using brigade::base::Duration;
using brigade::base::Instant;
using brigade::base::milliseconds;
using brigade::base::seconds;
using brigade::host::Clock;
using brigade::host::ClockLines;
using brigade::host::ClockReading;

namespace {

// Clocks that a test turns by hand.
struct Machine {
  ClockReading reading{.boot = seconds(100), .raw = seconds(40), .suspended = seconds(0)};

  void pass(Duration raw, Duration boot) {
    reading.raw += raw;
    reading.boot += boot;
  }
  void sleep(Duration length) {
    reading.boot += length;
    reading.suspended += length;
  }
};

Duration gap(const Instant& instant) {
  return instant.fast - instant.slow;
}

}  // namespace

TEST_SUITE("host/clock") {
  TEST_CASE("both lines start together and stay together while the clocks agree") {
    Machine machine;
    ClockLines lines(machine.reading);
    const Instant first = lines.advance(machine.reading);
    CHECK(first.slow == first.fast);
    machine.pass(seconds(5), seconds(5));
    const Instant second = lines.advance(machine.reading);
    CHECK(second.slow - first.slow == seconds(5));
    CHECK(gap(second) == Duration::zero());
  }

  TEST_CASE("slow follows the laggard and fast the leader, whichever clock that is") {
    Machine machine;
    ClockLines lines(machine.reading);
    const Instant start = lines.advance(machine.reading);
    machine.pass(seconds(1), milliseconds(1100));  // BOOTTIME slewed forward
    lines.advance(machine.reading);
    machine.pass(seconds(1), milliseconds(900));  // and back again
    const Instant end = lines.advance(machine.reading);
    // The sums agree, 2 s each; yet every interval counted its least and its most.
    CHECK(end.slow - start.slow == milliseconds(1900));
    CHECK(end.fast - start.fast == milliseconds(2100));
  }

  TEST_CASE("suspension counts on both lines") {
    Machine machine;
    ClockLines lines(machine.reading);
    const Instant start = lines.advance(machine.reading);
    machine.sleep(seconds(3600));
    machine.pass(seconds(1), seconds(1));
    const Instant end = lines.advance(machine.reading);
    CHECK(end.slow - start.slow == seconds(3601));
    CHECK(gap(end) == Duration::zero());
  }

  TEST_CASE("jitter of the suspended time is not taken for sleep") {
    Machine machine;
    ClockLines lines(machine.reading);
    const Instant start = lines.advance(machine.reading);
    for (int i = 0; i < 1000; ++i) {
      machine.reading.suspended = Duration(i % 2 == 0 ? 40 : -40);
      machine.pass(milliseconds(1), milliseconds(1));
      lines.advance(machine.reading);
    }
    CHECK(lines.advance(machine.reading).slow - start.slow == seconds(1));
  }

  TEST_CASE("a glance errs by an eighth of the window at most and on the safe side") {
    Machine machine;
    ClockLines lines(machine.reading);
    const Instant start = lines.advance(machine.reading);
    const Duration boot = machine.reading.boot + std::chrono::microseconds(800);
    REQUIRE(lines.glance_suffices(boot));
    const Instant glance = lines.glance(boot);
    CHECK(glance.slow - start.slow == std::chrono::microseconds(700));
    CHECK(glance.fast - start.fast == std::chrono::microseconds(900));
    // The next full reading corrects both, and fast does not go back for it.
    machine.pass(std::chrono::microseconds(810), std::chrono::microseconds(810));
    const Instant full = lines.advance(machine.reading);
    CHECK(full.slow - start.slow == std::chrono::microseconds(810));
    CHECK(full.fast == glance.fast);
    machine.pass(milliseconds(1), milliseconds(1));
    CHECK(gap(lines.advance(machine.reading)) == Duration::zero());
  }

  TEST_CASE("a glance does not reach beyond the window, nor over a sleep") {
    Machine machine;
    ClockLines lines(machine.reading);
    CHECK_FALSE(lines.glance_suffices(machine.reading.boot + ClockLines::kWindow));
    CHECK_FALSE(lines.glance_suffices(machine.reading.boot - Duration(1)));
    machine.sleep(seconds(1));
    CHECK_FALSE(lines.glance_suffices(machine.reading.boot));
  }

  TEST_CASE("the machine's own clock is monotone and its lines stay close") {
    Clock clock;
    Instant last = clock.now();
    const Instant first = last;
    for (int i = 0; i < 200'000; ++i) {
      const Instant now = clock.now();
      REQUIRE(now.slow >= last.slow);
      REQUIRE(now.fast >= last.fast);
      REQUIRE(now.slow <= now.fast);
      last = now;
    }
    CHECK(last.slow > first.slow);
    CHECK(Clock::wall_ms() > 1'600'000'000'000);
  }
}
