// The ids of strict acquires that were admitted lately: one effect per id inside the dedup window
// (semantics 6, strict). Part of the token store's replicated state.
//
// Threads: single-threaded (owner: node). Memory: about 100 bytes per id; every strict acquire
// looks one up and adds one, so both cost O(1).
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "node/records.h"

namespace brigade::node {

class StrictIds {
 public:
  [[nodiscard]] const StrictIdRecord* find(const KeyHash& id) const;
  // False when the id is known.
  bool add(const StrictIdRecord& record);
  // Takes out the ids that were applied before this, oldest first.
  std::vector<StrictIdRecord> take_older(Stamp than);
  // All of them in the order of their ids, which is the same on every replica.
  [[nodiscard]] std::vector<StrictIdRecord> all() const;
  void check_invariants() const;

 private:
  std::unordered_map<KeyHash, StrictIdRecord, base::KeyHashed> by_id_;
  // Those of one batch share its stamp.
  std::map<Stamp, std::vector<KeyHash>> by_age_;
};

}  // namespace brigade::node
