#include "bucket/hot_keys.h"

namespace brigade::bucket {
namespace {

constexpr base::Duration kSecond = base::seconds(1);

}  // namespace

void HotKeys::roll(base::TimePoint now) {
  if (now < second_began_ + kSecond) {
    return;
  }
  // A second in which nothing at all was noted ends every row.
  const bool gap = now >= second_began_ + 2 * kSecond;
  for (auto it = tracked_.begin(); it != tracked_.end();) {
    Heat& heat = it->second;
    heat.seconds = !gap && heat.given >= heat.threshold ? heat.seconds + 1 : 0;
    heat.given = base::Tokens{};
    it = heat.seconds == 0 ? tracked_.erase(it) : std::next(it);
  }
  second_began_ = now;
}

void HotKeys::note(const base::KeyHash& key, base::Tokens given, base::Tokens threshold,
                   base::TimePoint now) {
  roll(now);
  if (tracked_.size() >= kTracked && !tracked_.contains(key)) {
    return;
  }
  Heat& heat = tracked_[key];
  heat.given += given;
  heat.threshold = threshold;
}

std::vector<base::KeyHash> HotKeys::hot(base::TimePoint now) const {
  std::vector<base::KeyHash> keys;
  if (now >= second_began_ + 2 * kSecond) {
    return keys;
  }
  for (const auto& [key, heat] : tracked_) {
    if (heat.seconds >= kSeconds) {
      keys.push_back(key);
    }
  }
  return keys;
}

}  // namespace brigade::bucket
