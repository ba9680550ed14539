// Which keys are in demand for long: tokens given per key and second, in a bounded table.
//
// A key is hot when it passed a threshold in each of the last kSeconds whole seconds.
// Threads: single-threaded (owner: node). Limits: kTracked keys; while all of them are in demand
// further ones are not seen until one cools down.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "base/key_hash.h"
#include "base/time.h"
#include "base/tokens.h"

namespace brigade::bucket {

class HotKeys {
 public:
  static constexpr std::size_t kTracked = 256;
  static constexpr int kSeconds = 2;

  // So many tokens were given of this key. `threshold`: tokens per second from which a key counts.
  void note(const base::KeyHash& key, base::Tokens given, base::Tokens threshold,
            base::TimePoint now);
  // Hot keys; none when nothing was noted for a while.
  [[nodiscard]] std::vector<base::KeyHash> hot(base::TimePoint now) const;
  void forget(const base::KeyHash& key) { tracked_.erase(key); }

 private:
  struct Heat {
    base::Tokens given;  // in this second
    base::Tokens threshold;
    int seconds = 0;  // in a row above the threshold
  };

  void roll(base::TimePoint now);

  std::map<base::KeyHash, Heat> tracked_;
  base::TimePoint second_began_{};
};

}  // namespace brigade::bucket
