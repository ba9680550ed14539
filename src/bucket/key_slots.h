// A compact map from 128-bit key hash to a small value, kept sorted by hash in a gapped array.
//
// Why not a general hash map: 10 million idle keys must be small (the key and its value a slot, at
// least 64 % of them used after the first growth), a sweep must be able to stop anywhere and resume
// at a hash, and the order of a sweep must not depend on the process. Because a slot's home is
// monotone in the hash, the whole array is in hash order, whatever the order of insertions.
//
// Threads: single-threaded (owner: KeyTable, KeyMap). Invariants: (1) slots in use are strictly
// ascending by hash; (2) no free slot lies between a hash's home and its slot; (3) the last slot is
// free.
// Source: ordered hash tables (Amble, Knuth 1974); linear probing without wrap-around.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/key_hash.h"
#include "base/wide.h"

namespace brigade::bucket {

using base::KeyHash;

template <class Value>
class KeySlots {
 public:
  struct Slot {
    KeyHash key;  // zero: free
    Value value{};
    [[nodiscard]] bool in_use() const { return key != KeyHash{}; }
  };

  // `shared_bits`: how many of the first bits all hashes have in common.
  explicit KeySlots(unsigned shared_bits = 0) : shared_bits_(shared_bits) {}

  // The value of a key, or nullptr. Valid until the next insert or erase. Requires: key not zero.
  [[nodiscard]] const Value* find(const KeyHash& key) const {
    if (count_ == 0) {
      return nullptr;
    }
    const Slot& slot = slots_[lower_bound(key)];
    return slot.key == key ? &slot.value : nullptr;
  }
  [[nodiscard]] Value* find(const KeyHash& key) {
    return const_cast<Value*>(const_cast<const KeySlots*>(this)->find(key));
  }
  // Adds a key. Requires: it is absent and not zero. May grow (copies every slot).
  void insert(const KeyHash& key, const Value& value);
  // Frees the slot; later slots may move down into it. Requires: in use.
  void erase_at(std::size_t index);
  // The first slot that a hash >= `from` could be in.
  [[nodiscard]] std::size_t seek(const KeyHash& from) const {
    return slots_.empty() ? 0 : lower_bound(from);
  }
  // Gives memory back if less than a quarter is used.
  void shrink();
  void clear();

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t slot_count() const { return slots_.size(); }
  [[nodiscard]] const Slot& at(std::size_t index) const { return slots_[index]; }
  [[nodiscard]] Slot& at(std::size_t index) { return slots_[index]; }

  void check_invariants() const;

 private:
  static constexpr std::size_t kHomesMin = 8;

  // Slots behind the last home, so that a run at the end need not wrap. At 4/5 used a run reaches
  // beyond 24 of them with probability 3e-5.
  static constexpr std::size_t spare(std::size_t homes) { return std::min<std::size_t>(homes, 24); }
  // At most 4/5 used: runs stay short (about 3 slots looked at for a hit, fewer for a miss).
  static constexpr std::size_t capacity(std::size_t homes) { return homes / 5 * 4; }

  [[nodiscard]] std::size_t home(const KeyHash& key) const {
    const std::uint64_t place = key.high << shared_bits_;
    return static_cast<std::size_t>((base::UnsignedWide{place} * homes_) >> 64U);
  }
  // Index of the key's slot, or of the slot before which it belongs.
  [[nodiscard]] std::size_t lower_bound(const KeyHash& key) const {
    std::size_t i = home(key);
    while (slots_[i].in_use() && slots_[i].key < key) {
      ++i;
    }
    return i;
  }
  bool place(const KeyHash& key, const Value& value);
  void rebuild(std::size_t homes);
  // Adds spare slots at the end.
  void extend();

  std::vector<Slot> slots_;
  std::size_t homes_ = 0;  // slots that are somebody's home; behind them come spare ones
  std::size_t count_ = 0;
  unsigned shared_bits_ = 0;
};

template <class Value>
bool KeySlots<Value>::place(const KeyHash& key, const Value& value) {
  const std::size_t i = lower_bound(key);
  std::size_t free = i;
  while (slots_[free].in_use()) {
    ++free;
  }
  if (free + 1 == slots_.size()) {
    return false;
  }
  for (std::size_t j = free; j > i; --j) {
    slots_[j] = slots_[j - 1];
  }
  slots_[i] = Slot{key, value};
  ++count_;
  return true;
}

template <class Value>
void KeySlots<Value>::insert(const KeyHash& key, const Value& value) {
  if (count_ + 1 > capacity(homes_)) {
    rebuild(std::max(kHomesMin, homes_ + homes_ / 4));
  }
  if (!place(key, value)) {
    extend();
    BRIGADE_CHECK(place(key, value));
  }
}

template <class Value>
void KeySlots<Value>::extend() {
  const std::size_t longer = slots_.size() + spare(homes_);
  slots_.reserve(longer);  // resize alone would double the memory
  slots_.resize(longer);
}

template <class Value>
void KeySlots<Value>::rebuild(std::size_t homes) {
  std::vector<Slot> old;
  old.swap(slots_);
  homes_ = homes;
  slots_.resize(homes + spare(homes));
  // Ascending, so every slot's run only ever extends to the right: one linear pass.
  std::size_t next = 0;
  for (const Slot& slot : old) {
    if (!slot.in_use()) {
      continue;
    }
    next = std::max(next, home(slot.key));
    if (next + 1 >= slots_.size()) {
      extend();
    }
    slots_[next++] = slot;
  }
}

template <class Value>
void KeySlots<Value>::erase_at(std::size_t index) {
  BRIGADE_CHECK(slots_[index].in_use());
  std::size_t i = index;
  while (slots_[i + 1].in_use() && home(slots_[i + 1].key) <= i) {
    slots_[i] = slots_[i + 1];
    ++i;
  }
  slots_[i] = Slot{};
  --count_;
}

template <class Value>
void KeySlots<Value>::shrink() {
  if (count_ == 0) {
    clear();
  } else if (count_ < homes_ / 4 && homes_ > kHomesMin) {
    rebuild(std::max(kHomesMin, count_ + count_ / 2));
  }
}

template <class Value>
void KeySlots<Value>::clear() {
  std::vector<Slot>().swap(slots_);
  homes_ = 0;
  count_ = 0;
}

template <class Value>
void KeySlots<Value>::check_invariants() const {
  std::size_t used = 0;
  const Slot* before = nullptr;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (!slot.in_use()) {
      continue;
    }
    ++used;
    BRIGADE_CHECK(before == nullptr || before->key < slot.key);
    before = &slot;
    for (std::size_t j = home(slot.key); j < i; ++j) {
      BRIGADE_CHECK(slots_[j].in_use());
    }
  }
  BRIGADE_CHECK(used == count_);
  BRIGADE_CHECK(slots_.empty() || !slots_.back().in_use());
}

}  // namespace brigade::bucket
