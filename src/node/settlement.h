// What this node knows of the reservations that it gave out, and of settlements under way.
#pragma once

#include <cstdint>
#include <optional>

#include "node/messages.h"

namespace brigade::node {

class SharedLimit;

// A reservation that a client of this node may settle, once.
struct Given {
  SharedLimit* shared = nullptr;  // in a bucket of this node; or
  std::optional<SettleAsk> ask;   // at a shard's leader; or nothing was taken (shadow)
  Tokens reserved;
  bool settling = false;
};

// A settlement that a shard's leader must hear of; repeated until it is answered.
struct Settlement {
  SettleAsk ask;
  Ticket client = 0;        // who waits for it; 0: nobody
  std::uint64_t given = 0;  // sequence of the reservation; 0: of an acquire that came to nothing
  base::TimePoint deadline;
  base::TimePoint retry_at;
};

}  // namespace brigade::node
