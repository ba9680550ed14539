// Who is still to be talked about: at most one entry per member, told a bounded number of times,
// the least told first and the latest among equals. What is said is taken from the member's
// record when it is sent, so that a newer piece of news replaces an older one by itself.
// Source: SWIM section 4.1. Threads: single-threaded (owner: the core).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "gossip/messages.h"

namespace brigade::gossip {

class Rumours {
 public:
  // (Re)starts telling about `id`.
  void add(NodeId id);
  void remove(NodeId id);

  // Room for telling, spent by `tell`.
  struct Room {
    std::size_t bytes = 0;
    std::size_t entries = 0;
  };
  // Picks what fits in `room` and counts it as told once; entries told `limit` times are dropped.
  // `size_of(id)` gives bytes, 0 for what is not worth telling any more (dropped). Returns the
  // picked ids in the order of telling.
  template <class SizeOf>
  std::vector<NodeId> tell(Room& room, std::uint32_t limit, const SizeOf& size_of);

  [[nodiscard]] bool empty() const { return order_.empty(); }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  [[nodiscard]] bool contains(NodeId id) const { return places_.contains(id); }
  // Ids in the order of telling.
  template <class Visit>
  void each(const Visit& visit) const {
    for (const Place& place : order_) {
      visit(place.id);
    }
  }
  void check_invariants() const;

 private:
  struct Place {
    std::uint32_t told = 0;
    std::uint64_t age = 0;  // counts down: later additions come first
    NodeId id;
    friend constexpr auto operator<=>(const Place&, const Place&) = default;
  };
  // No encoding of anything is smaller: stop looking when less room is left.
  static constexpr std::size_t kSmallestBytes = 40;

  std::set<Place> order_;
  std::map<NodeId, Place> places_;
  std::uint64_t next_age_ = UINT64_MAX;
};

template <class SizeOf>
std::vector<NodeId> Rumours::tell(Room& room, std::uint32_t limit, const SizeOf& size_of) {
  std::vector<NodeId> told;
  std::vector<NodeId> stale;
  for (const Place& place : order_) {
    if (room.bytes < kSmallestBytes || room.entries == 0) {
      break;
    }
    const std::size_t bytes = size_of(place.id);
    if (bytes == 0) {
      stale.push_back(place.id);
    } else if (bytes <= room.bytes) {
      room.bytes -= bytes;
      --room.entries;
      told.push_back(place.id);
    }
  }
  for (const NodeId id : stale) {
    remove(id);
  }
  for (const NodeId id : told) {
    const auto found = places_.find(id);
    Place place = found->second;
    order_.erase(place);
    if (++place.told >= limit) {
      places_.erase(found);
    } else {
      found->second = place;
      order_.insert(place);
    }
  }
  return told;
}

}  // namespace brigade::gossip
