// The bucket management service of one shard, on its leader: answers renewals, reclaims what
// lapsed, and moves shares after demand through shrink, ack, grow (semantics 3, 4, 7). Exists only
// while this replica leads and has applied its own first entry; a new leader starts with a new
// steward.
//
// Threads: single-threaded (owner: node). All state here is memory; nothing of it is a promise
// except what the token store holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "node/actions.h"
#include "node/credit_books.h"
#include "node/fairness_meter.h"
#include "node/load_forecasts.h"
#include "node/plant.h"
#include "node/session_watch.h"
#include "node/share_plan.h"
#include "node/token_store.h"

namespace brigade::node {

struct StewardTiming {
  base::Duration tau = base::seconds(3);
  base::Drift drift;
  base::Duration sizing_every = base::milliseconds(250);
  // A demand report older than this says nothing any more.
  base::Duration report_age_max = base::seconds(4);
  // Off: plans with the latest reports alone.
  bool predicts = true;
  Plant plant = Plant::kNone;
};

// What the steward wants its replica to do.
struct StewardWork {
  std::vector<Command> proposals;
  std::vector<Send> sends;
  std::vector<std::uint64_t> reads;  // tokens of ReadIndex rounds to start now

  void clear() {
    proposals.clear();
    sends.clear();
    reads.clear();
  }
};

class Steward {
 public:
  // Takes office: this term's first entry is applied. Every session counts as renewed just now,
  // except where the old leader's handover says how long it still has.
  Steward(ShardId shard, StewardTiming timing, const TokenStore& store, const Handover* handover,
          base::TimePoint now);

  void on(NodeId from, const OpenAsk& ask, StewardWork& work);
  void on(NodeId from, const Renew& renew, base::TimePoint now, StewardWork& work);
  void on(NodeId from, const ShrunkNotice& notice, StewardWork& work);
  // The read round of this token, started after the renewals were received, found us still leading
  // and the store applied up to it.
  void read_ready(std::uint64_t token, base::TimePoint now, StewardWork& work);
  void read_refused(std::uint64_t token);
  // A command was applied at this index, whoever proposed it.
  void applied(std::uint64_t index, const Command& command, const Outcome& outcome,
               base::TimePoint now, StewardWork& work);
  // The wall clock, as the edge of the process told it: proposes to end overrides that expired.
  void expire_overrides(std::int64_t wall_ms, StewardWork& work) const;
  // Reclaims, sizes, flushes what gathered in this turn as one log entry.
  void tick(base::TimePoint now, StewardWork& work);
  [[nodiscard]] base::TimePoint next_deadline() const;

  // Shard time now: what the log held at election win plus derated elapsed time (semantics 3.10).
  [[nodiscard]] Stamp stamp(base::TimePoint now) const;
  // This leader's last word before a planned transfer; nothing is answered or reclaimed after it.
  Handover hand_over(base::TimePoint now);
  // The handover was cancelled.
  void resume();
  [[nodiscard]] const TokenStore& store() const { return store_; }
  [[nodiscard]] FairnessMeter::Figures fairness(const LedgerId& id) const;

 private:
  struct Asked {
    NodeId from;
    Renew renew;
  };

  void answer(const Asked& asked, base::TimePoint now, StewardWork& work);
  void note_demand(const Renew& renew, base::TimePoint now);
  void tell_opened(const OpenLedger& command, StewardWork& work) const;
  void tell_rights(const ChangeShares& command, const Outcome& outcome, StewardWork& work);
  void reclaim_expired(base::TimePoint now, StewardWork& work);
  void size_all(base::TimePoint now);
  void observe_load(base::TimePoint now);
  void forget_the_gone();
  [[nodiscard]] std::map<Account, Rule> rules_for(const std::string& limit,
                                                  const std::map<Account, Reported>& reports) const;
  void size_one(const LedgerId& id, const Ledger& ledger, base::TimePoint now);
  // A key's ledger that nobody used lately is wound down, and closed when all is back in the pool.
  [[nodiscard]] bool unused(const LedgerId& id, const std::map<Account, Reported>& reports,
                            base::TimePoint now);
  void close_when_full(const LedgerId& id, const Ledger& ledger, base::TimePoint now);
  void flush(base::TimePoint now, StewardWork& work);
  [[nodiscard]] bool busy(const LedgerId& id, Account account) const;

  ShardId shard_;
  StewardTiming timing_;
  const TokenStore& store_;
  base::TimePoint won_;
  Stamp stamp_at_win_;
  SessionWatch watch_;

  std::vector<Asked> waiting_;  // renewals for the next read round
  std::map<std::uint64_t, std::vector<Asked>> rounds_;
  std::uint64_t next_read_ = 1;

  // Per ledger and account: what the holder reported, and the latest epoch it confirmed.
  std::map<LedgerId, std::map<Account, Reported>> reports_;
  std::map<std::pair<LedgerId, Account>, Epoch> confirmed_;
  LoadForecasts forecasts_;
  CreditBooks credits_;
  std::map<LedgerId, FairnessMeter> fairness_;
  base::TimePoint next_sample_;
  // Changes proposed and not applied yet: one in flight per account.
  std::set<std::pair<LedgerId, Account>> proposed_;
  std::map<std::pair<LedgerId, Account>, base::TimePoint> shrinking_since_;
  std::vector<ShareChange> gathered_;
  std::map<LedgerId, base::TimePoint> used_at_;  // keys with ledgers of their own
  std::vector<LedgerId> closing_;                // to be closed in this turn
  std::size_t ledgers_seen_ = 0;                 // in the store, when last looked for the gone
  base::TimePoint next_sizing_;
  bool handed_over_ = false;
};

}  // namespace brigade::node
