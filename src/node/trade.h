// The token transfer protocol of one limit at one node: borrowing when it runs short, lending what
// it can spare (semantics 5, mode A). No consensus and no clock comparison: a lender deducts before
// it answers, a borrower holds room before it asks, sequences make strays harmless.
//
// Threads: single-threaded (owner: node).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "bucket/lending.h"
#include "bucket/limit_spec.h"
#include "node/actions.h"
#include "node/borrowers.h"
#include "node/peer_book.h"
#include "node/plant.h"
#include "node/purse.h"

namespace brigade::node {

struct TradeTiming {
  // An open borrow is given up after this long.
  base::Duration borrow_timeout = base::milliseconds(50);
  Plant plant = Plant::kNone;
};

// What a node needs of this limit right now, from its demand meter and its queue.
struct Need {
  Rate offered;
  Tokens waiting;             // the cost of the parked requests, their class's reserve included
  Tokens lacking;             // what the first of them still lacks: less is of no use to it
  std::uint8_t priority = 0;  // its class
};

// How borrows ended, since the process started.
struct BorrowCounts {
  std::uint64_t granted = 0;    // all that was asked for
  std::uint64_t partly = 0;     // some of it
  std::uint64_t refused = 0;    // the lender had nothing to spare
  std::uint64_t timed_out = 0;  // no answer in time
};

class Trade {
 public:
  // Answers remembered per limit; an older duplicate loses tokens, which is safe.
  static constexpr std::size_t kMaxRemembered = 1024;

  Trade(LedgerId ledger, TradeTiming timing, base::Prng dice);

  // Asks a peer if the purse runs short and nothing is open. `sends` gets at most one Borrow.
  void consider(Purse& purse, const ConfigRecord& config, const Need& need, PeerBook& peers,
                Instant now, std::vector<Send>& sends);
  // An answer. Returns what was credited.
  Tokens on(NodeId from, const Loan& loan, Purse& purse, PeerBook& peers, Instant now);
  // Gives up an open borrow that is over its time.
  void expire(Purse& purse, PeerBook& peers, Instant now);
  // Lends what can be spared; the answer's tokens are void past the purse's valid_until.
  Send lend(NodeId borrower, const Borrow& ask, Purse& purse, const ConfigRecord& config,
            const Need& need, PeerBook& peers, Instant now);
  // Pulls `amount` from one lender by hand, ahead of anything else. False when a borrow is open.
  bool pull(NodeId lender, Tokens amount, Purse& purse, const ConfigRecord& config, Instant now,
            std::vector<Send>& sends);

  // What peers may have to lend within borrow_timeout, all together and as far as is known; the
  // largest amount while one is asked.
  [[nodiscard]] Tokens within_reach(const Purse& purse, const ConfigRecord& config,
                                    const PeerBook& peers, Instant now) const;
  // True when asking again now may bring this much, soon enough for a parked request.
  [[nodiscard]] bool hopeful(Tokens lacking, const Purse& purse, const ConfigRecord& config,
                             const PeerBook& peers, Instant now) const;
  [[nodiscard]] base::TimePoint next_deadline(const Purse& purse) const;
  // When the next Borrow may go out.
  [[nodiscard]] base::TimePoint may_ask_at() const { return backoff_.next(); }
  // The session ended: what was remembered belongs to dead accounts.
  void reset();
  // This node ran dry lately: peers should publish what they have.
  [[nodiscard]] bool starving(Instant now) const;
  [[nodiscard]] const BorrowCounts& counts() const { return counts_; }

 private:
  // How much to ask for, and as which class.
  struct Wish {
    Tokens want;
    std::uint8_t priority = 0;
  };
  [[nodiscard]] Wish wish(const Purse& purse, const bucket::LimitSpec& spec, const Need& need,
                          Tokens want) const;
  [[nodiscard]] Borrow question_of(const Purse::OpenBorrow& opened, const Purse& purse,
                                   const ConfigRecord& config) const;
  [[nodiscard]] Tokens presumed(Tokens want) const;
  [[nodiscard]] bool others_promise(Tokens want, const PeerBook& peers, Instant now) const;
  Tokens fair_part(NodeId borrower, const Borrow& ask, const bucket::LendInput& lender,
                   const ConfigRecord& config, const PeerBook& peers, Instant now);
  // What it spares of the purse: zero when that is of no use to the borrower.
  Tokens spare(NodeId borrower, const Borrow& ask, const Purse& purse, const ConfigRecord& config,
               const Need& need, const PeerBook& peers, Instant now);
  struct Asker {
    NodeId node;
    Account account;
    std::uint64_t seq = 0;
    friend auto operator<=>(const Asker&, const Asker&) = default;
  };

  LedgerId ledger_;
  std::uint64_t hash_;  // of the ledger, for the peer book
  TradeTiming timing_;
  base::Prng dice_;
  bucket::Backoff backoff_;
  base::TimePoint starved_until_{};
  BorrowCounts counts_;
  bool searching_ = false;  // the open borrow is for a request that waits
  Tokens least_;            // what it asks for at the least
  Borrowers borrowers_;
  std::map<Asker, Tokens> given_;
  std::deque<Asker> given_order_;
};

}  // namespace brigade::node
