// A node's side of its session with one shard: opening, renewing, lapsing, and the rights it
// brought.
//
// Source: semantics 3.3 to 3.6. Threads: single-threaded (owner: node).
// Invariant: valid_until is dated from the send of a renewal that was answered; two machines'
// clocks are never compared.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "node/messages.h"
#include "node/plant.h"
#include "node/purse.h"

namespace brigade::node {

struct SessionTiming {
  base::Duration tau = base::seconds(3);
  Drift drift;
  // A report of changed demand goes out at most this often.
  base::Duration report_every = base::milliseconds(100);
  // News of a leader is followed at most this often: hints that lead nowhere must not chase each
  // other.
  base::Duration hint_every = base::milliseconds(20);
  // How long an unanswered Open or first Renew waits before it is repeated.
  base::Duration retry_every = base::milliseconds(150);
  // How often this node was started, this process included.
  std::uint64_t start = 0;
  Plant plant = Plant::kNone;
};

// What the tenant tells its owner after an answer.
struct TenantNews {
  bool answered = false;  // the leader spoke: readiness
  bool lapsed = false;    // the session ended: every purse of the shard is empty now
  std::vector<ConfigRecord> limits;
  std::vector<DroppedLimit> dropped;
};

class Tenant {
 public:
  using Purses = std::map<LedgerId, Purse*>;

  Tenant(ShardId shard, Boot boot, SessionTiming timing);

  // The purses of this shard: a session is wanted while there are any.
  void attach(const LedgerId& id, Purse& purse, Instant now);
  // Its ledger is closed, as its leader said. Another purse of the same ledger may follow.
  void detach(const LedgerId& id, Instant now);

  // Ends the session if its time is over. True when it just lapsed.
  bool expire(Instant now);
  // What to send to the shard's leader now, if anything is due. `demands` are this shard's reports;
  // `urgent` says that one of them changed much.
  std::optional<PeerMessage> due(Instant now, bool urgent,
                                 const std::function<std::vector<DemandReport>()>& demands);
  // When due() may have something next, on the slow line.
  [[nodiscard]] TimePoint next_deadline() const { return next_due_; }
  // Something changed that the leader should hear soon (a hint of a new configuration, a new
  // leader).
  void hurry(Instant now);
  // Somebody else seems to lead.
  void follow_hint(Instant now);

  // Rights were adopted: tell the leader before long, so that the next change can follow.
  void confirm_soon(Instant now);

  void on(const OpenAnswer& answer, Instant now);
  TenantNews on(const RenewAnswer& answer, Instant now);
  // Takes rights over; what must be acknowledged is returned.
  std::optional<ShrunkNotice> on(const RightsNotice& notice, Instant now);
  // The rights in an answer; on(answer) comes first.
  std::optional<ShrunkNotice> adopt(const RenewAnswer& answer, Instant now);

  // The live process declares its session over (clean stop): the purses are dead from here on.
  std::optional<ReturnSession> surrender(Instant now);
  // Kept rights of an earlier session, to be handed back until the shard has taken them.
  [[nodiscard]] const std::vector<ReturnSession>& owed() const { return owed_; }
  void returned(Account account);
  // No further session after a surrender.
  void stop() { stopped_ = true; }
  // Sessions may be opened again.
  void resume(Instant now);

  [[nodiscard]] bool live(Instant now) const { return account_ && now.fast < valid_until_; }
  [[nodiscard]] Account account() const { return account_; }
  [[nodiscard]] Version config_known() const { return config_known_; }
  // Asks in a row that no leader answered.
  [[nodiscard]] int unanswered() const { return unanswered_; }
  [[nodiscard]] bool answered() const { return answered_; }
  [[nodiscard]] TimePoint valid_until() const { return valid_until_; }
  void check_invariants() const;

 private:
  // The session is over; what is kept outlives it.
  void end_session();
  // Everything is over, what is kept as well.
  void close();
  [[nodiscard]] ReturnSession give_back(Account account, Instant now);
  // `sent`: when the renewal left that they answer, if they answer one.
  std::optional<ShrunkNotice> adopt(const std::vector<Rights>& rights, TimePoint sent, Instant now);

  ShardId shard_;
  Boot boot_;
  SessionTiming timing_;
  Purses purses_;
  std::uint64_t attempt_ = 1;
  Account account_;
  // Of the last session, until a new one is open: the shard may keep something for it, whether this
  // node has heard so or not, and frees that only when it is returned (semantics 6).
  Account ended_account_;
  std::vector<ReturnSession> owed_;
  TimePoint detached_ = TimePoint::min();  // the last time in this session, fast line
  std::uint64_t next_seq_ = 1;             // of borrows, above those of purses that are gone
  bool confirmed_ = false;                 // some renewal of this account was answered
  TimePoint valid_until_{};                // fast line
  TimePoint next_due_{};                   // slow line
  TimePoint earliest_report_{};
  TimePoint next_hint_{};
  Version config_known_;
  bool answered_ = false;
  int unanswered_ = 0;
  bool stopped_ = false;
};

}  // namespace brigade::node
