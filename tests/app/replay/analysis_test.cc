#include "app/replay/analysis.h"

#include <doctest/doctest.h>

namespace brigade::replay {
namespace {

constexpr auto ms = &base::milliseconds;

Attempt attempt(std::int64_t at_ms, Fate fate, std::int64_t cost = 1, std::uint16_t node = 0) {
  return {.due = ms(at_ms),
          .sent = ms(at_ms),
          .received = ms(at_ms + 1),
          .cost = Tokens::whole(cost),
          .node = node,
          .fate = fate,
          .source = Source::kLocal};
}

Terms terms(std::int64_t rate, std::int64_t burst, bool per_key = false) {
  return {.rate = Rate::per_second(rate), .burst = Tokens::whole(burst), .per_key = per_key};
}

TEST_SUITE("app/replay/analysis") {
  TEST_CASE("offered is the sum of what was admitted, refused and failed") {
    std::vector<Attempt> attempts;
    for (const Fate fate : {Fate::kAdmitted, Fate::kRefused, Fate::kErrorReply, Fate::kUnanswered,
                            Fate::kNodeDown, Fate::kOverflow, Fate::kNotSent}) {
      attempts.push_back(attempt(0, fate, 3));
    }
    attempts[0].source = Source::kBorrowed;
    const Findings findings = analyse(attempts, 2, terms(1, 100));
    const Tally& tally = findings.tally;
    CHECK(tally.offered == Count{.requests = 6, .tokens = Tokens::whole(18)});
    CHECK(tally.admitted.tokens == Tokens::whole(3));
    CHECK(tally.errors() == Count{.requests = 4, .tokens = Tokens::whole(12)});
    CHECK(findings.admitted_by_source[1].requests == 1);
    CHECK(findings.nodes[0].tally.offered.requests == 6);
    CHECK(findings.nodes[1].tally.offered.requests == 0);
  }

  TEST_CASE("central admits what one bucket that starts full would have at the send times") {
    // Ten at once against a burst of four, then three after half a second at 4/s.
    std::vector<Attempt> attempts(10, attempt(0, Fate::kRefused));
    attempts.insert(attempts.end(), 3, attempt(500, Fate::kRefused));
    const Findings findings = analyse(attempts, 1, terms(4, 4));
    CHECK(findings.central_admitted.requests == 6);
    CHECK(findings.tally.refused.requests == 13);
  }

  TEST_CASE("requests without an answer count only in the yardstick of all") {
    std::vector<Attempt> attempts(4, attempt(0, Fate::kNodeDown));
    attempts.insert(attempts.end(), 4, attempt(0, Fate::kUnanswered));
    attempts.insert(attempts.end(), 4, attempt(1, Fate::kAdmitted));
    const Findings findings = analyse(attempts, 1, terms(1, 10));
    CHECK(findings.central_admitted.requests == 4);
    CHECK(findings.central_admitted_of_all.requests == 10);
  }

  TEST_CASE("static parts cannot serve a skewed load") {
    std::vector<Attempt> attempts;
    for (int i = 0; i < 8; ++i) {
      attempts.push_back(attempt(0, Fate::kAdmitted, 1, i < 7 ? 0 : 1));
    }
    const Findings findings = analyse(attempts, 2, terms(10, 8));
    CHECK(findings.central_admitted.requests == 8);
    CHECK(findings.static_admitted.requests == 5);
    CHECK(findings.worst.over <= Tokens{});
  }

  TEST_CASE("per key, every key has a bucket of its own") {
    std::vector<Attempt> attempts(6, attempt(0, Fate::kAdmitted));
    for (std::size_t i = 3; i < 6; ++i) {
      attempts[i].key = 1;
    }
    attempts.push_back(attempts.back());
    const Findings shared = analyse(attempts, 1, terms(1, 3));
    CHECK(shared.central_admitted.requests == 3);
    CHECK(shared.worst.over > Tokens::whole(3));
    const Findings keyed = analyse(attempts, 1, terms(1, 3, true));
    CHECK(keyed.central_admitted.requests == 6);
    CHECK(keyed.worst_key == 1);
    // Four against a burst of three, and what a millisecond mints.
    CHECK(keyed.worst.over == Tokens::micro(999'000));
  }

  TEST_CASE("an unanswered request is not admitted as far as the bound goes") {
    std::vector<Attempt> attempts(5, attempt(0, Fate::kUnanswered));
    CHECK(analyse(attempts, 1, terms(1, 2)).worst.over == Tokens::whole(-2));
  }

  TEST_CASE("latency runs from send to receipt, lag from due to send") {
    std::vector<Attempt> attempts;
    for (int i = 1; i <= 1000; ++i) {
      attempts.push_back(attempt(i, Fate::kAdmitted));
      attempts.back().sent += ms(2);
      attempts.back().received = attempts.back().sent + ms(i);
    }
    const Findings findings = analyse(attempts, 1, terms(1, 2));
    CHECK(findings.latency.p50 == ms(500));
    CHECK(findings.latency.p99 == ms(990));
    CHECK(findings.latency.p999 == ms(999));
    CHECK(findings.nodes[0].latency.p99 == ms(990));
    CHECK(findings.lag.p50 == ms(2));
    CHECK(findings.duration == ms(1000 + 2 + 1000 - 1));
  }

  TEST_CASE("nothing sent is nothing found") {
    const Findings findings = analyse({}, 3, terms(1, 2));
    CHECK(findings.tally.offered.requests == 0);
    CHECK(findings.duration == Duration(0));
    CHECK(findings.latency.p99 == Duration(0));
  }
}

}  // namespace
}  // namespace brigade::replay
