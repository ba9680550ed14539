// A compact map from 128-bit key hash to a small value, in the order of the hashes, that grows part
// by part: no insertion copies more than one of kParts parts, however many keys there are.
//
// The order depends on the keys alone, so that a walk can stop at a key and go on there, also in a
// copy that was built in another way.
//
// Threads: single-threaded (owner: whoever holds it). Invariants: a key is in the part that its
// first bits name; `count` is the sum of the parts'.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"
#include "bucket/key_slots.h"

namespace brigade::bucket {

template <class Value>
class KeyMap {
 public:
  static constexpr unsigned kPartBits = 6;
  static constexpr std::size_t kParts = std::size_t{1} << kPartBits;
  // Up to here one part is small enough to be copied at once.
  static constexpr std::size_t kUndivided = 4096;

  // The value of a key, or nullptr. Valid until the next insert or erase.
  [[nodiscard]] const Value* find(const KeyHash& key) const {
    if (key == KeyHash{}) {
      return zero_ ? &*zero_ : nullptr;
    }
    return parts_.empty() ? nullptr : parts_[part_of(key)].find(key);
  }
  [[nodiscard]] Value* find(const KeyHash& key) {
    return const_cast<Value*>(const_cast<const KeyMap*>(this)->find(key));
  }
  [[nodiscard]] bool contains(const KeyHash& key) const { return find(key) != nullptr; }

  // False: it is there already, and stays as it is.
  bool insert(const KeyHash& key, const Value& value) {
    if (contains(key)) {
      return false;
    }
    ++count_;
    if (key == KeyHash{}) {
      zero_ = value;
      return true;
    }
    if (parts_.empty()) {
      parts_.resize(1);
    } else if (parts_.size() == 1 && parts_.front().count() >= kUndivided) {
      divide();
    }
    parts_[part_of(key)].insert(key, value);
    return true;
  }

  bool erase(const KeyHash& key) {
    if (!contains(key)) {
      return false;
    }
    if (--count_ == 0) {
      *this = KeyMap();
    } else if (key == KeyHash{}) {
      zero_.reset();
    } else {
      Slots& part = parts_[part_of(key)];
      part.erase_at(part.seek(key));
      part.shrink();
    }
    return true;
  }

  // Calls `visit(key, value)` for the keys from `from` on, in ascending order, until it returns
  // false.
  template <class Visit>
  void walk(const KeyHash& from, const Visit& visit) const {
    if (zero_ && from == KeyHash{} && !visit(from, *zero_)) {
      return;
    }
    for (std::size_t p = parts_.empty() ? 0 : part_of(from); p < parts_.size(); ++p) {
      const Slots& part = parts_[p];
      for (std::size_t i = p == part_of(from) ? part.seek(from) : 0; i < part.slot_count(); ++i) {
        if (part.at(i).in_use() && !visit(part.at(i).key, part.at(i).value)) {
          return;
        }
      }
    }
  }
  template <class Visit>
  void for_each(const Visit& visit) const {
    walk(KeyHash{}, [&](const KeyHash& key, const Value& value) {
      visit(key, value);
      return true;
    });
  }
  template <class Visit>
  void for_each(const Visit& visit) {
    const auto* self = this;
    self->for_each(
        [&](const KeyHash& key, const Value& value) { visit(key, const_cast<Value&>(value)); });
  }

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // Bytes that the map holds, the slots in reserve included.
  [[nodiscard]] std::size_t memory() const {
    std::size_t bytes = parts_.capacity() * sizeof(Slots);
    for (const Slots& part : parts_) {
      bytes += part.slot_count() * sizeof(typename Slots::Slot);
    }
    return bytes;
  }

  void check_invariants() const {
    std::size_t sum = zero_ ? 1 : 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      parts_[p].check_invariants();
      sum += parts_[p].count();
      for (std::size_t i = 0; i < parts_[p].slot_count(); ++i) {
        BRIGADE_CHECK(!parts_[p].at(i).in_use() || part_of(parts_[p].at(i).key) == p);
      }
    }
    BRIGADE_CHECK(sum == count_);
  }

 private:
  using Slots = KeySlots<Value>;

  // By the first bits, so that the parts are in the order of their keys.
  [[nodiscard]] std::size_t part_of(const KeyHash& key) const {
    return parts_.size() == 1 ? 0 : static_cast<std::size_t>(key.high >> (64 - kPartBits));
  }

  void divide() {
    std::vector<Slots> whole(kParts, Slots(kPartBits));
    whole.swap(parts_);
    for (std::size_t i = 0; i < whole.front().slot_count(); ++i) {
      const auto& slot = whole.front().at(i);
      if (slot.in_use()) {
        parts_[part_of(slot.key)].insert(slot.key, slot.value);
      }
    }
  }

  std::vector<Slots> parts_;  // none, one, or kParts
  // A shard's key without a name has the hash that marks a free slot.
  std::optional<Value> zero_;
  std::size_t count_ = 0;
};

}  // namespace brigade::bucket
