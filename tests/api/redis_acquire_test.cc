// What the Redis protocol's door makes of an acquire, and what it says of mistakes.
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/api/redis_asking.h"

namespace brigade::api {
namespace {

using base::Tokens;
using node::Decision;
using node::Verdict;

std::string answer(const Decision& decision) {
  Asking asking;
  asking.desk.next = decision;
  return asking.say("BRIGADE.ACQUIRE api");
}

TEST_CASE("an acquire's options come in any order and any case") {
  Asking asking;
  asking.desk.next = Decision{.verdict = Verdict::kAdmitted};
  asking.say("brigade.acquire api reserve COST 2.5 Key ann WAIT 200 ID r-1 PRIORITY bulk");
  REQUIRE(asking.desk.asked.size() == 1);
  const ScriptedDesk::Asked& asked = asking.desk.asked.front();
  CHECK(asked.limit == "api");
  CHECK(asked.key == "ann");
  CHECK(asked.cost == Tokens::micro(2'500'000));
  CHECK(asked.wait == base::milliseconds(200));
  CHECK(asked.id == "r-1");
  CHECK(asked.priority == "bulk");
  CHECK(asked.reserve);
}

TEST_CASE("five values: admitted, remaining, milliseconds, source, reservation") {
  CHECK(answer({.verdict = Verdict::kAdmitted, .remaining = Tokens::micro(12'900'000)}) ==
        "*5\r\n:1\r\n:12\r\n:-1\r\n$5\r\nlocal\r\n$-1\r\n");
  CHECK(answer({.verdict = Verdict::kRefused, .retry_after = base::Duration(1'000'001)}) ==
        "*5\r\n:0\r\n:0\r\n:2\r\n$5\r\nlocal\r\n$-1\r\n");
  CHECK(answer({.verdict = Verdict::kNever, .source = node::Source::kHome}) ==
        "*5\r\n:0\r\n:0\r\n:-2\r\n$4\r\nhome\r\n$-1\r\n");
}

TEST_CASE("each wrong option is told, with what was expected, and nobody is asked") {
  Asking asking;
  const auto wrong = [&](const std::string& options) {
    return asking.say("BRIGADE.ACQUIRE api " + options);
  };
  CHECK(wrong("COST -1") ==
        "-ERR COST: expected tokens from 0 to 1.1e12, with at most six decimals\r\n");
  CHECK(wrong("COST 0.1234567").starts_with("-ERR COST: expected tokens"));
  CHECK(wrong("WAIT 5s") == "-ERR WAIT: expected milliseconds from 0 to 3600000\r\n");
  CHECK(wrong("CSOT 1").starts_with("-ERR unknown option 'CSOT'; expected BRIGADE.ACQUIRE limit"));
  CHECK(wrong("COST 1 KEY") == "-ERR KEY: expected a value behind it\r\n");
  CHECK(wrong("COST 1 cost 2") == "-ERR COST is given twice\r\n");
  CHECK(wrong("RESERVE RESERVE") == "-ERR RESERVE is given twice\r\n");
  CHECK(wrong("KEY cost KEY key") == "-ERR KEY is given twice\r\n");
  CHECK(asking.say("BRIGADE.PEEK api COST 1 RESERVE") ==
        "-ERR RESERVE means nothing where nothing is taken; expected BRIGADE.PEEK limit [KEY k] "
        "[COST n] [PRIORITY c]\r\n");
  CHECK(asking.say("BRIGADE.PEEK api WAIT 5").starts_with("-ERR WAIT means nothing"));
  CHECK(asking.say("BRIGADE.PEEK").starts_with("-ERR expected BRIGADE.PEEK limit [KEY k]"));
  CHECK(asking.say("BRIGADE.ACQUIRE").starts_with("-ERR expected BRIGADE.ACQUIRE limit [KEY k]"));
  CHECK(asking.desk.asked.empty());
  asking.say("BRIGADE.PEEK api KEY cost COST 2");
  REQUIRE(asking.desk.asked.size() == 1);
  CHECK(asking.desk.asked.front().key == "cost");
}

TEST_CASE("each mistake about key and priority is told apart, and what another node may do") {
  CHECK(answer({.verdict = Verdict::kKeyMissing}).starts_with("-ERR expected KEY: "));
  CHECK(answer({.verdict = Verdict::kKeyUnwanted}).starts_with("-ERR expected no KEY: "));
  CHECK(answer({.verdict = Verdict::kIdUnwanted}).starts_with("-ERR expected no ID: "));
  CHECK(answer({.verdict = Verdict::kUnknownPriority}).starts_with("-ERR the PRIORITY is none of"));
  CHECK(
      answer({.verdict = Verdict::kBadRequest}).starts_with("-ERR expected a cost of at least 0"));
  CHECK(answer({.verdict = Verdict::kUnknownLimit}).starts_with("-ERR no such limit; "));
  CHECK(answer({.verdict = Verdict::kDraining}).starts_with("-UNAVAILABLE this node is drained"));
  CHECK(answer({.verdict = Verdict::kNoRights}).starts_with("-UNAVAILABLE no rights"));
}

TEST_CASE("a client's own words do not end the line that quotes them") {
  Asking asking;
  asking.session.feed("*1\r\n$8\r\nA\r\n+OK\r\n\r\n");
  const std::string said = std::exchange(asking.session.output(), {});
  CHECK(said.starts_with("-ERR unknown command or wrong number of arguments for 'A  +OK  '"));
  CHECK(said.find("\r\n") == said.size() - 2);
}

}  // namespace
}  // namespace brigade::api
