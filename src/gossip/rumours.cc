#include "gossip/rumours.h"

#include "base/check.h"

namespace brigade::gossip {

void Rumours::add(NodeId id) {
  remove(id);
  const Place place{0, next_age_--, id};
  places_.emplace(id, place);
  order_.insert(place);
}

void Rumours::remove(NodeId id) {
  const auto found = places_.find(id);
  if (found != places_.end()) {
    order_.erase(found->second);
    places_.erase(found);
  }
}

void Rumours::check_invariants() const {
  BRIGADE_CHECK(order_.size() == places_.size());
  BRIGADE_CHECK(order_.size() <= kMembersMax + 1);
}

}  // namespace brigade::gossip
