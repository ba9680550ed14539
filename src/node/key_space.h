// The keys of one limit: what tells them apart and which shard each lives in. The limit's name is
// hashed once, when the limit becomes known, and not with every request. The empty key stands for
// the limit itself, whose only bucket is in the shard of its name.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/hashed_name.h"
#include "base/key_hash.h"
#include "node/rights.h"
#include "node/token_store.h"

namespace brigade::node {

class KeySpace {
 public:
  KeySpace() = default;
  // `seed`: the cluster's, the same at all of its nodes for ever.
  explicit KeySpace(std::string_view limit, std::uint64_t seed = 0)
      : limit_(base::HashedName(limit).hash),
        seed_(kSeed ^ limit_ ^ seed),
        placement_(TokenStore::placement(limit)) {}

  // Its limit's name. Requires: `limit` is the one that this was made for.
  [[nodiscard]] base::HashedName named(std::string_view limit) const { return {limit, limit_}; }

  [[nodiscard]] KeyHash hash(std::string_view key) const {
    return key.empty() ? whole({{}, limit_}) : base::hash_key(key, seed_);
  }
  // The key of a limit's only bucket.
  [[nodiscard]] static KeyHash whole(const base::HashedName& limit) {
    return {.high = 0, .low = limit.hash};
  }
  [[nodiscard]] ShardId home(const KeyHash& key, std::uint32_t shards) const {
    return TokenStore::home_of(placement_, key, shards);
  }

 private:
  static constexpr std::uint64_t kSeed = 0x6b65792d68617368;

  std::uint64_t limit_ = 0;  // its name's hash
  std::uint64_t seed_ = 0;
  std::uint64_t placement_ = 0;
};

}  // namespace brigade::node
