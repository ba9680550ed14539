// What this node may spend of one shared limit: its rights under one session, the bucket they fill,
// and the room held for tokens that peers were asked for (semantics 3 to 5).
//
// Threads: single-threaded (owner: node).
// Invariants: (1) without an account the bucket is empty and may hold nothing; (2) the room held in
// the bucket is exactly what the open borrow asked for and what is refundable; (3) nothing is taken
// or lent after valid_until.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "bucket/token_bucket.h"
#include "node/messages.h"
#include "node/rights.h"

namespace brigade::node {

using base::Drift;
using base::Instant;
using base::TimePoint;

class Purse {
 public:
  Purse() = default;

  // ---- rights ----

  // A session begins: nothing is held yet.
  void open(Account account, TimePoint now);
  // The session was renewed: rights end at `until` on the node's fast line.
  void renew(TimePoint until) { valid_until_ = until; }
  // The session is over: level and rights are gone for good.
  void lapse();
  // Takes over absolute rights if the account matches and they are not older than what is held.
  // Cuts the level where it no longer fits, or in proportion; the cut is frozen until reported by
  // unreported_shrink().
  void adopt(Account account, const Rights& rights, Instant now, Drift drift);
  // From now on a shrink hands over the tokens of the room that it gives up, in proportion: where a
  // part of every room is kept from a class, tokens that stayed in less room would be free for it.
  void divide_evenly(bool so) { evenly_ = so; }
  // What a shrink cut since it was adopted, to be reported with its epoch; cleared by the caller's
  // knowledge that the ledger moved on (a later epoch arrives).
  [[nodiscard]] const std::optional<ShrunkReport>& shrunk() const { return shrunk_; }

  // ---- spending: take, then the caller reads its clock again and undoes past valid_until ----

  // What is minted comes first: it eats into what is refundable.
  void mint(Instant now) {
    if (refundable_ == Tokens{}) {
      bucket_.mint(now.slow);
    } else {
      mint_beside_refundable(now);
    }
  }
  bool take(Tokens cost, Tokens floor) { return bucket_.take(cost, floor); }
  // Puts back what was taken under `account`; a dead account's tokens stay gone.
  void undo(Account account, Tokens cost);
  [[nodiscard]] bool valid(Instant now) const { return account_ && now.fast < valid_until(); }
  // Rights that outlive the session: they end with the process, by its own return, or when it has
  // acknowledged that they are not kept any more.
  [[nodiscard]] bool kept() const { return kept_ && valid_until_ > TimePoint{}; }

  // ---- reservations: room kept for what may be refunded ----

  // Keeps room for a refund of up to `amount`; returns what could be kept.
  Tokens keep_refundable(Tokens amount);
  // The room is free again: settled or forgotten. Returns how much of it was still kept: a shrink
  // may have cut it, and then others may hold that right already.
  Tokens give_up_refund(Tokens amount);

  [[nodiscard]] Tokens refundable() const { return refundable_; }
  // True time until `cost` can be taken above `floor` by minting alone; Duration::max() if never.
  [[nodiscard]] base::Duration wait_for(Tokens cost, Tokens floor) const;

  // ---- borrowing: one open sequence at a time (mode A) ----

  // Holds room for up to `want` and opens a sequence; nullopt when there is no room at all.
  struct OpenBorrow {
    std::uint64_t seq = 0;
    Tokens held;
    NodeId lender;
    TimePoint asked;  // slow line
  };
  std::optional<OpenBorrow> open_borrow(NodeId lender, Tokens want, Instant now);
  // An answer to an open sequence of the same account credits at most the room held for it; any
  // other answer is dropped: tokens are lost then, never doubled. Returns what was credited.
  Tokens credit(const Loan& loan);
  // Gives up on the open sequence; a late answer to it will be dropped.
  void close_borrow();
  [[nodiscard]] const std::optional<OpenBorrow>& borrow() const { return borrow_; }
  // Sequences count on from a purse that this account had of the ledger before: lenders, and loans
  // on their way, may remember those.
  [[nodiscard]] std::uint64_t next_sequence() const { return next_seq_; }
  void count_from(std::uint64_t sequence) { next_seq_ = std::max(next_seq_, sequence); }

  // ---- lending ----

  // Takes what is lent out of the bucket at once, before anybody is told. Requires: valid, minted.
  bool lend(Tokens amount);

  // ---- state ----

  [[nodiscard]] Account account() const { return account_; }
  [[nodiscard]] TimePoint valid_until() const { return kept() ? base::kNever : valid_until_; }
  [[nodiscard]] TimePoint renewed_until() const { return valid_until_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] Rate rate() const { return rate_; }
  [[nodiscard]] const bucket::TokenBucket& bucket() const { return bucket_; }
  [[nodiscard]] PurseTotals& totals() { return totals_; }
  [[nodiscard]] const PurseTotals& totals() const { return totals_; }
  // For checkers: the level if it were minted now, and C as far as it was added.
  [[nodiscard]] Tokens level_at(Instant now) const;
  [[nodiscard]] Tokens granted_seen() const { return granted_seen_; }
  void check_invariants() const;

 private:
  void mint_beside_refundable(Instant now);
  Tokens part_with_all_above(Tokens size);

  Account account_;
  TimePoint valid_until_{};  // fast line
  Rate rate_;                // R as granted, before derating
  Tokens granted_seen_;      // C as far as it was added
  Epoch epoch_;
  bool kept_ = false;
  bool evenly_ = false;
  bucket::TokenBucket bucket_;
  std::optional<ShrunkReport> shrunk_;
  std::uint64_t next_seq_ = 1;
  std::optional<OpenBorrow> borrow_;
  Tokens refundable_;
  PurseTotals totals_;
};

}  // namespace brigade::node
