// The requests of one limit that wait for tokens at this node.
//
// Order: start-time fair queueing over the priority classes by weight, first come first served
// within a class. The first in turn is never overtaken for being large: tokens gather until it can
// be served. Only a class with a smaller reserve may pass it, because what holds it up then may be
// the reserve alone. The class it passed keeps its place in turn, but saves up no further turns.
//
// Threads: single-threaded (owner: node). Limits: max_waiting requests; refused beyond. All
// operations are O(log n) in the requests.
// Source: Goyal, Vin, Cheng 1996 (start-time fair queueing).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "base/tokens.h"
#include "base/wide.h"

namespace brigade::bucket {

// Names a parked request; the owner never uses one twice.
using Ticket = base::Id<struct TicketTag>;

struct Waiting {
  Ticket ticket;
  base::Tokens cost;
  std::size_t priority = 0;  // index of its class
  base::TimePoint deadline;
  bool for_loan = false;  // only for what others may lend: own minting comes too late for it
  friend bool operator==(const Waiting&, const Waiting&) = default;
};

// How a class waits. Requires: 1 <= weight <= 2^20.
struct WaitingClass {
  std::int64_t weight = 1;
  base::Tokens floor;  // it may spend only what lies above; changes with the bucket's size
};

class WaitingQueue {
 public:
  // Requires: at least one class.
  WaitingQueue(const std::vector<WaitingClass>& classes, std::size_t max_waiting);

  // False if the queue is full, nothing is changed then. Requires: a ticket that is not waiting, a
  // known class, cost >= 0.
  bool push(const Waiting& request);
  // Takes out the next request that a bucket with this level can serve now; none if the one in
  // turn must wait. The caller takes its cost from the bucket, then asks again.
  std::optional<Waiting> pop_ready(base::Tokens level);
  // Takes out all whose deadline has come (deadline <= now), earliest first.
  void expire(base::TimePoint now, std::vector<Waiting>& out);
  // Takes out those that wait only for a loan, when a level of `reach` is all that loans can bring
  // and no such level serves them. In no order.
  void give_up_loans(base::Tokens reach, std::vector<Waiting>& out);
  // Takes a request out. False if it is not here (any more).
  bool cancel(Ticket ticket);
  // The floors after the bucket was resized. Requires: one per class.
  void set_floors(std::span<const base::Tokens> floors);

  // Earliest deadline of all; kNever if nothing waits.
  [[nodiscard]] base::TimePoint next_deadline() const;
  [[nodiscard]] bool empty() const { return index_.empty(); }
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  // How many wait only for a loan.
  [[nodiscard]] std::size_t for_loan() const { return for_loan_; }
  // The sum of all costs that wait, at most the largest amount: what a newcomer has before it at
  // worst.
  [[nodiscard]] base::Tokens cost() const;
  // Likewise, of the classes that reserve no more than this.
  [[nodiscard]] base::Tokens cost_up_to(base::Tokens floor) const;
  // The one in turn, whether or not it can be served now.
  [[nodiscard]] const Waiting* front() const;
  // The one in turn of those that reserve the least: when nobody can be served it is the first whom
  // more tokens serve, and no reserve is kept from it. What the node must gather tokens for.
  [[nodiscard]] const Waiting* least_reserved() const;

  void check_invariants() const;

 private:
  struct Line {
    WaitingClass terms;
    base::Wide start = 0;  // virtual time at which its first request is in turn
    std::map<std::uint64_t, Waiting> requests;  // by arrival
    base::Wide cost = 0;                        // of them, micro-tokens
  };
  struct Place {
    std::size_t line = 0;
    std::uint64_t arrival = 0;
  };

  // Lines that wait, the one in turn first.
  [[nodiscard]] std::vector<std::size_t> turns() const;
  [[nodiscard]] static base::Tokens bounded(base::Wide cost);
  Waiting remove(Ticket ticket);

  std::vector<Line> lines_;
  std::size_t max_waiting_;
  base::Wide virtual_time_ = 0;  // start of what was served last
  std::uint64_t next_arrival_ = 0;
  std::map<Ticket, Place> index_;
  std::set<std::pair<base::TimePoint, Ticket>> deadlines_;
  base::Wide cost_ = 0;  // of all, micro-tokens
  std::size_t for_loan_ = 0;
};

}  // namespace brigade::bucket
