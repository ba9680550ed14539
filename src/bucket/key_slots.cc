#include "bucket/key_slots.h"

#include <algorithm>

#include "base/check.h"

namespace brigade::bucket {
namespace {

constexpr std::size_t kHomesMin = 8;

// Slots behind the last home, so that a run at the end need not wrap. At 4/5 used a run reaches
// beyond 24 of them with probability 3e-5.
constexpr std::size_t spare(std::size_t homes) {
  return std::min<std::size_t>(homes, 24);
}

// At most 4/5 used: runs stay short (about 3 slots looked at for a hit, fewer for a miss).
constexpr std::size_t capacity(std::size_t homes) {
  return homes / 5 * 4;
}

}  // namespace

bool KeySlots::place(const KeyHash& key, std::int64_t value) {
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

void KeySlots::insert(const KeyHash& key, std::int64_t value) {
  if (count_ + 1 > capacity(homes_)) {
    rebuild(std::max(kHomesMin, homes_ + homes_ / 4));
  }
  if (!place(key, value)) {
    extend();
    BRIGADE_CHECK(place(key, value));
  }
}

void KeySlots::extend() {
  const std::size_t longer = slots_.size() + spare(homes_);
  slots_.reserve(longer);  // resize alone would double the memory
  slots_.resize(longer);
}

void KeySlots::rebuild(std::size_t homes) {
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

void KeySlots::erase_at(std::size_t index) {
  BRIGADE_CHECK(slots_[index].in_use());
  std::size_t i = index;
  while (slots_[i + 1].in_use() && home(slots_[i + 1].key) <= i) {
    slots_[i] = slots_[i + 1];
    ++i;
  }
  slots_[i] = Slot{};
  --count_;
}

std::size_t KeySlots::seek(const KeyHash& from) const {
  return slots_.empty() ? 0 : lower_bound(from);
}

void KeySlots::shrink() {
  if (count_ == 0) {
    clear();
  } else if (count_ < homes_ / 4 && homes_ > kHomesMin) {
    rebuild(std::max(kHomesMin, count_ + count_ / 2));
  }
}

void KeySlots::clear() {
  std::vector<Slot>().swap(slots_);
  homes_ = 0;
  count_ = 0;
}

void KeySlots::check_invariants() const {
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
