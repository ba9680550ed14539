// Requests of other nodes that this node decides from its own buckets: those that wait, and the
// reservations that were made for them.
//
// Threads: single-threaded (owner: node). Limits: kReservations; the oldest becomes spent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "node/messages.h"

namespace brigade::node {

struct Guest {
  NodeId from;
  Ask ask;
};

// A reservation in a bucket here, under the id that its asker gave it.
struct GuestReservation {
  LedgerId ledger;
  std::uint64_t sequence = 0;  // in the bucket
  Tokens remaining;            // what its acquire was told
  Ticket holder = 0;           // the ask that was charged
  std::optional<Tokens> actual;
  Tokens refunded;
};

class GuestBook {
 public:
  static constexpr std::size_t kReservations = 10'000;

  [[nodiscard]] bool nobody_waits() const { return waiting_.empty(); }
  void wait(Ticket ticket, Guest guest) { waiting_.insert_or_assign(ticket, std::move(guest)); }
  // The guest whose turn has come; nobody when the ticket is none of a guest.
  std::optional<Guest> call(Ticket ticket) {
    auto found = waiting_.extract(ticket);
    return found.empty() ? std::nullopt : std::optional(std::move(found.mapped()));
  }

  // Requires: an id that is not known.
  void reserved(const KeyHash& id, GuestReservation reservation) {
    if (order_.size() >= kReservations) {
      reservations_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(id);
    reservations_.emplace(id, std::move(reservation));
  }
  [[nodiscard]] GuestReservation* find(const KeyHash& id) {
    const auto found = reservations_.find(id);
    return found == reservations_.end() ? nullptr : &found->second;
  }

 private:
  std::map<Ticket, Guest> waiting_;
  std::map<KeyHash, GuestReservation> reservations_;
  std::deque<KeyHash> order_;
};

}  // namespace brigade::node
