// Which keys are asked for again and again, in little memory whatever the keys are.
//
// One counter per slot: a key counts up in its own slot; another key that meets it there counts it
// down and takes the slot over at zero, or when it was not asked for lately. So a key that is asked
// for more often than all its neighbours together is found, and the others cost nothing.
//
// Threads: single-threaded (owner: tills). Memory: kSlots x 32 bytes. Source: Boyer, Moore 1981
// (majority), by slots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/key_hash.h"
#include "base/time.h"

namespace brigade::node {

class KeyHeat {
 public:
  static constexpr std::size_t kSlots = 4096;
  static constexpr std::uint32_t kHot = 20;  // times within kWindow
  static constexpr base::Duration kWindow = base::seconds(1);

  KeyHeat() : slots_(kSlots) {}

  // Counts one request; true when the key is hot.
  bool asked(const base::KeyHash& key, base::TimePoint now) {
    Slot& slot = slots_[key.low % kSlots];
    const bool stale = now - slot.since >= kWindow;
    if (slot.key == key && !stale) {
      return ++slot.count >= kHot;
    }
    if (stale || slot.count == 0) {
      slot = {.key = key, .since = now, .count = 1};
    } else {
      --slot.count;
    }
    return false;
  }

 private:
  struct Slot {
    base::KeyHash key;
    base::TimePoint since = base::TimePoint(-kWindow);
    std::uint32_t count = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace brigade::node
