#include "app/cli/call.h"

#include <doctest/doctest.h>

#include "app/cli/answer_text.h"

namespace brigade::cli {
namespace {

Call shown() {
  return {.show = [](const json& answer) {
    return Outcome{.exit_code = kOk, .out = "shown " + text_at(answer, "a") + "\n", .err = {}};
  }};
}

HttpReply error(int status) {
  return {.status = status, .body = R"({"error":{"code":"c","message":"it is so"}})"};
}

TEST_CASE("an answer is shown, or printed as it is with --json") {
  const HttpReply reply{.status = 200, .body = R"({"a":"b"})"};
  CHECK(outcome_of(shown(), reply, false).out == "shown b\n");
  CHECK(outcome_of(shown(), reply, true).out == "{\"a\":\"b\"}\n");
  CHECK(outcome_of(shown(), reply, true).exit_code == kOk);
}

TEST_CASE("a raw answer is printed as it is, with one end of line") {
  const Call raw{.raw = true};
  CHECK(outcome_of(raw, {.status = 200, .body = "limits: []\n"}, false).out == "limits: []\n");
  CHECK(outcome_of(raw, {.status = 200, .body = "{}"}, true).out == "{}\n");
}

TEST_CASE("what does not exist or conflicts is a negative answer, the rest a failure") {
  for (const int status : {404, 409}) {
    const Outcome outcome = outcome_of(shown(), error(status), false);
    CHECK(outcome.exit_code == kNegative);
    CHECK(outcome.err == "brigade: it is so\n");
    CHECK(outcome.out.empty());
  }
  for (const int status : {400, 413, 429, 500, 503}) {
    CHECK(outcome_of(shown(), error(status), false).exit_code == kFailed);
  }
  Call strict = shown();
  strict.may_be_negative = false;
  CHECK(outcome_of(strict, error(404), false).exit_code == kFailed);
}

TEST_CASE("with --json an error is told on both streams") {
  const Outcome outcome = outcome_of(shown(), error(404), true);
  CHECK(outcome.out == error(404).body + "\n");
  CHECK(outcome.err == "brigade: it is so\n");
  CHECK(outcome.exit_code == kNegative);
}

TEST_CASE("an answer of something that is no node is a failure") {
  const HttpReply proxy{.status = 404, .body = "<html>not here</html>"};
  const Outcome outcome = outcome_of(shown(), proxy, true);
  CHECK(outcome.exit_code == kFailed);
  CHECK(outcome.err == "brigade: the node answered with HTTP status 404\n");
  CHECK(outcome.out.empty());
  CHECK(outcome_of(shown(), {.status = 200, .body = "<html>"}, false).exit_code == kFailed);
  CHECK(outcome_of(shown(), {.status = 200, .body = "[1]"}, false).exit_code == kFailed);
}

TEST_CASE("messages cannot drive the terminal") {
  CHECK(failed("a\x1b[2Jb").err == "brigade: a?[2Jb\n");
}

TEST_CASE("an admission says what remains and names its reservation") {
  const Outcome outcome =
      acquire_outcome(json::parse(R"({"admitted":true,"remaining":12,"retry_after_ms":-1,)"
                                  R"("source":"local","reservation":"1-2-3"})"));
  CHECK(outcome.exit_code == kOk);
  CHECK(outcome.out == "admitted, remaining 12, source local, reservation 1-2-3\n");
}

TEST_CASE("a refusal is exit code 1 with either output, and says when to come back") {
  const Call call{.show = &acquire_outcome, .may_be_refused = true};
  const HttpReply reply{
      .status = 429,
      .body = R"({"admitted":false,"remaining":0,"retry_after_ms":1500,"source":"local",)"
              R"("reservation":null,"refused_by":"api"})"};
  const Outcome outcome = outcome_of(call, reply, false);
  CHECK(outcome.exit_code == kNegative);
  CHECK(outcome.out == "refused, retry after 1.5s, by api, remaining 0, source local\n");
  CHECK(outcome.err.empty());
  CHECK(outcome_of(call, reply, true).exit_code == kNegative);
  CHECK(outcome_of(call, reply, true).out == reply.body + "\n");
  const Outcome never = acquire_outcome(json::parse(R"({"admitted":false,"retry_after_ms":-2})"));
  CHECK(never.out.starts_with("refused for good"));
}

TEST_CASE("a refusal in spite of --wait says what the limit allows") {
  const auto note = [](const char* max_wait, long long wait_ms) {
    return wait_note({{"name", "api"}, {"queue", {{"max_wait", max_wait}}}}, wait_ms).err;
  };
  CHECK(note("0s", 5000) ==
        "brigade: api lets no request wait; `queue: {max_wait: 5s}` in its declaration would allow "
        "it\n");
  CHECK(note("500ms", 5000).find("longer than 500ms") != std::string::npos);
  CHECK(note("5s", 5000).empty());
  CHECK(note("1h", 5000).empty());
  CHECK(wait_note(json::parse("[]"), 5000).err.empty());
}

TEST_CASE("laggards make an applied change exit code 1 and are named") {
  const Outcome done = done_outcome("applied 3 limits", json::parse(R"({"laggards":[]})"));
  CHECK(done.exit_code == kOk);
  CHECK(done.out == "applied 3 limits\n");
  const Outcome late = done_outcome("applied", json::parse(R"({"laggards":["n2","n3"]})"));
  CHECK(late.exit_code == kNegative);
  CHECK(late.err == "brigade: committed, but not served yet by n2, n3\n");
}

TEST_CASE("settled and moved tokens are told") {
  CHECK(settle_outcome(json::parse(R"({"refunded":2.5,"overdraft":0})")).out ==
        "settled, refunded 2.5, overdraft 0\n");
  CHECK(transfer_outcome(json::parse(R"({"tokens":5})")).out == "moved 5 tokens\n");
}

TEST_CASE("overrides are listed with what they set, until when and why") {
  const json answer = json::parse(R"({"overrides":[
    {"limit":"api","node":"n1","pin":100.0,"min":null,"max":null,"freeze":false,"no_lend":true,
     "author":"ann","reason":"sale","expires_ms":3601000},
    {"limit":"api","node":"n2","pin":null,"min":1,"max":2.5,"freeze":true,"no_lend":false,
     "author":"","reason":"","expires_ms":0},
    {"limit":"api","node":"n3","freeze":true,"expires_ms":999}]})");
  CHECK(overrides_outcome(answer, 1000).out ==
        "LIMIT  NODE  OVERRIDE                EXPIRES  AUTHOR  REASON\n"
        "api    n1    pin 100, no-lend        in 1h    ann     sale\n"
        "api    n2    min 1, max 2.5, freeze  never    -       -\n"
        "api    n3    freeze                  expired  -       -\n");
  CHECK(overrides_outcome(json::object(), 0).out == "no overrides\n");
}

}  // namespace
}  // namespace brigade::cli
