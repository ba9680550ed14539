// Who leads which shard, as far as this node has heard. A wrong belief costs a round trip: whoever
// is asked by mistake says whom it believes to lead.
#pragma once

#include <cstdint>
#include <vector>

#include "node/rights.h"

namespace brigade::node {

class Directory {
 public:
  explicit Directory(std::uint32_t shards) : entries_(shards) {}

  // News of a leader; older terms are ignored. True when the belief changed.
  bool heard(ShardId shard, NodeId leader, std::uint64_t term) {
    if (shard.value() >= entries_.size()) {
      return false;
    }
    Entry& entry = entries_[shard.value()];
    if (!leader || term < entry.term) {
      return false;
    }
    const bool changed = term != entry.term || entry.leader != leader;
    entry = {.leader = leader, .term = term};
    return changed;
  }
  // The believed leader did not answer or is gone: somebody else is asked next.
  void doubt(ShardId shard, NodeId leader) {
    if (shard.value() < entries_.size() && entries_[shard.value()].leader == leader) {
      entries_[shard.value()].doubted = true;
    }
  }
  // `from`, asked as its leader, said that it is not, and perhaps who is. True when it named
  // another.
  bool redirected(ShardId shard, NodeId from, NodeId leader) {
    doubt(shard, from);
    if (!leader || leader == from || shard.value() >= entries_.size()) {
      return false;
    }
    heard(shard, leader, term(shard));
    return true;
  }
  void left(NodeId node) {
    for (Entry& entry : entries_) {
      if (entry.leader == node) {
        entry.doubted = true;
      }
    }
  }

  [[nodiscard]] NodeId leader(ShardId shard) const {
    const bool known = shard.value() < entries_.size() && !entries_[shard.value()].doubted;
    return known ? entries_[shard.value()].leader : NodeId();
  }
  [[nodiscard]] std::uint64_t term(ShardId shard) const { return entries_[shard.value()].term; }

 private:
  struct Entry {
    NodeId leader;
    std::uint64_t term = 0;
    bool doubted = false;
  };
  std::vector<Entry> entries_;
};

}  // namespace brigade::node
