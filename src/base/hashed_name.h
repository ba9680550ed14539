// A name with its hash, which is taken once: a request looks its limit up in several tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/key_hash.h"

namespace brigade::base {

// The view lives as long as what it points into.
struct HashedName {
  std::string_view text;
  std::uint64_t hash = 0;

  explicit HashedName(std::string_view name) : text(name), hash(hash_key(name, 0).low) {}
  // Requires: `known` is this name's hash.
  HashedName(std::string_view name, std::uint64_t known) : text(name), hash(known) {}
  operator std::string_view() const { return text; }
};

// For hash tables by name, which may be asked for either.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return HashedName(name).hash; }
  std::size_t operator()(const HashedName& name) const { return name.hash; }
};
struct NameEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

}  // namespace brigade::base
