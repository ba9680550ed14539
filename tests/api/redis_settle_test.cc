#include <string>

#include <doctest/doctest.h>

#include "api/redis_session.h"
#include "tests/api/scripted_desk.h"

namespace brigade::api {
namespace {

struct Client {
  std::string info = "brigade";
  ScriptedDesk desk;
  RedisSession session{desk, info};

  std::string says(std::string_view line) {
    session.output().clear();
    session.feed(line);
    return session.output();
  }
};

TEST_CASE("BRIGADE.SETTLE answers what was refunded and what was used beyond the reservation") {
  Client client;
  client.desk.settled = node::SettleReply{.verdict = node::SettleVerdict::kSettled,
                                          .refunded = node::Tokens::whole(2),
                                          .overdraft = node::Tokens::whole(3)};
  CHECK(client.says("BRIGADE.SETTLE 1-2-3 8\r\n") == "*2\r\n:2\r\n:3\r\n");
  client.desk.settled = node::SettleReply{.verdict = node::SettleVerdict::kConflict};
  CHECK(client.says("BRIGADE.SETTLE 1-2-3 8\r\n").starts_with("-CONFLICT"));
}

TEST_CASE("a settlement that a leader must hear of holds back what follows on its connection") {
  Client client;
  client.desk.settled.reset();
  CHECK(client.says("BRIGADE.SETTLE 1-2-3 8\r\nPING\r\n").empty());
  REQUIRE(client.desk.parked.size() == 1);
  const auto token = client.desk.parked[0].token;
  client.session.settled(token + 1, {.verdict = node::SettleVerdict::kSettled});  // not ours
  CHECK(client.session.output().empty());
  SUBCASE("until it has") {
    client.session.settled(token, {.verdict = node::SettleVerdict::kSettled});
    CHECK(client.session.output() == "*2\r\n:0\r\n:0\r\n+PONG\r\n");
  }
  SUBCASE("until none is found") {
    client.session.settled(token, {.verdict = node::SettleVerdict::kNoWay});
    CHECK(client.session.output().starts_with("-TRYAGAIN"));
    CHECK(client.session.output().ends_with("+PONG\r\n"));
  }
}

}  // namespace
}  // namespace brigade::api
