#include "base/key_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace brigade::base {

KeyHash hash_key(std::string_view key, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(key.data(), key.size(), seed);
  return {hash.high64, hash.low64};
}

}  // namespace brigade::base
