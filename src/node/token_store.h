// The replicated state machine of one shard: limits, sessions, ledgers, strict buckets, the books
// of slow keys, overrides.
//
// Applying a command is deterministic and total: whatever is in the log, every replica ends alike,
// and a command that would break an invariant is refused at apply, whoever sent it (semantics 3.1).
// Threads: single-threaded (owner: node). Limits: kMax... below; refused beyond.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/ahead_books.h"
#include "node/commands.h"
#include "node/ledger.h"
#include "node/plant.h"
#include "node/records.h"
#include "node/reservations.h"
#include "node/strict_ids.h"

namespace brigade::node {

class TokenStore {
 public:
  static constexpr std::size_t kMaxLimits = 10'000;
  static constexpr std::size_t kMaxSessions = 10'000;
  static constexpr std::size_t kMaxNodes = 10'000;  // known by a record, removed ones included
  static constexpr std::size_t kMaxStrictBuckets = 1'000'000;
  static constexpr std::size_t kMaxKeyLedgers = 256;  // keys with ledgers of their own
  // How long an admitted strict id is remembered, in shard time; older ids are refused.
  static constexpr base::Duration kDedupWindow = base::seconds(60);
  // Reservations on strict limits, settled ones included; each is an id of Reservations::kWindow.
  static constexpr std::size_t kMaxReservations = 65'536;

  TokenStore(ShardId shard, std::uint32_t shards, Plant plant = Plant::kNone);

  // Applies the command at this log index. What changed is in take_writes() afterwards.
  Outcome apply(std::uint64_t index, const Command& command);
  // Replaces everything by these records (a snapshot or what storage kept). False if they are not
  // consistent; the store is then empty.
  bool restore(const std::vector<StateRecord>& records);
  [[nodiscard]] std::vector<StateRecord> records() const;
  // The same one by one: there may be millions.
  void visit_records(const RecordVisit& visit) const;
  // Records changed since the last call, for storage to write in one batch with the applied index.
  std::vector<RecordWrite> take_writes();

  // The shard in which a limit lives: every shard knows every limit, one keeps its ledger.
  [[nodiscard]] static ShardId home_of(std::string_view limit, std::uint32_t shards);
  // The same for a key; `placement` is its limit's.
  [[nodiscard]] static std::uint64_t placement(std::string_view limit);
  [[nodiscard]] static ShardId home_of(std::uint64_t placement, const KeyHash& key,
                                       std::uint32_t shards) {
    // The division would take longer than what comes of it; most clusters have 2^n shards.
    const std::uint64_t at = placement ^ key.high;
    const bool simple = std::has_single_bit(shards);
    return ShardId(static_cast<std::uint32_t>(simple ? at & (shards - 1) : at % shards));
  }

  // This shard keeps the limit's ledger and tells nodes its configuration.
  [[nodiscard]] bool is_home(std::string_view limit) const {
    return home_of(limit, shards_) == shard_;
  }

  [[nodiscard]] const MetaRecord& meta() const { return meta_; }
  [[nodiscard]] const std::map<std::string, ConfigRecord, std::less<>>& limits() const {
    return limits_;
  }
  [[nodiscard]] const ConfigRecord* limit(std::string_view name) const;
  // A limit changes from one to the other and keeps its levels; else it is deleted and created.
  [[nodiscard]] static bool goes_on(const bucket::LimitSpec& from, const bucket::LimitSpec& to);
  [[nodiscard]] const std::map<std::string, TombstoneRecord>& tombstones() const { return tombs_; }
  [[nodiscard]] const std::map<Account, SessionRecord>& sessions() const { return sessions_; }
  [[nodiscard]] const std::map<LedgerId, Ledger>& ledgers() const { return ledgers_; }
  [[nodiscard]] const Ledger* ledger(const LedgerId& id) const;
  [[nodiscard]] const std::map<std::pair<std::string, NodeId>, SetOverride>& overrides() const {
    return overrides_;
  }
  [[nodiscard]] const std::map<LedgerId, StrictRecord>& strict() const { return strict_; }
  // On strict limits.
  [[nodiscard]] const Reservations& reservations() const { return reservations_; }

  // ---- keys with ledgers of their own (token_store_keys.cc) ----
  [[nodiscard]] std::size_t key_ledgers() const { return key_ledgers_; }

  // ---- nodes (token_store_nodes.cc) ----
  // A replica with this id was placed: the ids up to it are used up.
  void note_replica(NodeId node, std::uint16_t generation);
  [[nodiscard]] std::uint16_t last_generation(NodeId node) const;
  [[nodiscard]] bool removed(NodeId node) const;

  // ---- slow keys (token_store_ahead.cc) ----
  // A key's bucket as of `now`, whether or not it was ever spent from.
  struct AheadView {
    AheadTerms terms;
    Tokens level;  // may be below zero, by the overdraft
    // Null: it was never spent from, or is as good as that. Valid until a command is applied.
    AheadCredit* credit = nullptr;
    bool room = true;  // a chunk of it would find its place
  };
  // `implicit`: what the limit's name stands for, if nobody declared it. Nothing where the limit
  // is not logged ahead, or its name stands for something else.
  [[nodiscard]] std::optional<AheadView> ahead(std::string_view limit, const KeyHash& key,
                                               const AheadTerms& implicit, Stamp now) const;
  [[nodiscard]] const AheadBooks& ahead_books() const { return ahead_; }

  // Nodes have parts still of a limit that became one of few tokens: it begins when they are back.
  [[nodiscard]] bool parted(const std::string& limit) const;
  // Deleted so lately that a full bucket now could pass the limit.
  [[nodiscard]] bool recently_deleted(const std::string& name) const;

  void check_invariants() const;

 private:
  Outcome apply_one(std::uint64_t index, const OpenSession& command);
  Outcome apply_one(std::uint64_t index, const ReturnSession& command);
  Outcome apply_one(std::uint64_t index, const ReclaimSession& command);
  Outcome apply_one(std::uint64_t index, const ChangeShares& command);
  Outcome apply_one(std::uint64_t index, const Configure& command);
  Outcome apply_one(std::uint64_t index, const StrictBatch& command);
  Outcome apply_one(std::uint64_t index, const SetOverride& command);
  Outcome apply_one(std::uint64_t index, const ClearOverride& command);
  Outcome apply_one(std::uint64_t index, const Handover& command);
  Outcome apply_one(std::uint64_t index, const CancelHandover& command);
  Outcome apply_one(std::uint64_t index, const RemoveNode& command);
  Outcome apply_one(std::uint64_t index, const OpenLedger& command);
  Outcome apply_one(std::uint64_t index, const CloseLedger& command);
  Outcome apply_one(std::uint64_t index, const SpendAhead& command);

  [[nodiscard]] Ledger::Filling filling_of(const bucket::LimitSpec& spec) const;
  Applied change(std::uint64_t index, const ShareChange& change);
  void put_limit(std::uint64_t index, const bucket::LimitSpec& spec);
  void drop_limit(std::uint64_t index, const std::string& name);
  void bury(std::uint64_t index, const bucket::LimitSpec& spec);
  // A declared limit may take an implicit one's name: what was spent under it stays spent.
  void succeed_implicit(std::uint64_t index, const bucket::LimitSpec& spec);
  // The limit is declared with this spec, or no longer where that is null.
  void keep_ahead_books(const std::string& name, const bucket::LimitSpec* spec);
  [[nodiscard]] bool parts_out(const bucket::LimitSpec& few) const;
  void end_parts(const std::string& name);
  bool spend_ahead(const AheadSpend& spend);
  [[nodiscard]] AheadLevel fresh_level(const std::string& limit, Tokens size) const;
  [[nodiscard]] std::size_t max_keys(std::string_view limit) const;
  // Made anew soon, they start empty; later, full.
  void drop_strict(const std::string& limit);
  // Brings every bucket of a strict limit up to now under the configuration in force until now.
  void settle_strict(const bucket::LimitSpec& spec);
  // What is in force for a limit's own ledger, or for those of its keys (token_store_keys.cc).
  enum class Whose : std::uint8_t { kLimit, kKeys };
  void configure_ledgers(const std::string& limit, Whose whose, Rate rate, Tokens burst);
  void drop_ledger(std::map<LedgerId, Ledger>::iterator ledger);
  // Deletes a lowered ledger once every account is gone.
  void settle_dropped(const LedgerId& id);
  void renew_tombstone(const std::string& limit);
  StrictAnswer take_strict(const StrictTake& take);
  std::optional<StrictAnswer> taken_before(const StrictTake& take);
  Settled settle_one(const StrictSettle& settle);
  void keep_reservations();
  void forget_old_ids();
  // `spare`: what must be kept stays, and the session with it.
  void end_session(Account account, const std::vector<Surrender>& surrendered, bool spare = false);
  void end_keeping(const OpenSession& command);
  void advance(Stamp stamp);
  bool restore_one(const StateRecord& record);
  void touch(StateRecord record);
  void drop(const StateRecord& record);

  ShardId shard_;
  std::uint32_t shards_;
  Plant plant_;
  MetaRecord meta_;
  std::map<std::string, ConfigRecord, std::less<>> limits_;
  std::map<std::string, TombstoneRecord> tombs_;
  std::map<Account, SessionRecord> sessions_;
  std::map<LedgerId, Ledger> ledgers_;
  std::size_t key_ledgers_ = 0;
  std::map<LedgerId, StrictRecord> strict_;
  StrictIds strict_ids_;
  Reservations reservations_;
  AheadBooks ahead_;
  std::map<std::pair<std::string, NodeId>, SetOverride> overrides_;
  std::map<NodeId, NodeRecord> nodes_;
  std::map<std::string, RecordWrite> writes_;  // by key: the last write wins
};

}  // namespace brigade::node
