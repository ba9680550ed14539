#include "node/limit_changes.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

bucket::LimitSpec keyed(const char* name, std::int64_t rate) {
  bucket::LimitSpec spec;
  spec.name = name;
  spec.per_key = true;
  spec.rate = Rate::per_second(rate);
  spec.burst = Tokens::whole(60);
  return spec;
}

// Known are "fast" and "slow".
struct Shard {
  TokenStore store{ShardId(0), 1};
  LimitChanges changes;

  Shard() { store.apply(2, Configure{.limits = {keyed("fast", 20), keyed("slow", 5)}}); }
  std::vector<std::string> begin(const Configure& entry) { return changes.begin(entry, store); }
};

using Names = std::vector<std::string>;

TEST_CASE("a limit is held while an entry is under way that may end it") {
  Shard shard;
  CHECK_FALSE(shard.changes.hold("fast"));
  const Names slower = shard.begin({.limits = {keyed("fast", 5)}});
  CHECK(slower == Names{"fast"});
  CHECK(shard.changes.hold("fast"));
  CHECK_FALSE(shard.changes.hold("slow"));
  const Names gone = shard.begin({.dropped = {"fast", "slow"}});
  CHECK(gone == Names{"fast", "slow"});
  shard.changes.end(slower);
  CHECK(shard.changes.hold("fast"));
  shard.changes.end(gone);
  CHECK_FALSE(shard.changes.hold("fast"));
  CHECK_FALSE(shard.changes.hold("slow"));
}

TEST_CASE("changes that keep every level hold nothing") {
  Shard shard;
  CHECK(shard.begin({.limits = {keyed("fast", 20), keyed("slow", 4)}}).empty());
  bucket::LimitSpec higher = keyed("slow", 5);
  higher.burst = Tokens::whole(600);
  CHECK(shard.begin({.limits = {higher}}).empty());
}

TEST_CASE("a limit is held when nodes get parts of it, or have no longer parts of it") {
  Shard shard;
  bucket::LimitSpec divided = keyed("all", 20);
  divided.per_key = false;
  bucket::LimitSpec few = divided;
  few.burst = Tokens::whole(12);
  shard.store.apply(3, Configure{.limits = {divided}});
  CHECK(shard.begin({.limits = {few}}) == Names{"all"});
  shard.changes.end({"all"});
  shard.store.apply(4, Configure{.limits = {few}});
  CHECK(shard.begin({.limits = {divided}}) == Names{"all"});
  shard.changes.end({"all"});
  few.burst = Tokens::whole(11);
  CHECK(shard.begin({.limits = {few}}).empty());
}

TEST_CASE("what follows a change that is under way is held with it, whatever is known so far") {
  Shard shard;
  const Names first = shard.begin({.limits = {keyed("slow", 20)}});
  const Names back = shard.begin({.limits = {keyed("slow", 5)}});
  CHECK(back == Names{"slow"});
  shard.changes.end(first);
  CHECK(shard.changes.hold("slow"));
}

TEST_CASE("a declared name may have been an implicit limit's, and is held until it is known") {
  Shard shard;
  CHECK(shard.begin({.limits = {keyed("new", 5)}}) == Names{"new"});
  CHECK(shard.begin({.dropped = {"new"}}) == Names{"new"});
}

TEST_CASE("pruning holds what is not listed, known or on its way") {
  Shard shard;
  shard.begin({.limits = {keyed("new", 5)}});
  CHECK(shard.begin({.limits = {keyed("fast", 20)}, .prune = true}) == Names{"new", "slow"});
}

}  // namespace
}  // namespace brigade::node
