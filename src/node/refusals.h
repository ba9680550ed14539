// What leaders refused of keys a moment ago, so that a client that hammers a key costs one message
// per kRemembered, not one per request.
//
// Exact: a refusal says when the cost could be taken at the earliest, by minting alone; others can
// only take tokens meanwhile. What raises a level earlier is rare (a refund, a quantum that comes
// back, a limit that is raised): for those no refusal is remembered longer than kRemembered. All
// times count from the send of the ask, so that none is remembered for longer than it held.
//
// Threads: single-threaded (owner: node). Memory: kSlots; a newer refusal takes an older one's
// slot. Time: the fast line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/key_hash.h"
#include "base/time.h"
#include "base/tokens.h"
#include "bucket/limit_spec.h"

namespace brigade::node {

class Refusals {
 public:
  static constexpr std::size_t kSlots = 4096;
  static constexpr base::Duration kRemembered = base::milliseconds(100);

  struct Refusal {
    base::Tokens cost;
    bucket::Permille reserved = 0;  // of the class that was refused
    base::Tokens remaining;
    base::Duration retry_after{0};
  };

  // The leader's answer to an ask that was first sent at `asked`.
  void remember(const base::KeyHash& key, const Refusal& refusal, base::TimePoint asked) {
    if (slots_.empty()) {
      slots_.resize(kSlots);
    }
    slots_[key.low % kSlots] = {.key = key, .refusal = refusal, .asked = asked, .known = true};
  }

  // What the leader would say still; nullopt: it must be asked. `rate`: of the limit.
  [[nodiscard]] std::optional<Refusal> recall(const base::KeyHash& key, base::Tokens cost,
                                              bucket::Permille reserved, base::Rate rate,
                                              base::TimePoint now) const {
    if (slots_.empty()) {
      return std::nullopt;
    }
    const Slot& slot = slots_[key.low % kSlots];
    const base::Duration ago = now - slot.asked;
    Refusal refusal = slot.refusal;
    if (!slot.known || slot.key != key || ago >= std::min(refusal.retry_after, kRemembered) ||
        cost < refusal.cost || reserved != refusal.reserved) {
      return std::nullopt;
    }
    const base::Duration more = rate.time_for(cost - refusal.cost);
    const base::Duration left = refusal.retry_after - ago;
    refusal.retry_after = more > base::Duration::max() - left ? base::Duration::max() : left + more;
    return refusal;
  }

  // A limit changed: whatever was refused may be admitted now.
  void forget() { slots_.clear(); }

 private:
  struct Slot {
    base::KeyHash key;
    Refusal refusal;
    base::TimePoint asked;
    bool known = false;
  };
  std::vector<Slot> slots_;  // none until the first refusal
};

}  // namespace brigade::node
