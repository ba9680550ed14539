// Lending and borrowing of tokens between nodes (semantics 5): how much to lend, how much to ask
// for and when, whom to ask, and how long to wait after little came.
//
// Pure functions and values of integers; single-threaded (owner: node). Source: algorithms 2.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/ids.h"
#include "base/prng.h"
#include "base/time.h"
#include "base/tokens.h"
#include "bucket/limit_spec.h"

namespace brigade::bucket {

// A lender's bucket at the moment of a request.
struct LendInput {
  base::Tokens level;
  base::Tokens size;
  base::Tokens near_term_need;  // what it expects to spend before it could get tokens itself
  base::Tokens reserve;         // LendSpec::reserve
  Permille max_share = 500;     // LendSpec::max_share: of the level, per request
  Permille class_reserve = 0;   // of the size, kept from the request's priority class
};

struct LendRequest {
  base::Tokens want;
  base::Tokens min;  // less than this is of no use to the borrower
};

// What to lend: at most `want`, at most the share, and only what lies above the near-term need, the
// reserve and the reserve of the class. Zero if that is less than `min`.
base::Tokens lendable(const LendInput& lender, const LendRequest& request);

// A borrower's bucket.
struct BorrowInput {
  base::Tokens level;
  base::Tokens room;          // size - level - held
  base::Tokens waiting;       // cost of the requests parked for want of tokens
  base::Rate demand;          // predicted
  base::Rate rate;            // its own minting
  base::Duration rtt_p99{0};  // to its lenders
};

// How far ahead a borrower must look: 2 x p99 RTT + 2 ms.
base::Duration prefetch_horizon(base::Duration rtt_p99);
// True if the level does not last until an answer could be here: level < demand x horizon.
bool should_prefetch(const BorrowInput& borrower);
// What to ask for: the shortfall of (4 x RTT + 4 ms), at least 10 ms of demand, and what parked
// requests need. Never more than the room, and out of the room two round trips of own minting are
// left free (a reservation that takes them would throttle the borrower's own refill) unless parked
// requests need them. Zero: nothing to ask for.
base::Tokens borrow_want(const BorrowInput& borrower);

// What a borrower knows about a possible lender, from digests and its own measurements.
struct Candidate {
  base::NodeId id;
  base::Tokens free;      // what it may lend, when it last said so
  base::Duration age{0};  // of that
  base::Duration rtt{0};
  bool same_zone = true;
  bool same_region = true;
  Permille credit = 0;  // -1000..1000; above zero: it should lend before others (fairness)
  bool breaker_closed = true;
};

// Digests older than this say nothing.
constexpr base::Duration kDigestAgeMax = base::seconds(1);

// The index of the candidate to ask, or none if none is worth it. Candidates score by
// min(1, free/want), distance and credit; the dice choose among those within 0.3 of the best, the
// more free the likelier, so that borrowers with the same stale digests do not all ask one lender.
std::optional<std::size_t> choose(std::span<const Candidate> candidates, base::Tokens want,
                                  base::Prng& prng);
// The score that choose() uses, in thousandths; at most 1000 + 100.
std::int64_t score(const Candidate& candidate, base::Tokens want);

// When to ask again after little came: 2, 4 .. 64 ms, each spread by +-25 % so that borrowers do
// not return in step.
class Backoff {
 public:
  static constexpr base::Duration kMin = base::milliseconds(2);
  static constexpr base::Duration kMax = base::milliseconds(64);

  // True if `granted` is so little for `want` that asking on at once is a waste: below a quarter.
  [[nodiscard]] static bool is_little(base::Tokens granted, base::Tokens want);

  void little_came(base::TimePoint now, base::Prng& prng);
  void enough_came();
  [[nodiscard]] bool may_ask(base::TimePoint now) const { return now >= next_; }
  [[nodiscard]] base::TimePoint next() const { return next_; }

 private:
  base::Duration delay_ = base::Duration::zero();
  base::TimePoint next_ = base::TimePoint::min();
};

}  // namespace brigade::bucket
