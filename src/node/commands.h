// Commands of the distributed token store: the only things that ever change it. Each is one entry
// of a shard's Raft log; applying one is deterministic and total.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "bucket/limit_spec.h"
#include "node/reservations.h"
#include "node/rights.h"

namespace brigade::node {

// Begins a session. `attempt` counts the sessions that one process opened in this shard, so that a
// retried Open makes one account and a later session never revives an earlier one.
struct OpenSession {
  NodeId node;
  Boot boot;
  std::uint64_t start = 0;  // how often the node was started: a larger one proves others dead
  std::uint64_t attempt = 0;
  friend bool operator==(const OpenSession&, const OpenSession&) = default;
};

// The live process itself declares its session over and hands back what it had not spent.
struct Surrender {
  LedgerId ledger;
  Tokens tokens;
  friend bool operator==(const Surrender&, const Surrender&) = default;
};
// The pool counts what comes back only from `stamp` on: its holder minted until then.
struct ReturnSession {
  Stamp stamp{0};
  Account account;
  Boot boot;
  std::vector<Surrender> surrendered;
  friend bool operator==(const ReturnSession&, const ReturnSession&) = default;
};

// The session's time is over: its rights return to the pool, with zero tokens.
struct ReclaimSession {
  Stamp stamp{0};
  Account account;
  friend bool operator==(const ReclaimSession&, const ReclaimSession&) = default;
};

// Rights on their way down: still counted until acknowledged (semantics 4).
struct ShrinkShare {
  LedgerId ledger;
  Account account;
  Rate rate;  // absolute, at most what is held
  Tokens size;
  bool keep = false;
  friend bool operator==(const ShrinkShare&, const ShrinkShare&) = default;
};
struct AckShrink {
  LedgerId ledger;
  Account account;
  Epoch epoch;
  Tokens surplus;  // cut from the level and frozen since adoption
  friend bool operator==(const AckShrink&, const AckShrink&) = default;
};
struct GrowShare {
  LedgerId ledger;
  Account account;
  Rate more_rate;
  Tokens more_size;
  Tokens tokens;  // at most more_size, so that level + in flight never exceeds the right to hold
  bool keep = false;
  friend bool operator==(const GrowShare&, const GrowShare&) = default;
};
using ShareChange = std::variant<ShrinkShare, AckShrink, GrowShare>;
// One log entry for everything that a shard's leader changes in one turn.
struct ChangeShares {
  Stamp stamp{0};
  std::vector<ShareChange> changes;
  friend bool operator==(const ChangeShares&, const ChangeShares&) = default;
};

// A hot key gets a ledger of its own: from here on its rights are logged, and it is spent from like
// a shared limit. All of them go to the leader's own account, from which sizing spreads them.
struct OpenLedger {
  Stamp stamp{0};
  LedgerId ledger;
  Version created;  // the life of the limit that `level` is of
  Account account;
  Tokens level;  // what the leader's home desk held of the key, out of its hands since
  friend bool operator==(const OpenLedger&, const OpenLedger&) = default;
};
// The key goes back to the home desk: nobody holds a right of it, and the pool is full.
struct CloseLedger {
  Stamp stamp{0};
  LedgerId ledger;
  friend bool operator==(const CloseLedger&, const CloseLedger&) = default;
};

// Declares limits. Every shard gets the same command; versions compare per shard.
struct Configure {
  Stamp stamp{0};
  std::vector<bucket::LimitSpec> limits;
  std::vector<std::string> dropped;
  bool prune = false;  // also drop every limit that is not listed
  friend bool operator==(const Configure&, const Configure&) = default;
};

// Strict mode: one decision per id inside the window, refusals are not remembered (semantics 6).
struct StrictTake {
  LedgerId ledger;
  KeyHash id;       // hash of the client's id or of the first node's own
  Stamp issued{0};  // shard time at which the first node issued the id
  Tokens cost;      // >= 0
  Tokens floor;     // the class's reserve
  bool peek = false;
  bool reserve = false;      // what is not used comes back by a settlement of this id
  std::uint64_t holder = 0;  // the ask that is charged: the asker's ticket
  friend bool operator==(const StrictTake&, const StrictTake&) = default;
};
// Ends the reservation of this id, once; an id that is not known is called off.
struct StrictSettle {
  LedgerId ledger;
  KeyHash id;
  Tokens actual;             // >= 0
  std::uint64_t holder = 0;  // not 0: only what this ask was charged, and the id is free again
  friend bool operator==(const StrictSettle&, const StrictSettle&) = default;
};
struct StrictBatch {
  Stamp stamp{0};
  std::vector<StrictTake> takes;
  std::vector<StrictSettle> settles;  // after the takes
  friend bool operator==(const StrictBatch&, const StrictBatch&) = default;
};

// What an implicit limit (CL.THROTTLE) is: its name stands for it, no configuration says it.
struct AheadTerms {
  Rate rate;
  Tokens size;  // zero: the limit is declared
  friend bool operator==(const AheadTerms&, const AheadTerms&) = default;
};
// Slow keys are spent only once that is logged (semantics 6): each takes a chunk out of a key's
// bucket, which the shard's leader then spends in memory.
struct AheadSpend {
  LedgerId ledger;
  AheadTerms implicit;
  Tokens amount;  // below zero: goes back, its leader will not spend it
  friend bool operator==(const AheadSpend&, const AheadSpend&) = default;
};
// One log entry for all keys of a turn; without any, it moves shard time on, so that what was
// minted until now survives this leader.
struct SpendAhead {
  Stamp stamp{0};
  std::vector<AheadSpend> spends;
  friend bool operator==(const SpendAhead&, const SpendAhead&) = default;
};

// Manual control over sizing (semantics 7); wins over the algorithm, inside the guarantee.
struct SetOverride {
  std::string limit;
  NodeId node;
  bool has_pin = false;
  bool has_min = false;
  bool has_max = false;
  Tokens pin;
  Tokens min;
  Tokens max;
  bool freeze = false;
  bool no_lend = false;
  std::string author;
  std::string reason;
  std::int64_t expires_ms =
      0;  // wall clock of the asker, 0: never; only ends an override, never a right
  friend bool operator==(const SetOverride&, const SetOverride&) = default;
};
struct ClearOverride {
  std::string limit;
  NodeId node;
  std::int64_t expires_ms = 0;  // not 0: only the one that ends then, not one set since
  friend bool operator==(const ClearOverride&, const ClearOverride&) = default;
};

// Planned rotation (semantics 3.8): the old leader's last word before it transfers leadership.
struct HandoverSession {
  Account account;
  base::Duration remaining{0};
  friend bool operator==(const HandoverSession&, const HandoverSession&) = default;
};
struct HandoverKey {
  KeyHash key;
  Tokens level;
  friend bool operator==(const HandoverKey&, const HandoverKey&) = default;
};
struct HandoverLimit {
  std::string limit;
  Version created;  // the life of the limit that this is about; zero: an implicit limit
  Rate rate;        // implicit limits only, derated
  Tokens size;      // implicit limits only
  Tokens ghost;     // the level of every key that is not listed
  std::vector<HandoverKey> keys;
  friend bool operator==(const HandoverLimit&, const HandoverLimit&) = default;
};
// What was logged ahead of a slow limit's keys and not spent: it goes back into their buckets.
struct HandoverCredits {
  std::string limit;
  std::vector<HandoverKey> keys;
  friend bool operator==(const HandoverCredits&, const HandoverCredits&) = default;
};
struct Handover {
  Stamp stamp{0};
  std::vector<HandoverSession> sessions;  // one that is not listed waits in full
  std::vector<HandoverLimit> limits;      // home mode; one that is not listed starts empty
  // Of keys; `since` is how old each is. One that is not listed is spent.
  std::vector<Reservation> reservations;
  // How long leaders have handed over to each other without a gap: nobody spent an implicit limit
  // that is not listed for at least this long.
  base::Duration unbroken{0};
  std::vector<HandoverCredits> credits;
  friend bool operator==(const Handover&, const Handover&) = default;
};
struct CancelHandover {
  friend bool operator==(const CancelHandover&, const CancelHandover&) = default;
};

// The cluster forgets a node for good: it gets no session and no replica again. `certified`: an
// operator says that its process has ended, so that nothing it held can be spent any more.
struct RemoveNode {
  Stamp stamp{0};
  NodeId node;
  bool certified = false;
  friend bool operator==(const RemoveNode&, const RemoveNode&) = default;
};

using Command = std::variant<OpenSession, ReturnSession, ReclaimSession, ChangeShares, Configure,
                             StrictBatch, SetOverride, ClearOverride, Handover, CancelHandover,
                             RemoveNode, OpenLedger, CloseLedger, SpendAhead>;

// ---- what applying them answers ----

enum class Applied : std::uint8_t {
  kDone,
  kRefused,    // would break an invariant or names what is not there; nothing changed
  kDuplicate,  // had its effect before
  kExpired     // a strict id older than the dedup window
};

struct StrictAnswer {
  Applied applied = Applied::kRefused;
  bool admitted = false;
  Tokens remaining;
  base::Duration retry_after{0};
  friend bool operator==(const StrictAnswer&, const StrictAnswer&) = default;
};

struct Outcome {
  Applied applied = Applied::kDone;
  Account account;                    // OpenSession
  std::vector<Applied> changes;       // ChangeShares, SpendAhead: one per change or spend
  std::vector<StrictAnswer> answers;  // StrictBatch: one per take
  std::vector<Settled> settled;       // StrictBatch: one per settlement
  std::string reason;                 // Configure: why it was refused
  Version version;                    // Configure: the shard's configuration now
};

}  // namespace brigade::node
