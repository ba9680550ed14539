// V of one bucket: the virtual queue of everything that was admitted, draining at the limit's rate
// (semantics 2).
//
// What a reservation costs is known only later, and counts from when it was taken: such entries
// stay open, and what came after the first open one is replayed whenever one changes.
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "base/time.h"
#include "base/tokens.h"

namespace brigade::sim {

using base::Duration;
using base::TimePoint;
using base::Tokens;

class VirtualQueue {
 public:
  struct Entry {
    TimePoint at;
    std::uint64_t number = 0;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  // `late`: how long after it was taken a cost may become known.
  explicit VirtualQueue(Duration late = Duration::zero()) : late_(late) {}

  void add(TimePoint at, Tokens cost);
  // The same, for a cost that may still change.
  Entry open(TimePoint at, Tokens cost);
  // What an open entry costs as of now; nothing happens when it is closed.
  void set(const Entry& entry, Tokens cost);
  void close(const Entry& entry);
  // Requires: `now` never goes backwards.
  Tokens level(TimePoint now, base::Rate rate);

 private:
  struct Cost {
    Tokens cost;
    bool open = false;
  };
  struct State {
    Tokens level;
    TimePoint at;
    void advance(TimePoint now, base::Rate rate);
  };

  Duration late_;
  State settled_;  // before the first entry
  State now_;
  bool stale_ = false;  // now_ must be replayed
  std::map<Entry, Cost> entries_;
  std::uint64_t next_ = 1;
};

}  // namespace brigade::sim
