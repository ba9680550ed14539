// A compact map from 128-bit key hash to one 64-bit number, kept sorted by hash in a gapped array.
//
// Why not a general hash map: 10 million idle keys must be small (24 bytes a slot, at least 64 %
// of them used after the first growth), a sweep must be able to stop anywhere and resume at a
// hash, and the order of a sweep must not depend on the process. Because a slot's home is
// monotone in the hash, the whole array is in hash order, whatever the order of insertions.
//
// Threads: single-threaded (owner: KeyTable). Invariants: (1) slots in use are strictly ascending
// by hash; (2) no free slot lies between a hash's home and its slot; (3) the last slot is free.
// Source: ordered hash tables (Amble, Knuth 1974); linear probing without wrap-around.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/key_hash.h"
#include "base/wide.h"

namespace brigade::bucket {

using base::KeyHash;

class KeySlots {
 public:
  struct Slot {
    KeyHash key;  // zero: free
    std::int64_t value = 0;
    [[nodiscard]] bool in_use() const { return key != KeyHash{}; }
  };

  // The value of a key, or nullptr. Valid until the next insert or erase. Requires: key not zero.
  [[nodiscard]] const std::int64_t* find(const KeyHash& key) const {
    if (count_ == 0) {
      return nullptr;
    }
    const Slot& slot = slots_[lower_bound(key)];
    return slot.key == key ? &slot.value : nullptr;
  }
  [[nodiscard]] std::int64_t* find(const KeyHash& key) {
    return const_cast<std::int64_t*>(const_cast<const KeySlots*>(this)->find(key));
  }
  // Adds a key. Requires: it is absent and not zero. May grow (copies every slot).
  void insert(const KeyHash& key, std::int64_t value);
  // Frees the slot; later slots may move down into it. Requires: in use.
  void erase_at(std::size_t index);
  // The first slot that a hash >= `from` could be in.
  [[nodiscard]] std::size_t seek(const KeyHash& from) const;
  // Gives memory back if less than a quarter is used.
  void shrink();
  void clear();

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t slot_count() const { return slots_.size(); }
  [[nodiscard]] const Slot& at(std::size_t index) const { return slots_[index]; }
  [[nodiscard]] Slot& at(std::size_t index) { return slots_[index]; }

  void check_invariants() const;

 private:
  [[nodiscard]] std::size_t home(const KeyHash& key) const {
    return static_cast<std::size_t>((static_cast<base::UnsignedWide>(key.high) * homes_) >> 64U);
  }
  // Index of the key's slot, or of the slot before which it belongs.
  [[nodiscard]] std::size_t lower_bound(const KeyHash& key) const {
    std::size_t i = home(key);
    while (slots_[i].in_use() && slots_[i].key < key) {
      ++i;
    }
    return i;
  }
  bool place(const KeyHash& key, std::int64_t value);
  void rebuild(std::size_t homes);
  // Adds spare slots at the end.
  void extend();

  std::vector<Slot> slots_;
  std::size_t homes_ = 0;  // slots that are somebody's home; behind them come spare ones
  std::size_t count_ = 0;
};

}  // namespace brigade::bucket
