#include "api/http_acquire.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace brigade::api {
namespace {

using base::Tokens;
using nlohmann::json;
using node::Decision;
using node::Verdict;

std::string header(const HttpResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) {
      return value;
    }
  }
  return "-";
}

Decision of_limit(Verdict verdict) {
  return {.verdict = verdict,
          .remaining = Tokens::micro(12'900'000),
          .burst = Tokens::whole(2000),
          .rate = base::Rate::per_second(1000)};
}

HttpResponse answer(const Decision& decision, std::vector<std::string> limits = {"api"},
                    bool all = false) {
  return acquire_response(limits, all, decision);
}

TEST_CASE("an acquire says limit and what else it wants, the rest has defaults") {
  const auto simple = read_acquire(R"({"limit":"api"})");
  REQUIRE(simple.has_value());
  REQUIRE(simple->items.size() == 1);
  CHECK(!simple->all);
  CHECK(simple->items[0].cost == Tokens::whole(1));
  CHECK(simple->items[0].wait == base::Duration::zero());

  const auto full = read_acquire(
      R"({"limit":"llm","key":"k\u00e9y","cost":2.5,"wait_ms":200,"priority":"bulk",
          "reserve":true,"id":"r-1"})");
  REQUIRE(full.has_value());
  const node::AcquireRequest request = full->items[0].request();
  CHECK(request.limit == "llm");
  CHECK(request.key == "k\xC3\xA9y");
  CHECK(request.cost == Tokens::micro(2'500'000));
  CHECK(request.wait == base::milliseconds(200));
  CHECK(request.priority == "bulk");
  CHECK(request.reserve);
  CHECK(request.id == "r-1");
}

TEST_CASE("costs are exact to the micro-token and round up beyond") {
  const auto cost = [](const std::string& number) {
    const auto body = read_acquire(R"({"limit":"a","cost":)" + number + "}");
    return body ? body->items[0].cost.micro() : -1;
  };
  CHECK(cost("0.1") == 100'000);
  CHECK(cost("0.3") == 300'000);
  CHECK(cost("1e3") == 1'000'000'000);
  CHECK(cost("0.0000001") == 1);
  CHECK(cost("0") == 0);
  CHECK(cost("-1") == -1);
  CHECK(cost("1e300") == -1);
  CHECK(cost("18446744073709551615") == -1);
}

TEST_CASE("a malformed acquire is told what is wrong") {
  const auto error = [](const char* body) {
    const auto result = read_acquire(body);
    return result ? std::string() : result.error().message;
  };
  CHECK(error("") == "expected one valid JSON object");
  CHECK(error("{") == "expected one valid JSON object");
  CHECK(error("[]") == "expected a JSON object");
  CHECK(error(R"({"limit":"a"} x)") == "expected one valid JSON object");
  CHECK(error("{\"limit\":\"\xFF\"}") == "expected one valid JSON object");
  CHECK(error("{}") == "acquire: limit is missing");
  CHECK(error(R"({"limit":7})") == "acquire: limit: expected a string");
  CHECK(error(R"({"limit":"a","limit":"b"})") == "'limit' is given twice");
  CHECK(error(R"({"limit":"a","csot":1})") ==
        "acquire: unknown key 'csot'; expected one of limit, key, cost, wait_ms, priority, "
        "reserve, id");
  CHECK(error(R"({"limit":"a","cost":"1"})") ==
        "acquire: cost: expected a number of tokens from 0 to 1.1e12");
  CHECK(error(R"({"limit":"a","wait_ms":-1})") ==
        "acquire: wait_ms: expected a whole number from 0 to 3600000");
  CHECK(error(R"({"limit":"a","reserve":1})") == "acquire: reserve: expected true or false");
  CHECK(error(R"({"all":[]})") == "all: expected a list of 1 to 32 acquires and nothing beside it");
  CHECK(error(R"({"all":[{"limit":"a"},3]})") == "all[1]: acquire: expected a JSON object");
  CHECK(error(std::string(R"({"limit":)" + std::string(5000, '[')).c_str()) ==
        "the JSON is nested too deeply");
}

TEST_CASE("the window of a rate that is no whole number per second is not a second too long") {
  Decision decision = of_limit(Verdict::kAdmitted);
  decision.burst = Tokens::whole(2);
  decision.rate = base::Rate::of(Tokens::whole(1), base::seconds(60));
  CHECK(header(answer(decision), "RateLimit-Policy") == R"("api";q=2;w=120)");
  decision.rate = base::Rate::per_second(1'000'000);
  CHECK(header(answer(decision), "RateLimit-Policy") == R"("api";q=2;w=1)");
}

TEST_CASE("an admission is 200 with remaining in whole tokens and the IETF headers") {
  const HttpResponse response = answer(of_limit(Verdict::kAdmitted));
  CHECK(response.status == 200);
  CHECK(response.body == R"({"admitted":true,"remaining":12,"retry_after_ms":-1,)"
                         R"("source":"local","reservation":null})");
  CHECK(header(response, "RateLimit-Policy") == R"("api";q=2000;w=2)");
  CHECK(header(response, "RateLimit") == R"("api";r=12;t=2)");
  CHECK(header(response, "Retry-After") == "-");
}

TEST_CASE("a refusal is 429 and its waits are rounded up") {
  Decision decision = of_limit(Verdict::kRefused);
  decision.retry_after = base::Duration(1'000'000'001);
  const HttpResponse response = answer(decision);
  CHECK(response.status == 429);
  CHECK(json::parse(response.body)["retry_after_ms"] == 1001);
  CHECK(json::parse(response.body)["admitted"] == false);
  CHECK(header(response, "Retry-After") == "2");
}

TEST_CASE("what is never admissible is 429 with -2 and no Retry-After") {
  const HttpResponse response = answer(of_limit(Verdict::kNever));
  CHECK(response.status == 429);
  CHECK(json::parse(response.body)["retry_after_ms"] == -2);
  CHECK(header(response, "Retry-After") == "-");
}

TEST_CASE("verdicts that are no decision are errors with their own codes") {
  const auto code = [](Verdict verdict) {
    const HttpResponse response = answer({.verdict = verdict});
    return std::to_string(response.status) + " " +
           json::parse(response.body)["error"]["code"].get<std::string>();
  };
  CHECK(code(Verdict::kUnknownLimit) == "404 unknown_limit");
  CHECK(code(Verdict::kBadRequest) == "400 bad_request");
  CHECK(code(Verdict::kNoRights) == "503 no_rights");
  CHECK(code(Verdict::kTooManyKeys) == "503 too_many_keys");
  CHECK(code(Verdict::kTooManyWaiting) == "503 too_many_waiting");
  CHECK(code(Verdict::kDraining) == "503 draining");
}

TEST_CASE("each mistake about key and priority is told apart, with what was expected") {
  const auto message = [](Verdict verdict) {
    const HttpResponse response = answer({.verdict = verdict});
    CHECK(response.status == 400);
    return json::parse(response.body)["error"]["message"].get<std::string>();
  };
  CHECK(message(Verdict::kKeyMissing).starts_with("api: expected a key: "));
  CHECK(message(Verdict::kKeyUnwanted).starts_with("api: expected no key: "));
  CHECK(message(Verdict::kIdUnwanted).starts_with("api: expected no id: "));
  CHECK(message(Verdict::kUnknownPriority).find("`brigade limit get api`") != std::string::npos);
  CHECK(message(Verdict::kBadRequest).find("cost of at least 0") != std::string::npos);
}

TEST_CASE("a limit of which anything is missing is not reset in no time") {
  Decision decision = of_limit(Verdict::kAdmitted);
  decision.remaining = decision.burst - Tokens::micro(1);
  CHECK(header(answer(decision), "RateLimit") == R"("api";r=1999;t=1)");
  decision.remaining = decision.burst;
  CHECK(header(answer(decision), "RateLimit") == R"("api";r=2000;t=0)");
}

TEST_CASE("several limits: each one's result, and who refused") {
  Decision decision{.verdict = Verdict::kRefused,
                    .retry_after = base::milliseconds(30),
                    .refused_by = 1,
                    .each = {of_limit(Verdict::kAdmitted), of_limit(Verdict::kRefused)}};
  const HttpResponse response = answer(decision, {"api", "per/user"}, true);
  CHECK(response.status == 429);
  const json body = json::parse(response.body);
  CHECK(body["refused_by"] == "per/user");
  CHECK(body["retry_after_ms"] == 30);
  REQUIRE(body["results"].size() == 2);
  CHECK(body["results"][0]["limit"] == "api");
  CHECK(body["results"][1]["admitted"] == false);
  CHECK(header(response, "RateLimit") == R"("api";r=12;t=2, "per/user";r=12;t=2)");

  decision.verdict = Verdict::kAdmitted;
  const json admitted = json::parse(answer(decision, {"api", "per/user"}, true).body);
  CHECK(admitted["refused_by"].is_null());
}

TEST_CASE("a reservation comes back as the text that settle takes") {
  Decision decision = of_limit(Verdict::kAdmitted);
  decision.reservation = {.node = 0xabc, .boot = 2, .sequence = 3};
  const std::string id = json::parse(answer(decision).body)["reservation"];
  const auto settle = read_settle(R"({"reservation":")" + id + R"(","cost":3.25})");
  REQUIRE(settle.has_value());
  CHECK(settle->reservation == decision.reservation);
  CHECK(settle->cost == Tokens::micro(3'250'000));
}

TEST_CASE("settle needs a reservation and a cost") {
  CHECK(!read_settle(R"({"reservation":"a-2-3"})").has_value());
  CHECK(!read_settle(R"({"cost":1})").has_value());
  CHECK(!read_settle(R"({"reservation":"nonsense","cost":1})").has_value());
  CHECK(!read_settle(R"({"reservation":"a-2-3","cost":-1})").has_value());
}

TEST_CASE("settle answers what is given back, 409 the second time, 404 for strangers") {
  const HttpResponse done = settle_response({.verdict = node::SettleVerdict::kSettled,
                                             .refunded = Tokens::micro(1'250'000),
                                             .overdraft = Tokens{}});
  CHECK(done.status == 200);
  CHECK(done.body == R"({"refunded":1.25,"overdraft":0})");
  CHECK(settle_response({.verdict = node::SettleVerdict::kConflict}).status == 409);
  CHECK(settle_response({.verdict = node::SettleVerdict::kUnknown}).status == 404);
  CHECK(settle_response({.verdict = node::SettleVerdict::kBadRequest}).status == 400);
}

}  // namespace
}  // namespace brigade::api
