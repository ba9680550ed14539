// CL.THROTTLE's five numbers are redis-cell's, and what is said of transactions.
#include <string>

#include <doctest/doctest.h>

#include "tests/api/redis_asking.h"

namespace brigade::api {
namespace {

using base::Tokens;
using node::Decision;
using node::Verdict;

Decision left(Verdict verdict, Tokens remaining, std::int64_t burst) {
  return {.verdict = verdict, .remaining = remaining, .burst = Tokens::whole(burst)};
}

std::string reset_of(const std::string& words, Tokens remaining, std::int64_t burst) {
  Asking asking;
  asking.desk.next = left(Verdict::kAdmitted, remaining, burst);
  const std::string said = asking.say("CL.THROTTLE " + words);
  const std::size_t at = said.rfind(':');
  return at == std::string::npos ? said : said.substr(at + 1, said.size() - at - 3);
}

TEST_CASE("a bucket is full again after whole seconds when it is exactly that") {
  CHECK(reset_of("user1 15 30 60", Tokens::whole(15), 16) == "2");
  CHECK(reset_of("user1 15 30 60", Tokens::whole(14), 16) == "4");
  CHECK(reset_of("user1 0 1 86400", Tokens{}, 1) == "86400");  // a rate of no whole nano-tokens
  CHECK(reset_of("user1 0 1 3162240000", Tokens{}, 1) == "3162240000");
  // A micro-token that minting has rounded off is no second; a hundredth of a second is.
  CHECK(reset_of("user1 15 30 60", Tokens::micro(14'999'999), 16) == "2");
  CHECK(reset_of("user1 15 30 60", Tokens::micro(14'995'000), 16) == "3");
}

TEST_CASE("only a full bucket is full in no time") {
  CHECK(reset_of("user1 15 30 60", Tokens::whole(16), 16) == "0");
  CHECK(reset_of("user1 999 100000 1", Tokens::whole(999), 1000) == "1");
}

TEST_CASE("when a retry can succeed is never told too early") {
  Asking asking;
  Decision refused = left(Verdict::kRefused, Tokens{}, 16);
  refused.retry_after = base::milliseconds(2002);  // two seconds, by a clock that may run fast
  asking.desk.next = refused;
  CHECK(asking.say("CL.THROTTLE user1 15 30 60") == "*5\r\n:1\r\n:16\r\n:0\r\n:3\r\n:32\r\n");
}

TEST_CASE("a quantity above the bucket is refused for good, beside what is there") {
  Asking asking;
  asking.desk.next = left(Verdict::kNever, Tokens::whole(16), 16);
  CHECK(asking.say("CL.THROTTLE user1 15 30 60 17") == "*5\r\n:1\r\n:16\r\n:16\r\n:-1\r\n:0\r\n");
}

TEST_CASE("a decision that was waited for is told in the numbers of its own command") {
  Asking asking;
  CHECK(asking.say("CL.THROTTLE a 15 30 60\r\nCL.THROTTLE a 15 1 60").empty());
  asking.desk.next = left(Verdict::kAdmitted, Tokens::whole(14), 16);
  REQUIRE(asking.desk.parked.size() == 1);
  asking.session.decided(asking.desk.parked.front().token,
                         left(Verdict::kAdmitted, Tokens::whole(15), 16));
  CHECK(asking.session.output() ==
        "*5\r\n:0\r\n:16\r\n:15\r\n:-1\r\n:2\r\n*5\r\n:0\r\n:16\r\n:14\r\n:-1\r\n:120\r\n");
}

TEST_CASE("nothing that follows MULTI is run, up to EXEC or DISCARD") {
  Asking asking;
  asking.desk.next = Decision{.verdict = Verdict::kAdmitted};
  CHECK(asking.say("MULTI").starts_with("-ERR there are no transactions here"));
  for (const char* command : {"BRIGADE.ACQUIRE api", "CL.THROTTLE a 1 1 1", "MULTI", "PING"}) {
    CHECK(asking.say(command).starts_with("-ERR not run"));
  }
  CHECK(asking.desk.asked.empty());
  CHECK(asking.say("EXEC").starts_with("-EXECABORT "));
  asking.say("BRIGADE.ACQUIRE api");
  CHECK(asking.desk.asked.size() == 1);
  asking.say("multi");
  CHECK(asking.say("discard") == "+OK\r\n");
  asking.say("BRIGADE.ACQUIRE api");
  CHECK(asking.desk.asked.size() == 2);
  asking.say("MULTI");
  CHECK(asking.say("RESET") == "+RESET\r\n");
  CHECK(asking.say("PING") == "+PONG\r\n");
  CHECK(asking.say("EXEC").starts_with("-ERR unknown command"));
}

}  // namespace
}  // namespace brigade::api
