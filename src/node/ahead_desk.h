// Slow keys at their shard's leader: spends in memory what it has logged as spent before
// (semantics 6; the buckets themselves are in ahead_books.h).
//
// A key's *credit* is what was logged and not spent yet. A take that the credit covers is decided
// at once. Where only credit and bucket together cover it, it waits for a chunk of
// max(1 token, 5 % of b, what is missing and a second's minting) to be applied; the next chunk is
// asked for before the credit is gone. So a leader that fails takes at most a chunk of a key with
// it, besides the one that is on its way, and nothing comes twice: the log says that it is spent.
//
// level + credit <= b: the bucket goes on minting for what its leader has not spent yet, so the
// credit is cut as the bucket fills up. Otherwise b + credit could be spent at once.
//
// A planned handover gives credits back. A change of its limit ends a key's credit: at most a chunk
// is lost.
//
// Threads: single-threaded (owner: home desk). Limits: kWaitingMax asks wait, more are dropped and
// repeated by their askers, like those that waited for kRoundsMax chunks or longer than kPatience;
// kSpendsMax chunks in one entry, one entry on its way. A credit lives in its bucket and no longer:
// memory has room for one place for both.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "node/key_take.h"
#include "node/messages.h"
#include "node/plant.h"
#include "node/token_store.h"

namespace brigade::node {

using base::Instant;

class AheadDesk {
 public:
  static constexpr std::size_t kWaitingMax = 8192;
  static constexpr std::size_t kSpendsMax = 1024;
  static constexpr int kRoundsMax = 4;
  // A key that had so many chunks gets the next one before it needs it.
  static constexpr int kSteady = 2;
  static constexpr base::Duration kPatience = base::seconds(1);
  // While a key is not full, shard time is logged this often: what was minted since is lost with
  // the leader.
  static constexpr base::Duration kStampEvery = base::seconds(1);

  // An ask that waits for a chunk.
  struct Waiting {
    NodeId from;
    Ask ask;
    int rounds = 0;
    base::TimePoint since;  // slow line
  };
  // Those of which a key was decided here or has a credit, at this version; zero: an implicit one.
  using Limits = std::map<std::string, Version, std::less<>>;

  // Takes office: this term's first entry is applied.
  AheadDesk(const TokenStore& store, base::Drift drift, Plant plant, Instant now);

  // ---- decisions ----

  // Nothing: it must wait for the log. Requires: home authority; `spec` is the limit's, declared or
  // implicit, and is logged ahead.
  std::optional<Told> decide(const KeyTake& take, const bucket::LimitSpec& spec, Instant now);
  // Waits until a chunk is applied; the same ask waits once.
  void hold(Waiting waiting);
  // A settled reservation gives this back; what is far more than a chunk goes into the bucket.
  void refund(const LedgerId& id, Tokens amount, Instant now);
  // It is decided, or waits elsewhere.
  void release(NodeId from, Ticket ticket) {
    if (!waiting_.empty()) {
      waiting_.erase({from, ticket});
    }
  }

  // ---- the log ----

  // What is to be logged now, if anything. Its outcome comes to applied() or failed().
  std::optional<SpendAhead> flush(Instant now);
  [[nodiscard]] bool in_flight() const { return in_flight_; }
  // Credits what was taken; returns the asks that waited for it, to be decided again.
  std::vector<Waiting> applied(const SpendAhead& command, const Outcome& outcome, Instant now);
  // It is in no log, or this leader's time is over: returns everybody who waits.
  std::vector<Waiting> failed();
  // The configuration changed; returns the limits whose credits ended.
  std::vector<std::string> follow();
  // Gives at most `most` credits back; what is spent from now on must be logged anew.
  void hand_over(Handover& handover, std::size_t most, Instant now);
  [[nodiscard]] base::TimePoint next_deadline(Instant now) const;

  // At most so many more keys than now.
  void allow(std::size_t more_keys) { keys_max_ = store_.ahead_books().keys() + more_keys; }

  // ---- state ----
  // What a key of a declared limit may still be refunded: b - level - credit.
  [[nodiscard]] Tokens room(std::string_view limit, const KeyHash& key, Instant now) const;
  // A declared limit is logged ahead; from now on follow() speaks of it.
  bool know(std::string_view limit);
  [[nodiscard]] const Limits& limits() const { return limits_; }
  // For checkers, of a declared limit's key: level and credit, and the credit alone.
  [[nodiscard]] Tokens spendable(const LedgerId& id, Instant now) const;
  [[nodiscard]] Tokens credit(const LedgerId& id, Instant now) const;

 private:
  [[nodiscard]] Stamp stamp(Instant now) const {
    return stamp_at_win_ + drift_.derate(now.slow - won_);
  }
  [[nodiscard]] std::optional<TokenStore::AheadView> look(std::string_view limit,
                                                          const KeyHash& key,
                                                          const AheadTerms& implicit,
                                                          Instant now) const;
  // False: it is none that follow() could speak of.
  bool note(std::string_view limit);
  [[nodiscard]] AheadCredit* credit_of(const LedgerId& id) const;
  // What of a credit is on its way back into the bucket: nobody can spend it until then.
  [[nodiscard]] Tokens returning(std::string_view limit, const KeyHash& key,
                                 const AheadCredit& credit) const;
  // What a key has besides its level, what is on its way back included.
  [[nodiscard]] Tokens besides(std::string_view limit, const KeyHash& key,
                               const TokenStore::AheadView& view) const;
  [[nodiscard]] Tokens cut(Tokens credit, const TokenStore::AheadView& view) const;
  bool pay(const KeyTake& take, const TokenStore::AheadView& view);
  [[nodiscard]] Tokens chunk_for(const AheadSpend& need, Tokens missing, Instant now);
  void answered();

  const TokenStore& store_;
  base::Drift drift_;
  Plant plant_;
  base::TimePoint won_;
  Stamp stamp_at_win_;
  Limits limits_;
  std::map<LedgerId, AheadTerms> wanted_;  // chunks ahead of their need
  std::vector<LedgerId> asked_;            // by the entry on its way
  std::map<LedgerId, Tokens> returning_;   // with it, into their buckets
  std::map<std::pair<NodeId, Ticket>, Waiting> waiting_;
  bool in_flight_ = false;
  base::TimePoint next_stamp_;
  std::size_t keys_max_ = SIZE_MAX;
};

}  // namespace brigade::node
