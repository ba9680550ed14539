// Home mode: the keys of `per: key` limits, and the only bucket of a limit of few tokens, spent in
// memory under the shard leader's own authority (semantics 3.8, 3.9 and 6).
//
// Authority is dated from the start of a read round that a quorum confirmed, lasts tau_home, and is
// shorter than the shortest election: while it holds, no other leader of the shard can exist. A
// term's first authority goes on where the last leader's handover ends; without one its ghosts are
// empty, except where nobody can have spent before. Slow keys are the ahead desk's, and have no
// ghost.
//
// Threads: single-threaded (owner: replica). Limits: kMaxImplicit implicit limits; max_keys per
// limit; kReservations; kHandoverKeys and kHandoverReservations in a handover.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hashed_name.h"
#include "base/time.h"
#include "bucket/hot_keys.h"
#include "bucket/key_table.h"
#include "node/ahead_desk.h"
#include "node/key_loans.h"
#include "node/key_take.h"
#include "node/limit_changes.h"
#include "node/messages.h"
#include "node/plant.h"
#include "node/reservations.h"
#include "node/token_store.h"

namespace brigade::node {

using base::Drift;
using base::Instant;

// What a term of office begins with.
struct HomeTerm {
  std::uint64_t begins = 0;            // index of the term's first entry
  const Handover* handover = nullptr;  // the entry directly before that, if it is one
  Drift drift;
  Plant plant = Plant::kNone;
};

class HomeDesk {
 public:
  // Below the minimum election timeout of 600 ms, in which voters stay with a leader they heard.
  static constexpr base::Duration kTauHome = base::milliseconds(300);
  // Implicit limits (CL.THROTTLE) known at once; refused beyond.
  static constexpr std::size_t kMaxImplicit = 10'000;
  // Keys in one handover, about 24 bytes each: what fits one append. Beyond, ghosts are lowered.
  static constexpr std::size_t kHandoverKeys = 32'768;
  // Reservations, settled ones included; the oldest becomes spent.
  static constexpr std::size_t kReservations = 32'768;
  // Of them in one handover, the newest that may still refund something; the others become spent.
  static constexpr std::size_t kHandoverReservations = 4096;

  // The first entry of a shard's first leader, behind the founding, which counts as entry 1: at a
  // term that begins there nobody led this shard before.
  static constexpr std::uint64_t kFirstTermBegins = 2;

  HomeDesk(const TokenStore& store, const HomeTerm& term, Instant now);

  // ---- authority ----

  // A round that began at `started` was confirmed at `now`.
  void confirmed(Instant started, Instant now);
  // Says everything that the next leader needs; nothing is decided here from now on.
  void hand_over(Handover& handover, Instant now);
  // The handover was cancelled: rounds that begin from now on count again.
  void resume(Instant now);
  [[nodiscard]] bool in_authority(Instant now) const {
    return !handed_over_ && now.fast < until_ && until_ != base::TimePoint{};
  }
  [[nodiscard]] base::TimePoint until() const { return until_; }

  // ---- decisions ----

  // Decides one take. Requires: in_authority(now). The caller reads its clock again before the
  // answer leaves; past until() it must not. Allocates only for keys and limits not seen before.
  // Nothing: it waits for the log, for a slow key's chunk or a change of its limit.
  std::optional<Told> decide(const KeyTake& take, Instant now);
  std::optional<Told> decide(const Ask& ask, Instant now);
  // Ends a reservation, once; one that is not known here is spent, or was not made yet and never
  // will be. Requires: in_authority(now).
  SettleTold settle(const SettleAsk& ask, Instant now);

  // ---- quanta ----

  // What a node gets of a key in advance. Requires: in_authority(now).
  Quantum lend(NodeId to, const QuantumAsk& ask, Instant now);
  // Before a handover: nothing more is lent for a while and what is out comes back, at the latest
  // when it lapses. True when nothing is out; asked again until then.
  bool call_in(Instant now);
  // What other nodes may still spend of this key.
  [[nodiscard]] Tokens lent(const KeyHash& key) const { return loans_.out(key); }

  // A change is proposed: nothing of the limits that it returns is decided here until end_change().
  std::vector<std::string> begin_change(const Configure& entry) {
    return changes_.begin(entry, store_);
  }
  void end_change(const std::vector<std::string>& held) { changes_.end(held); }
  [[nodiscard]] bool changing(std::string_view limit) const {
    return changes_.hold(limit) && plant_ != Plant::kSpentWhileChanging;
  }
  // Follows the configuration: tables of deleted limits go, new limits get theirs, policies change.
  void follow(Instant now);
  // Some keys were asked for lately: the rounds are worth their heartbeats.
  [[nodiscard]] bool wanted(Instant now) const { return now.slow < wanted_until_; }
  void want(Instant now) { wanted_until_ = now.slow + base::seconds(10); }
  // Forgets what is as full as if it had never been seen.
  void sweep(Instant now);
  // The node's memory has room for so many more keys; at zero new keys are refused as at max_keys.
  void make_room(std::size_t more_keys);

  // ---- keys that get ledgers of their own (semantics 6, "to a share") ----

  // Another node got so many of the key's tokens.
  void gave(const LedgerId& id, Tokens tokens, Instant now);
  // Keys that others ask for so much and so long that ledgers of their own pay.
  [[nodiscard]] std::vector<LedgerId> hot_keys(Instant now) const;
  // Takes the key out of this desk's hands and says what it held: nothing of it is decided here
  // until keep() or until its ledger is closed. Nothing while quanta of it are out, which are
  // called in then, or reservations on it may still be refunded.
  std::optional<Tokens> let_go(const LedgerId& id, Instant now);
  // Its ledger did not come to be: the key stays. Nothing happens if this desk did not let it go.
  void keep(const LedgerId& id, Instant now);
  // The token store has other ledgers than before.
  void follow_ledgers(Instant now);
  // Let go, but its ledger is not there yet.
  [[nodiscard]] bool letting_go(const LedgerId& id) const { return let_go_.contains(id); }

  // ---- state ----

  [[nodiscard]] std::size_t keys() const;
  [[nodiscard]] AheadDesk& ahead() { return ahead_; }
  [[nodiscard]] const AheadDesk& ahead() const { return ahead_; }
  // For checkers: a key's level (and credit), zero where the limit is unknown.
  [[nodiscard]] Tokens level(const LedgerId& id, Instant now) const;
  [[nodiscard]] const Reservations& reservations() const { return reservations_; }
  void check_invariants() const;

 private:
  // Quanta that are called in are out after this at the latest.
  static constexpr base::Duration kCallsIn = base::milliseconds(350);

  struct Home {
    bucket::KeyTable keys;
    Version created;                       // zero: an implicit limit
    const ConfigRecord* config = nullptr;  // the store's, as of the last follow(); null: the same
    std::set<KeyHash> away;                // let go, or spent from ledgers of their own
    bucket::HotKeys heat;                  // of what other nodes get
  };

  void inherit(const Handover& handover, Instant now);
  // Before a touch of this key, or of all keys of a limit: level + quanta out + refundable <= size.
  void cut(Home& home, std::string_view limit, const KeyHash& key, Instant now);
  void cut(Home& home, std::string_view limit, Instant now);
  // The same for a slow key, whose level and credit the ahead desk knows.
  void cut_ahead(std::string_view limit, const KeyHash& key, Instant now);
  [[nodiscard]] bool has_ledger(const KeyTake& take) const;
  std::optional<Told> take_ahead(const bucket::LimitSpec& spec, const KeyTake& take, Instant now);
  void note_reservation(const KeyTake& take, const Told& told, Instant now);
  std::optional<Told> take(Home& home, const bucket::LimitSpec& spec, const KeyTake& take,
                           Instant now);
  // Null: there is no room for another limit.
  Home* home_of(std::string_view limit, const bucket::LimitSpec& spec, Instant now);
  [[nodiscard]] Tokens ghost(const ConfigRecord& config) const;
  [[nodiscard]] Tokens implicit_ghost(const bucket::LimitSpec& spec, Instant now) const;
  [[nodiscard]] base::Duration unbroken(Instant now) const;
  [[nodiscard]] KeyLoans::Offer offer(const bucket::LimitSpec& spec, Instant now) const;
  void settle_lapsed(Instant now);
  void follow_parts(Instant now);
  void start_empty(const std::string& few, Instant now);

  const TokenStore& store_;
  std::uint64_t term_begins_;
  Drift drift_;
  Plant plant_;
  bool handed_over_ = false;
  base::TimePoint until_{};                              // fast line
  base::TimePoint resumed_at_ = base::TimePoint::min();  // fast line
  base::TimePoint unbroken_since_{};  // slow line: leaders have handed over ever since
  base::TimePoint wanted_until_{};    // slow line
  std::unordered_map<std::string, Home, base::NameHash, base::NameEqual> homes_;
  Reservations reservations_;
  KeyLoans loans_;
  std::map<LedgerId, Tokens> let_go_;  // with what they held, until their ledgers are there
  // Limits of few tokens of which nodes have parts still: nothing of them is spent here until then.
  std::set<std::string, std::less<>> parted_;
  AheadDesk ahead_;
  LimitChanges changes_;
};

}  // namespace brigade::node
