// Raft's own words for identity and position.
#pragma once

#include <compare>
#include <cstdint>

#include "base/id.h"

namespace brigade::raft {

// One replica of one group. Never reused: a replica that lost its disk returns under a new id.
using ReplicaId = base::Id<struct ReplicaIdTag>;
using Term = base::Id<struct TermTag>;

// A position in the log; 0 stands before the first entry.
class Index {
 public:
  constexpr Index() = default;
  constexpr explicit Index(std::uint64_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr Index next(std::uint64_t by = 1) const { return Index(value_ + by); }
  // The position before; 0 stays 0.
  [[nodiscard]] constexpr Index previous() const { return Index(value_ == 0 ? 0 : value_ - 1); }
  // How many entries lie in (from, *this]. Requires: from <= *this.
  [[nodiscard]] constexpr std::uint64_t distance(Index from) const { return value_ - from.value_; }
  friend constexpr auto operator<=>(Index, Index) = default;

 private:
  std::uint64_t value_ = 0;
};

// Names an entry for all time: no two entries share term and index.
struct EntryId {
  Term term;
  Index index;
  friend constexpr bool operator==(const EntryId&, const EntryId&) = default;
};

}  // namespace brigade::raft
