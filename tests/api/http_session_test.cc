#include "api/http_session.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/api/scripted_desk.h"

namespace brigade::api {
namespace {

using nlohmann::json;
using node::Decision;
using node::Verdict;

constexpr std::int64_t kNow = 1'700'000'000'000;

struct Client {
  ScriptedDesk desk;
  HttpSession session{desk, [] { return kNow; }};
  std::vector<HttpResponse> answers;

  void ask(std::string_view method, std::string_view path, std::string_view body = "",
           std::string_view query = "") {
    session.handle({.method = method, .path = path, .query = query, .body = body},
                   [this](HttpResponse response) { answers.push_back(std::move(response)); });
  }
  HttpResponse get(std::string_view method, std::string_view path, std::string_view body = "",
                   std::string_view query = "") {
    answers.clear();
    ask(method, path, body, query);
    REQUIRE(answers.size() == 1);
    return answers.front();
  }
  std::string code(std::string_view method, std::string_view path, std::string_view body = "") {
    const HttpResponse response = get(method, path, body);
    return std::to_string(response.status) + " " +
           json::parse(response.body)["error"]["code"].get<std::string>();
  }
};

TEST_CASE("an acquire reaches the desk as an HTTP one and is answered at once when decided") {
  Client client;
  client.desk.next = Decision{.verdict = Verdict::kAdmitted};
  CHECK(client.get("POST", "/v1/acquire", R"({"limit":"api","key":"k","cost":3})").status == 200);
  REQUIRE(client.desk.asked.size() == 1);
  CHECK(client.desk.asked[0].limit == "api");
  CHECK(client.desk.asked[0].key == "k");
  CHECK(client.desk.asked[0].cost == node::Tokens::whole(3));
  CHECK(client.desk.asked[0].door == Door::kHttp);
  CHECK(client.session.waiting() == 0);
}

TEST_CASE("parked acquires are answered once, each under its own token") {
  Client client;
  client.ask("POST", "/v1/acquire", R"({"limit":"a"})");
  client.ask("POST", "/v1/acquire", R"({"all":[{"limit":"b"},{"limit":"c"}]})");
  REQUIRE(client.desk.parked.size() == 2);
  CHECK(client.answers.empty());
  CHECK(client.session.waiting() == 2);

  const auto parked = client.desk.parked;
  CHECK(parked[0].token != parked[1].token);
  parked[1].waiter->decided(parked[1].token, {.verdict = Verdict::kRefused, .refused_by = 1});
  REQUIRE(client.answers.size() == 1);
  CHECK(json::parse(client.answers[0].body)["refused_by"] == "c");
  parked[1].waiter->decided(parked[1].token, {.verdict = Verdict::kAdmitted});
  CHECK(client.answers.size() == 1);
  parked[0].waiter->decided(parked[0].token, {.verdict = Verdict::kAdmitted});
  CHECK(client.answers.size() == 2);
  CHECK(client.session.waiting() == 0);
}

TEST_CASE("a connection that ends gives up what waits and is not answered") {
  ScriptedDesk desk;
  int answers = 0;
  {
    HttpSession session(desk, [] { return kNow; });
    session.handle({.method = "POST", .path = "/v1/acquire", .body = R"({"limit":"a"})"},
                   [&](const HttpResponse&) { ++answers; });
    session.end();
    CHECK(session.waiting() == 0);
  }
  CHECK(desk.abandoned.size() == 1);
  CHECK(answers == 0);
}

TEST_CASE("a session that nothing waits in abandons nothing") {
  ScriptedDesk desk;
  {
    const HttpSession session(desk, [] { return kNow; });
  }
  CHECK(desk.abandoned.empty());
}

TEST_CASE("a malformed acquire is 400 and does not reach the desk") {
  Client client;
  CHECK(client.code("POST", "/v1/acquire", "{") == "400 bad_request");
  CHECK(client.code("POST", "/v1/settle", "{}") == "400 bad_request");
  CHECK(client.desk.asked.empty());
  CHECK(client.desk.settles.empty());
}

TEST_CASE("unknown paths are 404, known ones with another method 405 and say which") {
  Client client;
  CHECK(client.code("GET", "/v1/nothing") == "404 not_found");
  CHECK(client.code("GET", "/v1/limits/") == "404 not_found");
  CHECK(client.code("GET", "/v1") == "404 not_found");
  CHECK(client.code("GET", "/v1/acquire") == "405 method_not_allowed");
  const HttpResponse response = client.get("POST", "/v1/limits/api");
  REQUIRE(response.headers.size() == 1);
  CHECK(response.headers[0] ==
        std::pair<std::string, std::string>("Allow", "GET, HEAD, PUT, DELETE"));
}

TEST_CASE("a live process is healthy, and ready only when the desk says so") {
  Client client;
  CHECK(client.get("GET", "/healthz").status == 200);
  CHECK(client.get("GET", "/readyz").status == 200);
  client.desk.is_ready = false;
  CHECK(client.get("GET", "/healthz").status == 200);
  const HttpResponse response = client.get("GET", "/readyz");
  CHECK(response.status == 503);
  CHECK(json::parse(response.body)["error"]["message"] == "shard 3 has no leader");
}

TEST_CASE("metrics are Prometheus text") {
  Client client;
  const HttpResponse response = client.get("GET", "/metrics");
  CHECK(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(response.body == "brigade_up 1\n");
}

TEST_CASE("settle passes the reservation and the actual cost on") {
  Client client;
  client.desk.settled = node::SettleReply{.verdict = node::SettleVerdict::kSettled,
                                          .refunded = node::Tokens::whole(2)};
  const HttpResponse response =
      client.get("POST", "/v1/settle", R"({"reservation":"1-2-3","cost":8})");
  CHECK(response.body == R"({"refunded":2,"overdraft":0})");
  REQUIRE(client.desk.settles.size() == 1);
  CHECK(client.desk.settles[0].first == node::ReservationId{.node = 1, .boot = 2, .sequence = 3});
  CHECK(client.desk.settles[0].second == node::Tokens::whole(8));
}

TEST_CASE("a settlement that a leader must hear of is answered when it has, or cannot be reached") {
  Client client;
  client.desk.settled.reset();
  client.ask("POST", "/v1/settle", R"({"reservation":"1-2-3","cost":8})");
  CHECK(client.answers.empty());
  REQUIRE(client.desk.parked.size() == 1);
  const auto token = client.desk.parked[0].token;
  SUBCASE("it has") {
    client.session.settled(
        token, {.verdict = node::SettleVerdict::kSettled, .refunded = node::Tokens::whole(2)});
    REQUIRE(client.answers.size() == 1);
    CHECK(client.answers[0].body == R"({"refunded":2,"overdraft":0})");
  }
  SUBCASE("it cannot be reached") {
    client.session.settled(token, {.verdict = node::SettleVerdict::kNoWay});
    REQUIRE(client.answers.size() == 1);
    CHECK(client.answers[0].status == 503);
    CHECK(json::parse(client.answers[0].body)["error"]["code"] == "no_leader");
  }
  SUBCASE("the connection ends before") {
    client.session.end();
    CHECK(client.desk.abandoned.size() == 1);
  }
}

TEST_CASE("control requests may be answered after the session has ended") {
  ScriptedDesk desk;
  desk.answer_admin = false;
  int answers = 0;
  {
    HttpSession session(desk, [] { return kNow; });
    session.handle({.method = "POST", .path = "/v1/drain"},
                   [&](const HttpResponse& response) { answers += response.status; });
  }
  REQUIRE(desk.unanswered.size() == 1);
  desk.unanswered[0](node::Done{});
  CHECK(answers == 200);
}

TEST_CASE("the root is a page; what it loads is there, and nothing else may run in it") {
  Client client;
  const HttpResponse page = client.get("GET", "/");
  CHECK(page.status == 200);
  CHECK(page.content_type == "text/html; charset=utf-8");
  const HttpResponse style = client.get("GET", "/dashboard.css");
  CHECK(style.content_type == "text/css; charset=utf-8");
  CHECK(page.body.find(R"(href="dashboard.css")") != std::string::npos);
  const HttpResponse script = client.get("HEAD", "/dashboard.js");
  CHECK(script.content_type == "text/javascript; charset=utf-8");
  CHECK(page.body.find(R"(src="dashboard.js")") != std::string::npos);
  for (const HttpResponse& one : {page, style, script}) {
    CHECK(one.body.size() > 500);
    REQUIRE_FALSE(one.headers.empty());
    CHECK(one.headers.front().first == "Content-Security-Policy");
    CHECK(one.headers.front().second.starts_with("default-src 'self';"));
  }
  CHECK(client.code("GET", "/dashboard") == "404 not_found");
  CHECK(client.code("POST", "/") == "405 method_not_allowed");
}

}  // namespace
}  // namespace brigade::api
