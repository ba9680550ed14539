#include "node/key_space.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

TEST_CASE("a key lives in the shard that its hash leaves over, however many shards there are") {
  const std::uint64_t placement = TokenStore::placement("users");
  const KeySpace keys("users");
  for (const std::uint32_t shards : {1U, 2U, 3U, 7U, 8U, 12U, 64U}) {
    for (const char* name : {"alice", "bob", "carol"}) {
      const KeyHash key = keys.hash(name);
      CHECK(keys.home(key, shards).value() == (placement ^ key.high) % shards);
    }
  }
}

TEST_CASE("a limit's name is found by its hash as by its text") {
  const KeySpace keys("users");
  CHECK(keys.named("users").hash == base::HashedName("users").hash);
  CHECK(base::NameHash{}(keys.named("users")) == base::NameHash{}(std::string("users")));
}

TEST_CASE("another cluster's keys have other hashes, the same cluster's the same for ever") {
  CHECK(KeySpace("users", 1).hash("alice") != KeySpace("users", 2).hash("alice"));
  CHECK(KeySpace("users", 1).hash("alice") == KeySpace("users", 1).hash("alice"));
  CHECK(KeySpace("users", 1).hash("alice") != KeySpace("teams", 1).hash("alice"));
}

}  // namespace
}  // namespace brigade::node
