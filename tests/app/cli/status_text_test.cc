#include "app/cli/status_text.h"

#include <doctest/doctest.h>

#include "app/cli/flags.h"

namespace brigade::cli {
namespace {

const char* const kStatus = R"({
 "as_of_ms": 1,
 "node": {"name":"n1","id":"0a","version":"1.2.3","region":"eu","zone":"a","uptime_s":192.5,
          "addresses":{"peer":"a.b:7420","redis":"off","http":"","envoy":"off"}},
 "cluster": {"id":"ff","name":"prod","members":[
   {"name":"n1","state":"alive","region":"eu","zone":"a",
    "addresses":{"peer":"a.b:7420","redis":"off","http":"a.b:7422","envoy":"off"},
    "load":{"cpu":0.125,"memory_bytes":1572864,"net_in_bps":0,"net_out_bps":0,
            "request_ms_p99":0.5,"offered_per_s":1234.56,
            "pressed":true}},
   {"name":"n2","state":"suspect","region":"","zone":"","addresses":{},"load":null}]},
 "shards": [
   {"id":0,"leader":"n1","term":3,"leader_since_s":61.0,"voters":["n1","n2","n3"],"learners":[],
    "commit":12,"applied":11},
   {"id":1,"leader":null,"term":4,"leader_since_s":0,"voters":["n2"],"learners":["n3"],
    "outgoing":["n1"],"commit":null,"applied":null}],
 "limits": [
   {"name":"api","mode":"shared","per":null,"configured":{"rate_per_s":100.0,"burst":200.0},
    "effective":{"rate_per_s":60.0,"burst":120.0},"shard":1,
    "pool":{"rate_per_s":5.0,"size":10.0,"level":2.5},
    "fairness":{"policy":"karma","jain":0.993,"max_min_gap":0.25,"lend_balance":0.5},
    "buckets":[{"node":"n1","rate_per_s":50.0,"size":100.0,"level":12.25,"lent_total":1.0,
                "borrowed_total":2.0,"admitted_total":3.0,"refused_total":4.0}]}]
})";

TEST_CASE("status is one screen of this node, members, shards, limits and buckets") {
  CHECK(status_text(json::parse(kStatus)) ==
        R"(node n1 in eu/a, cluster prod, up 3m12s, version 1.2.3

MEMBER  STATE    PEER      REDIS  HTTP      PLACE    CPU   MEMORY  P99 MS  OFFERED/S  BUSY
n1      alive    a.b:7420  off    a.b:7422  eu/a   12.5%  1.5 MiB     0.5     1234.6  yes
n2      suspect  -         -      -         -          -        -       -          -  -

SHARD  LEADER  TERM  LEADER FOR  VOTERS      LEARNERS  OUTGOING  COMMIT  APPLIED
    0  n1         3        1m1s  n1, n2, n3  -         -             12       11
    1  none       4           -  n2          n3        n1             -        -

LIMIT  MODE    PER   RATE  BURST  EFF. RATE  EFF. BURST  SHARD  POOL LEVEL
api    shared  -    100/s    200       60/s         120      1         2.5

BUCKET  NODE  RATE  SIZE  LEVEL  LENT  BORROWED  ADMITTED  REFUSED
api     n1    50/s   100  12.25     1         2         3        4

FAIRNESS OF  POLICY   JAIN  MAX-MIN GAP  LEND BALANCE
api          karma   0.993         0.25           0.5
)");
}

TEST_CASE("a drained member says so, one that is gone has no load any more") {
  const std::string text = members_text(list_at(json::parse(R"({"members":[
    {"name":"n1","state":"alive","draining":true,"load":{"cpu":0.69192}},
    {"name":"n2","state":"dead","draining":true,"load":{"cpu":0.5}}]})"),
                                                "members"));
  CHECK(text.find("n1      draining") != std::string::npos);
  CHECK(text.find("69.2%") != std::string::npos);
  CHECK(text.find("n2      dead") != std::string::npos);
  CHECK(text.find("50%") == std::string::npos);
}

TEST_CASE("buckets shows one limit with its pool") {
  const std::string text = buckets_text(json::parse(kStatus)["limits"][0]);
  CHECK(text.find("\npool: rate 5/s, size 10, level 2.5\n") != std::string::npos);
  CHECK(text.find("\nNODE  RATE  SIZE  LEVEL  LENT  BORROWED  ADMITTED  REFUSED\n"
                  "n1    50/s   100  12.25     1         2         3        4\n") !=
        std::string::npos);
}

TEST_CASE("what shard leaders decide shows no tokens where none are, only what was asked for") {
  const json limit = json::parse(R"({"name":"quota","mode":"strict","per":null,"divided":false,
    "configured":{"rate_per_s":0.1,"burst":60.0},"effective":{"rate_per_s":0.1,"burst":60.0},
    "shard":3,"pool":{"rate_per_s":0.0,"size":0.0,"level":0.0},
    "buckets":[{"node":"n1","rate_per_s":0.0,"size":0.0,"level":0.0,"lent_total":0.0,
                "borrowed_total":0.0,"admitted_total":3.0,"refused_total":4.0}]})");
  CHECK(buckets_text(limit) ==
        R"(LIMIT  MODE    PER  RATE  BURST  EFF. RATE  EFF. BURST  SHARD  POOL LEVEL
quota  strict  -     6/m     60        6/m          60      3           -

kept by shard leaders; what each node was asked for:

NODE  RATE  SIZE  LEVEL  LENT  BORROWED  ADMITTED  REFUSED
n1       -     -      -     -         -         3        4
)");
}

TEST_CASE("a cluster without limits says how to declare some") {
  CHECK(limits_text({}).find("limit apply") != std::string::npos);
}

TEST_CASE("answers of another shape are shown as far as they go, never thrown over") {
  for (const char* text :
       {"{}", R"({"node":1,"cluster":[],"shards":{},"limits":7})", "[]", "null",
        R"({"cluster":{"members":[1,{"name":2,"addresses":3,"load":{"cpu":"x"}}]}})",
        R"({"shards":[{"voters":[1,null],"leader":4}],"limits":[{"buckets":[{}]}]})"}) {
    CHECK(!status_text(json::parse(text)).empty());
    CHECK(!buckets_text(json::parse(text)).empty());
  }
}

TEST_CASE("amounts of tokens are numbers that a node takes, whole ones without a fraction") {
  const auto refused = [](std::string text) { return !amount()(text).empty(); };
  for (const char* good : {"0", "1", "2.5", "1e3", "1000000000000"}) {
    CHECK(!refused(good));
  }
  for (const char* bad : {"", "-1", "x", "1x", "nan", "inf", "1e13", " 1"}) {
    CHECK(refused(bad));
  }
  CHECK(amount_json("5").dump() == "5");
  CHECK(amount_json("1e3").dump() == "1000");
  CHECK(amount_json("2.5").dump() == "2.5");
}

TEST_CASE("durations are read to the millisecond, rounded up") {
  CHECK(milliseconds_of("200ms") == 200);
  CHECK(milliseconds_of("1us") == 1);
  CHECK(milliseconds_of("2h") == 7'200'000);
}

}  // namespace
}  // namespace brigade::cli
