#include "node/strict_ids.h"

#include <algorithm>

#include "base/check.h"

namespace brigade::node {

const StrictIdRecord* StrictIds::find(const KeyHash& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

bool StrictIds::add(const StrictIdRecord& record) {
  if (!by_id_.emplace(record.id, record).second) {
    return false;
  }
  by_age_[record.applied].push_back(record.id);
  return true;
}

std::vector<StrictIdRecord> StrictIds::take_older(Stamp than) {
  std::vector<StrictIdRecord> old;
  while (!by_age_.empty() && by_age_.begin()->first < than) {
    for (const KeyHash& id : by_age_.begin()->second) {
      old.push_back(by_id_.extract(id).mapped());
    }
    by_age_.erase(by_age_.begin());
  }
  return old;
}

std::vector<StrictIdRecord> StrictIds::all() const {
  std::vector<StrictIdRecord> records;
  records.reserve(by_id_.size());
  for (const auto& [id, record] : by_id_) {
    records.push_back(record);
  }
  std::sort(records.begin(), records.end(),
            [](const StrictIdRecord& a, const StrictIdRecord& b) { return a.id < b.id; });
  return records;
}

void StrictIds::check_invariants() const {
  BRIGADE_CHECK(by_age_.empty() == by_id_.empty());
  BRIGADE_CHECK(by_age_.size() <= by_id_.size());
}

}  // namespace brigade::node
