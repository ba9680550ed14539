// Which limits somebody starved for lately, as digests tell it, and which of its limits a node
// therefore tells of: a digest has room for a few only (semantics 5, "the gossiped top lenders of
// limits that someone starved for lately").
//
// Beliefs only choose whom to ask; a wrong one costs a round trip, never a token.
// Threads: single-threaded (owner: node).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/time.h"
#include "node/messages.h"

namespace brigade::node {

class Starved {
 public:
  static constexpr std::size_t kMaxLimits = 256;
  // A digest is heard again long before.
  static constexpr base::Duration kLately = base::seconds(4);

  // A peer says that it starves for this limit.
  void heard(std::uint64_t limit, base::TimePoint now);
  [[nodiscard]] bool lately(std::uint64_t limit, base::TimePoint now) const;

  // The `most` reports that are worth telling: of what others starve for and this node has, and of
  // what it starves for itself, half of the room each at first; then of the largest others.
  [[nodiscard]] std::vector<FreeReport> worth_telling(std::vector<FreeReport> reports,
                                                      std::size_t most, base::TimePoint now) const;

 private:
  std::map<std::uint64_t, base::TimePoint> heard_;
};

}  // namespace brigade::node
