// The limits that CL.THROTTLE's arguments stand for, remembered by their arguments so that a
// request builds no name.
//
// Threads: single-threaded (owner: node). Limits: kRemembered; beyond, all are forgotten and built
// anew as they are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "bucket/limit_spec.h"
#include "node/acquire.h"
#include "node/key_space.h"

namespace brigade::node {

struct ImplicitLimit {
  std::shared_ptr<const bucket::LimitSpec> spec;
  KeySpace keys;
};

class ImplicitLimits {
 public:
  static constexpr std::size_t kRemembered = 4096;

  // `key_seed`: the cluster's.
  explicit ImplicitLimits(std::uint64_t key_seed) : key_seed_(key_seed) {}

  // The same arguments give the same name. Valid until the next call.
  const ImplicitLimit& of(const ThrottleRequest& request);

 private:
  struct Terms {
    std::int64_t max_burst = 0;
    std::int64_t count = 0;
    std::int64_t period_s = 0;
    friend bool operator==(const Terms&, const Terms&) = default;
  };
  struct Hash {
    std::size_t operator()(const Terms& terms) const;
  };

  std::uint64_t key_seed_;
  std::unordered_map<Terms, ImplicitLimit, Hash> known_;
};

}  // namespace brigade::node
