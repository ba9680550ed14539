// One take from a key's bucket, or a look at it, as the key's shard leader is asked for it.
#pragma once

#include <string_view>

#include "base/hashed_name.h"
#include "bucket/limit_spec.h"
#include "node/rights.h"

namespace brigade::node {

// The views and the pointer live for the call.
struct KeyTake {
  base::HashedName limit;
  KeyHash key;
  Tokens cost;
  std::string_view priority;
  bool peek = false;
  const bucket::LimitSpec* implicit = nullptr;  // CL.THROTTLE: the limit that the name stands for
  bool reserve = false;  // what is not used comes back by a settlement of this id
  KeyHash id;            // of the reservation
};

}  // namespace brigade::node
