#include "api/http_admin.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/limits_file.h"

namespace brigade::api {
namespace {

using nlohmann::json;

constexpr std::int64_t kNow = 1'700'000'000'000;

std::variant<AdminCall, HttpResponse> call(std::string_view method, std::string_view path,
                                           std::string_view body = "",
                                           std::string_view query = "") {
  const auto found = find_route(method, path);
  REQUIRE(std::holds_alternative<Routed>(found));
  const Routed& routed = std::get<Routed>(found);
  REQUIRE(is_admin(routed.route));
  return admin_call(routed, {.method = method, .path = path, .query = query, .body = body}, kNow);
}

template <class T>
T request(std::string_view method, std::string_view path, std::string_view body = "",
          std::string_view query = "") {
  const auto made = call(method, path, body, query);
  REQUIRE(std::holds_alternative<AdminCall>(made));
  const auto& asked = std::get<AdminCall>(made).request;
  REQUIRE(std::holds_alternative<T>(asked));
  return std::get<T>(asked);
}

HttpResponse rendered(const node::AdminReply& reply, std::string_view method, std::string_view path,
                      std::string_view body = "", std::string_view query = "") {
  const auto made = call(method, path, body, query);
  REQUIRE(std::holds_alternative<AdminCall>(made));
  return std::get<AdminCall>(made).render(reply);
}

std::string refused(std::string_view method, std::string_view path, std::string_view body = "",
                    std::string_view query = "") {
  const auto made = call(method, path, body, query);
  if (!std::holds_alternative<HttpResponse>(made)) {
    return "";
  }
  CHECK(std::get<HttpResponse>(made).status == 400);
  return json::parse(std::get<HttpResponse>(made).body)["error"]["message"];
}

node::StatusView small_status() {
  node::StatusView status{.name = "n1", .id = base::NodeId(0xabc), .version = "0.1.0"};
  status.addresses = {.peer = "a:1", .redis = "a:2", .http = "a:3", .envoy = "off"};
  status.cluster_id = {.high = 1, .low = 2};
  status.cluster_name = "test";
  status.members = {{.name = "n1", .state = "alive", .load = {.cpu = 0.5}}};
  status.shards = {
      {.id = 3, .leader = "n1", .term = 7, .voters = {"n1"}, .commit = 9, .applied = 8}, {.id = 4}};
  node::LimitView limit{.effective_rate_per_s = 10, .effective_burst = 20, .shard = 3};
  limit.spec.name = "a/b";
  limit.spec.rate = base::Rate::per_second(10);
  limit.spec.burst = base::Tokens::whole(20);
  limit.pool = {.rate_per_s = 1, .size = 2, .level = 1.5};
  limit.buckets = {{.node = "n1", .rate_per_s = 9, .size = 18, .level = 17.5, .lent_total = 1}};
  status.limits = {limit};
  return status;
}

TEST_CASE("a limits file is put whole, as YAML or JSON, with or without pruning") {
  const auto yaml = request<node::PutLimits>("PUT", "/v1/limits",
                                             "limits:\n  - {name: a, rate: 5/s, burst: 7}\n");
  REQUIRE(yaml.limits.size() == 1);
  CHECK(yaml.limits[0].name == "a");
  CHECK(!yaml.prune);
  const auto pruning = request<node::PutLimits>(
      "PUT", "/v1/limits", R"({"limits":[{"name":"a","rate":"5/s","burst":7}]})", "prune=true");
  CHECK(pruning.prune);
  CHECK(pruning.limits == yaml.limits);
  CHECK(refused("PUT", "/v1/limits", "limits: []", "prune=maybe") ==
        "prune: expected true or false");
  CHECK(refused("PUT", "/v1/limits", "limits:\n  - {name: a, rate: 5, burst: 7}")
            .starts_with("body:2: a: rate: expected a rate"));
}

TEST_CASE("one limit takes its name from the path") {
  const auto put =
      request<node::PutLimits>("PUT", "/v1/limits/a%2Fb", R"({"rate":"5/s","burst":7})");
  REQUIRE(put.limits.size() == 1);
  CHECK(put.limits[0].name == "a/b");
  CHECK(!put.prune);
  CHECK(
      request<node::PutLimits>("PUT", "/v1/limits/a/b", R"({"name":"a/b","rate":"5/s","burst":7})")
          .limits[0]
          .name == "a/b");
  CHECK(refused("PUT", "/v1/limits/a", R"({"name":"b","rate":"5/s","burst":7})") ==
        "name: expected 'a', as in the path");
  CHECK(refused("PUT", "/v1/limits/a", "{}") ==
        "body:1: a: a limit needs name, rate and burst: expected burst and rate");
  CHECK(refused("PUT", "/v1/limits/a", "rate: 5/s") == "expected one valid JSON object");
  CHECK(refused("PUT", "/v1/limits/a%2", R"({"rate":"5/s","burst":7})") ==
        "the path is not percent-encoded");
  CHECK(request<node::DeleteLimit>("DELETE", "/v1/limits/a%2Fb").name == "a/b");
}

TEST_CASE("limits come back as they are put") {
  const node::StatusView status = small_status();
  const HttpResponse all = rendered(status, "GET", "/v1/limits");
  const auto again = read_limits(all.body, "body");
  REQUIRE(again.has_value());
  CHECK(again->front() == status.limits[0].spec);
  const HttpResponse yaml = rendered(status, "GET", "/v1/limits", "", "format=yaml");
  CHECK(yaml.content_type == "application/yaml");
  CHECK(yaml.body == "limits:\n  - name: a/b\n    rate: 10/s\n    burst: 20\n");
  CHECK(json::parse(rendered(status, "GET", "/v1/limits/a%2Fb").body)["rate"] == "10/s");
  CHECK(rendered(status, "GET", "/v1/limits/b").status == 404);
}

TEST_CASE("an override says what, why and until when") {
  const auto put = request<node::PutOverride>(
      "PUT", "/v1/overrides/a/b/n2",
      R"({"pin":12.5,"no_lend":true,"author":"ann","reason":"sale","for_ms":60000})");
  const node::Override& one = put.override_;
  CHECK(one.limit == "a/b");
  CHECK(one.node == "n2");
  CHECK(one.pin == base::Tokens::micro(12'500'000));
  CHECK(!one.min.has_value());
  CHECK(one.no_lend);
  CHECK(one.expires_ms == kNow + 60'000);
  CHECK(refused("PUT", "/v1/overrides/a/n2", R"({"pin":1})") == "override: reason is missing");
  CHECK(refused("PUT", "/v1/overrides/a/n2", R"({"reason":"x"})") ==
        "override: expected pin, min, max, freeze or no_lend");
  CHECK(refused("PUT", "/v1/overrides/a/n2", R"({"min":2,"max":1,"reason":"x"})") ==
        "override: expected min <= max");
  for (const char* twice : {R"("pin":5,"min":3)", R"("pin":5,"max":9)", R"("pin":5,"freeze":true)",
                            R"("freeze":true,"min":3)"}) {
    const std::string body = std::string("{") + twice + R"(,"reason":"x"})";
    CHECK(refused("PUT", "/v1/overrides/a/n2", body.c_str())
              .find("expected one of pin, freeze, and min or max") != std::string::npos);
  }
  CHECK(refused("PUT", "/v1/overrides/a", R"({"pin":1,"reason":"x"})") ==
        "expected /v1/overrides/LIMIT/NODE");
  const auto gone = request<node::DeleteOverride>("DELETE", "/v1/overrides/a/n2");
  CHECK(gone.limit == "a");
  CHECK(gone.node == "n2");

  const json set = json::parse(
      rendered(node::Done{}, "PUT", "/v1/overrides/a/n2", R"({"max":5,"reason":"x"})").body);
  CHECK(set["limit"] == "a");
  CHECK(set["node"] == "n2");
  CHECK(set["max"] == 5);
  CHECK(rendered(node::Done{}, "DELETE", "/v1/overrides/a/n2").body ==
        R"({"limit":"a","node":"n2","cleared":true})");

  const std::vector<node::Override> overrides{one};
  const json listed = json::parse(rendered(overrides, "GET", "/v1/overrides").body);
  REQUIRE(listed["overrides"].size() == 1);
  CHECK(listed["overrides"][0]["pin"] == 12.5);
  CHECK(listed["overrides"][0]["min"].is_null());
  CHECK(rendered(overrides, "GET", "/v1/overrides/a/b/n2").status == 200);
  CHECK(rendered(overrides, "GET", "/v1/overrides/a/b/n3").status == 404);
}

TEST_CASE("tokens are transferred by name and amount") {
  const auto asked = request<node::Transfer>("POST", "/v1/transfer",
                                             R"({"limit":"a","from":"n1","to":"n2","tokens":5})");
  CHECK(asked.from == "n1");
  CHECK(asked.to == "n2");
  CHECK(asked.amount == base::Tokens::whole(5));
  const char* body = R"({"limit":"a","from":"n1","to":"n2","tokens":5})";
  CHECK(rendered(node::Transferred{.amount = base::Tokens::whole(4)}, "POST", "/v1/transfer", body)
            .body == R"({"tokens":4})");
  CHECK(refused("POST", "/v1/transfer", R"({"limit":"a","from":"n1","to":"n2"})") ==
        "transfer: tokens: expected more than 0");
}

TEST_CASE("nodes drain, leave and are removed") {
  CHECK_FALSE(request<node::Drain>("POST", "/v1/drain").undo);
  CHECK_FALSE(request<node::Drain>("POST", "/v1/drain", "{}").undo);
  CHECK(request<node::Drain>("POST", "/v1/drain", R"({"undo":true})").undo);
  CHECK(refused("POST", "/v1/drain", R"({"undo":1})") == "drain: undo: expected true or false");
  request<node::Leave>("POST", "/v1/leave");
  const auto removed =
      request<node::Remove>("POST", "/v1/remove", R"({"node":"n3","certify_stopped":true})");
  CHECK(removed.node == "n3");
  CHECK(removed.certify_stopped);
  // What holds now, not a version of limits.
  const node::Done done{.version = 4, .laggards = {"n2"}};
  CHECK(rendered(done, "DELETE", "/v1/limits/a").body == R"({"version":4,"laggards":["n2"]})");
  CHECK(rendered(done, "POST", "/v1/drain").body == R"({"draining":true})");
  CHECK(rendered(done, "POST", "/v1/drain", R"({"undo":true})").body == R"({"draining":false})");
  CHECK(rendered(done, "POST", "/v1/leave").body == R"({"left":true})");
  CHECK(rendered(done, "POST", "/v1/remove", R"({"node":"n3"})").body == R"({"removed":"n3"})");
}

TEST_CASE("refusals keep their kind") {
  const auto status = [](node::Refusal::Kind kind) {
    return rendered(node::Refusal{.kind = kind, .message = "why"}, "POST", "/v1/drain").status;
  };
  CHECK(status(node::Refusal::Kind::kBadRequest) == 400);
  CHECK(status(node::Refusal::Kind::kNotFound) == 404);
  CHECK(status(node::Refusal::Kind::kConflict) == 409);
  CHECK(status(node::Refusal::Kind::kUnavailable) == 503);
  CHECK(rendered(node::Transferred{}, "POST", "/v1/drain").status == 500);
}

TEST_CASE("the status has exactly the promised shape") {
  const HttpResponse response = rendered(small_status(), "GET", "/v1/status");
  CHECK(
      response.body ==
      R"({"as_of_ms":1700000000000,)"
      R"("node":{"name":"n1","id":"000000000abc","version":"0.1.0","region":"","zone":"",)"
      R"("uptime_s":0.0,"addresses":{"peer":"a:1","redis":"a:2","http":"a:3","envoy":"off"}},)"
      R"("cluster":{"id":"00000000000000010000000000000002","name":"test","members":[)"
      R"({"name":"n1","state":"alive","addresses":{"peer":"","redis":"","http":"","envoy":""},)"
      R"("region":"","zone":"","load":{"cpu":0.5,"memory_bytes":0,"net_in_bps":0,)"
      R"("net_out_bps":0,"request_ms_p99":0.0,"offered_per_s":0.0,"memory_limit_bytes":0,)"
      R"("request_ms_p99_by_door":{"redis":0.0,"http":0.0},"queue_ms":0.0,"pressed":false},)"
      R"("draining":false}]},)"
      R"("shards":[{"id":3,"leader":"n1","term":7,"leader_since_s":0.0,"voters":["n1"],)"
      R"("learners":[],"outgoing":[],"commit":9,"applied":8},)"
      R"({"id":4,"leader":null,"term":0,"leader_since_s":0.0,"voters":[],"learners":[],)"
      R"("outgoing":[],"commit":null,"applied":null}],)"
      R"("limits":[{"name":"a/b","mode":"shared","per":null,"divided":true,)"
      R"("configured":{"rate_per_s":10.0,"burst":20.0},)"
      R"("effective":{"rate_per_s":10.0,"burst":20.0},"shard":3,)"
      R"("pool":{"rate_per_s":1.0,"size":2.0,"level":1.5},)"
      R"("fairness":{"policy":"proportional","jain":1.0,"max_min_gap":0.0,"lend_balance":0.0},)"
      R"("buckets":[{"node":"n1","rate_per_s":9.0,"size":18.0,"level":17.5,"lent_total":1.0,)"
      R"("borrowed_total":0.0,"admitted_total":0.0,"refused_total":0.0,"offered_per_s":0.0}]}]})");
}

TEST_CASE("members, shards and buckets are parts of the status") {
  const node::StatusView status = small_status();
  const json whole = json::parse(rendered(status, "GET", "/v1/status").body);
  const json members = json::parse(rendered(status, "GET", "/v1/members").body);
  CHECK(members["members"] == whole["cluster"]["members"]);
  const json shards = json::parse(rendered(status, "GET", "/v1/shards").body);
  CHECK(shards["shards"] == whole["shards"]);
  const json buckets = json::parse(rendered(status, "GET", "/v1/buckets/a%2Fb").body);
  CHECK(buckets == whole["limits"][0]);
  CHECK(rendered(status, "GET", "/v1/buckets/other").status == 404);
}

TEST_CASE("names that are no UTF-8 do not spoil the JSON") {
  node::StatusView status = small_status();
  status.zone = "\xFF";
  CHECK(json::accept(rendered(status, "GET", "/v1/status").body));
}

}  // namespace
}  // namespace brigade::api
