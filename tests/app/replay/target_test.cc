#include "app/replay/target.h"

#include <doctest/doctest.h>

namespace brigade::replay {
namespace {

using cli::json;

json member(const char* name, const char* redis, const char* state = "alive") {
  return {{"name", name},
          {"state", state},
          {"addresses", {{"peer", "10.0.0.9:7420"}, {"redis", redis}}}};
}

json status() {
  return {
      {"cluster",
       {{"members",
         {member("n10", "127.0.0.10:7421"), member("n2", "127.0.0.2:7421"),
          member("n1", "127.0.0.1:7421", "suspect"), member("n3", "127.0.0.3:7421", "dead")}}}},
      {"limits",
       {{{"name", "api"}, {"per", nullptr}, {"configured", {{"rate_per_s", 0.1}, {"burst", 2.5}}}},
        {{"name", "user"},
         {"per", "key"},
         {"configured", {{"rate_per_s", 378000.0}, {"burst", 378000}}}},
        {{"name", "gone"}, {"configured", {{"rate_per_s", 0}, {"burst", 0}}}}}}};
}

std::string names(const base::Result<std::vector<NodeTarget>>& nodes) {
  std::string text;
  if (nodes) {
    for (const NodeTarget& node : *nodes) {
      text += node.name + "@" + node.address + " ";
    }
    return text;
  }
  return nodes.error().message;
}

TEST_SUITE("app/replay/target") {
  TEST_CASE("a limit's terms are those that are configured, exactly") {
    const auto api = terms_of(status(), "api");
    REQUIRE(api.has_value());
    CHECK(api->rate == Rate::nano_per_second(100'000'000));
    CHECK(api->burst == Tokens::micro(2'500'000));
    CHECK(!api->per_key);
    const auto user = terms_of(status(), "user");
    REQUIRE(user.has_value());
    CHECK(user->rate == Rate::per_second(378'000));
    CHECK(user->per_key);
  }

  TEST_CASE("an unknown limit is refused with those that there are") {
    const auto unknown = terms_of(status(), "apo");
    REQUIRE(!unknown.has_value());
    CHECK(unknown.error().message.find("api, user") != std::string::npos);
    CHECK(!terms_of(status(), "gone").has_value());
    CHECK(!terms_of(json(), "api").has_value());
  }

  TEST_CASE("without --nodes every live member is driven, n2 before n10") {
    CHECK(names(nodes_of(status(), {})) ==
          "n1@127.0.0.1:7421 n2@127.0.0.2:7421 n10@127.0.0.10:7421 ");
  }

  TEST_CASE("nodes are found by name or address, in the order asked for") {
    CHECK(names(nodes_of(status(), {"127.0.0.2:7421", "n3", "127.0.0.9:1"})) ==
          "n2@127.0.0.2:7421 n3@127.0.0.3:7421 127.0.0.9:1@127.0.0.9:1 ");
    CHECK(names(nodes_of(status(), {"n4"})).find("n4") != std::string::npos);
    CHECK(names(nodes_of(status(), {"n2", "127.0.0.2:7421"})).find("one node") !=
          std::string::npos);
    const std::vector<NodeTarget> nodes{{"n1", "127.0.0.1:7421"}};
    CHECK(name_of(nodes, "127.0.0.1:7421") == "n1");
    CHECK(name_of(nodes, "other") == "other");
  }

  TEST_CASE("a member without a Redis address is an error, one on every interface is not") {
    json all = status();
    all["cluster"]["members"] = json::array({member("n1", "off")});
    CHECK(names(nodes_of(all, {})).find("no Redis address") != std::string::npos);
    all["cluster"]["members"] = json::array({member("n1", "0.0.0.0:7421")});
    CHECK(names(nodes_of(all, {})) == "n1@10.0.0.9:7421 ");
    all["cluster"]["members"] = json::array();
    CHECK(names(nodes_of(all, {})).find("no live member") != std::string::npos);
  }

  TEST_CASE("addresses alone need no cluster") {
    CHECK(are_addresses({"127.0.0.1:1", "[::1]:2"}));
    CHECK(!are_addresses({"127.0.0.1:1", "n2"}));
    CHECK(!are_addresses({}));
    CHECK(names(nodes_by_address({"127.0.0.1:1"})) == "127.0.0.1:1@127.0.0.1:1 ");
    CHECK(!nodes_by_address({"127.0.0.1:1", "127.0.0.1:1"}).has_value());
    CHECK(!nodes_by_address({"127.0.0.1:0"}).has_value());
  }
}

}  // namespace
}  // namespace brigade::replay
