// Karma: credits that make lending fair over time. Who lends what it was guaranteed earns, who
// borrows pays; when tokens are short the richest borrow first, when they are not the poorest lend
// first. Credits rank, they never refuse: a balance may become negative.
//
// Deviations from the paper: amounts are micro-tokens and settled by levels instead of slice by
// slice (same result), and borrowing at a balance of zero is allowed, so that tokens nobody else
// wants are never left idle.
//
// Threads: single-threaded (owner: the leader's sizing service).
// Invariant: the balances sum to what was issued to present members less what they spent.
// Source: Vuppalapati et al., Karma, OSDI 2023, section 3.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/tokens.h"
#include "bucket/limit_spec.h"

namespace brigade::bucket {

class KarmaBook {
 public:
  // One member's part in a quantum. Requires: 1 <= weight <= 2^31, demand >= 0.
  struct Member {
    base::NodeId id;
    std::int64_t weight = 1;
    base::Tokens demand;
  };

  // `guaranteed`: the fraction of its fair part that a member can always have.
  explicit KarmaBook(Permille guaranteed = 500);

  // A member that is not known starts with the mean balance. Idempotent.
  void join(base::NodeId id);
  void leave(base::NodeId id);

  // One quantum (1 s): issues credits, divides `total` and settles. Returns what each member gets,
  // in the order given: at most its demand; the sum is min(total, sum of demands) but for rounding
  // (below one micro-token per member). Unknown members join. Requires: each id at most once.
  std::vector<base::Tokens> divide(std::span<const Member> members, base::Tokens total);
  // Loans between peers outside a quantum: a member earns what it lent and pays what it borrowed.
  void traded(base::NodeId id, base::Tokens lent, base::Tokens borrowed);

  // Zero for unknown members.
  [[nodiscard]] base::Tokens balance(base::NodeId id) const;
  // How much rather than others this member should lend: -1000 (the richest) .. 1000 (the poorest).
  [[nodiscard]] Permille lend_rank(base::NodeId id) const;

  void check_invariants() const;

 private:
  [[nodiscard]] std::int64_t mean() const;
  void credit(base::NodeId id, std::int64_t amount);

  Permille guaranteed_;
  std::map<base::NodeId, std::int64_t> balances_;  // micro-credits
  std::int64_t issued_ = 0;                        // to present members, less what they spent
};

// Pours `amount` over vessels so that the lowest fill first: vessel i rises from its level by at
// most its depth, all that rise end level. Exact: the sum is min(amount, sum of depths); odd units
// go to the first. Requires: depths >= 0, amount >= 0, one depth per level.
std::vector<std::int64_t> pour(std::span<const std::int64_t> levels,
                               std::span<const std::int64_t> depths, std::int64_t amount);

}  // namespace brigade::bucket
