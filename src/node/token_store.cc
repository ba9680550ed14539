#include "node/token_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace brigade::node {
namespace {

// The hash that places limits and keys on shards; part of the stored format, so never change it.
constexpr std::uint64_t kPlacementSeed = 0x6272696761646531U;

}  // namespace

TokenStore::TokenStore(ShardId shard, std::uint32_t shards, Plant plant)
    : shard_(shard), shards_(shards), plant_(plant), reservations_(kMaxReservations, true, plant) {
  BRIGADE_CHECK(shards > 0 && shard.value() < shards);
}

ShardId TokenStore::home_of(std::string_view limit, std::uint32_t shards) {
  return ShardId(static_cast<std::uint32_t>(placement(limit) % shards));
}

std::uint64_t TokenStore::placement(std::string_view limit) {
  return base::hash_key(limit, kPlacementSeed).low;
}

const ConfigRecord* TokenStore::limit(std::string_view name) const {
  const auto found = limits_.find(name);
  return found == limits_.end() ? nullptr : &found->second;
}

const Ledger* TokenStore::ledger(const LedgerId& id) const {
  const auto found = ledgers_.find(id);
  return found == ledgers_.end() ? nullptr : &found->second;
}

Outcome TokenStore::apply(std::uint64_t index, const Command& command) {
  Outcome outcome = std::visit([&](const auto& one) { return apply_one(index, one); }, command);
  keep_reservations();
  return outcome;
}

void TokenStore::advance(Stamp stamp) {
  if (stamp > meta_.stamp) {
    meta_.stamp = stamp;
    touch(meta_);
  }
}

Outcome TokenStore::apply_one(std::uint64_t index, const OpenSession& command) {
  const auto same = [&](const auto& entry) {
    const SessionRecord& session = entry.second;
    return session.node == command.node && session.boot == command.boot &&
           session.attempt >= command.attempt;
  };
  const auto found = std::find_if(sessions_.begin(), sessions_.end(), same);
  if (found != sessions_.end()) {
    const bool mine = found->second.attempt == command.attempt;
    return {.applied = mine ? Applied::kDuplicate : Applied::kRefused,
            .account = mine ? found->first : Account{}};
  }
  const auto stale = [&](const auto& entry) {
    return entry.second.node == command.node && entry.second.start > command.start;
  };
  if (std::any_of(sessions_.begin(), sessions_.end(), stale)) {
    return {.applied = Applied::kRefused};  // of a process that is certainly dead
  }
  if (sessions_.size() >= kMaxSessions || !command.node || removed(command.node)) {
    return {.applied = Applied::kRefused};
  }
  end_keeping(command);
  const Account account(index);
  const SessionRecord session{.account = account,
                              .node = command.node,
                              .boot = command.boot,
                              .start = command.start,
                              .attempt = command.attempt};
  sessions_.emplace(account, session);
  touch(session);
  return {.account = account};
}

void TokenStore::end_session(Account account, const std::vector<Surrender>& surrendered,
                             bool spare) {
  std::vector<LedgerId> changed;
  bool kept = false;
  for (auto& [id, ledger] : ledgers_) {
    const auto share = ledger.shares().find(account);
    if (spare && share != ledger.shares().end() && share->second.keep) {
      kept = true;
      continue;
    }
    Tokens tokens;
    for (const Surrender& item : surrendered) {
      if (item.ledger == id) {
        tokens = std::max(tokens, item.tokens);
      }
    }
    if (ledger.release(account, tokens, meta_.stamp)) {
      touch(LedgerRecord{.id = id, .ledger = ledger});
      changed.push_back(id);
    }
  }
  for (const LedgerId& id : changed) {
    settle_dropped(id);
  }
  const auto session = sessions_.find(account);
  if (kept) {
    session->second.lapsed = true;
    touch(session->second);
    return;
  }
  drop(session->second);
  sessions_.erase(session);
}

Outcome TokenStore::apply_one(std::uint64_t, const ReturnSession& command) {
  advance(command.stamp);
  const auto found = sessions_.find(command.account);
  if (found == sessions_.end()) {
    return {.applied = Applied::kDuplicate};  // applied once by existence; void after a Reclaim
  }
  if (found->second.boot != command.boot) {
    return {.applied = Applied::kRefused};
  }
  end_session(command.account, command.surrendered);
  return {};
}

Outcome TokenStore::apply_one(std::uint64_t, const ReclaimSession& command) {
  advance(command.stamp);
  if (!sessions_.contains(command.account)) {
    return {.applied = Applied::kDuplicate};
  }
  std::vector<Surrender> surrendered;
  if (plant_ == Plant::kReclaimGivesTokens) {
    for (const auto& [id, ledger] : ledgers_) {
      const auto share = ledger.shares().find(command.account);
      if (share != ledger.shares().end()) {
        surrendered.push_back({.ledger = id, .tokens = share->second.size});
      }
    }
  }
  end_session(command.account, surrendered, plant_ != Plant::kReclaimKept);
  return {};
}

Ledger::Filling TokenStore::filling_of(const bucket::LimitSpec& spec) const {
  const bool evenly = bucket::reserves(spec) && plant_ != Plant::kGrowFromTheTop;
  return evenly ? Ledger::Filling::kEvenly : Ledger::Filling::kAsSaid;
}

Applied TokenStore::change(std::uint64_t index, const ShareChange& change) {
  const auto& [id, account] = std::visit(
      [](const auto& one) { return std::pair<const LedgerId&, Account>(one.ledger, one.account); },
      change);
  const auto found = ledgers_.find(id);
  if (found == ledgers_.end() || !sessions_.contains(account)) {
    return Applied::kRefused;
  }
  Ledger& ledger = found->second;
  bool done = false;
  if (const auto* shrink = std::get_if<ShrinkShare>(&change)) {
    done = ledger.shrink(*shrink, Epoch(index));
    if (done && plant_ == Plant::kGrowBeforeAck) {
      done = ledger.acknowledge({.ledger = id, .account = account, .epoch = Epoch(index)},
                                meta_.stamp);
    }
  } else if (const auto* ack = std::get_if<AckShrink>(&change)) {
    done = ledger.acknowledge(*ack, meta_.stamp);
  } else if (const auto* grow = std::get_if<GrowShare>(&change)) {
    // A dropped limit is on its way to (0, 0): nothing of it grows any more.
    const ConfigRecord* config = limit(id.limit);
    done = config != nullptr &&
           ledger.grow(*grow, Epoch(index), meta_.stamp, filling_of(config->spec));
  }
  if (!done) {
    return Applied::kRefused;
  }
  touch(LedgerRecord{.id = id, .ledger = ledger});
  settle_dropped(id);
  return Applied::kDone;
}

Outcome TokenStore::apply_one(std::uint64_t index, const ChangeShares& command) {
  advance(command.stamp);
  Outcome outcome;
  outcome.changes.reserve(command.changes.size());
  for (const ShareChange& one : command.changes) {
    outcome.changes.push_back(change(index, one));
  }
  return outcome;
}

Outcome TokenStore::apply_one(std::uint64_t index, const Configure& command) {
  advance(command.stamp);
  for (const bucket::LimitSpec& spec : command.limits) {
    if (const auto status = bucket::validate(spec); !status) {
      return {.applied = Applied::kRefused, .reason = spec.name + ": " + status.error().message};
    }
  }
  if (limits_.size() + command.limits.size() > kMaxLimits) {
    return {.applied = Applied::kRefused, .reason = "more than 10000 limits"};
  }
  std::vector<std::string> dropped = command.dropped;
  if (command.prune) {
    for (const auto& [name, record] : limits_) {
      const auto listed = [&wanted = name](const auto& spec) { return spec.name == wanted; };
      if (std::none_of(command.limits.begin(), command.limits.end(), listed)) {
        dropped.push_back(name);
      }
    }
  }
  for (const std::string& name : dropped) {
    drop_limit(index, name);
  }
  for (const bucket::LimitSpec& spec : command.limits) {
    put_limit(index, spec);
  }
  return {.version = meta_.config_version};
}

bool TokenStore::recently_deleted(const std::string& name) const {
  const auto tomb = tombs_.find(name);
  return tomb != tombs_.end() && meta_.stamp - tomb->second.deleted < tomb->second.refill;
}

// Semantics 4: changing `per` or `mode` is deleting and creating. So is changing whether nodes have
// parts of it, and whether buckets are logged ahead: what was spent of them until now is known to
// the one way only.
bool TokenStore::goes_on(const bucket::LimitSpec& from, const bucket::LimitSpec& to) {
  return from.mode == to.mode && from.per_key == to.per_key && from.divided() == to.divided() &&
         logs_ahead(from) == logs_ahead(to);
}

void TokenStore::put_limit(std::uint64_t index, const bucket::LimitSpec& spec) {
  const auto known = limits_.find(spec.name);
  Version created(index);
  if (known != limits_.end()) {
    const bucket::LimitSpec& old = known->second.spec;
    if (old == spec) {
      return;  // declaring the same again changes nothing, not even the version
    }
    if (!goes_on(old, spec)) {
      drop_limit(index, spec.name);
    } else {
      created = known->second.created;
      if (spec.mode == bucket::Mode::kStrict) {
        settle_strict(old);
      }
    }
  } else {
    succeed_implicit(index, spec);
  }
  keep_ahead_books(spec.name, &spec);
  const ConfigRecord record{.spec = spec, .version = Version(index), .created = created};
  limits_.insert_or_assign(spec.name, record);
  touch(record);
  meta_.config_version = Version(index);
  touch(meta_);
  if (spec.mode != bucket::Mode::kShared) {
    return;
  }
  if (!spec.divided()) {
    if (spec.per_key) {
      configure_ledgers(spec.name, Whose::kKeys, spec.rate, spec.burst);
    }
    return;  // no ledger is of few tokens; what is left of an earlier life's goes on ending
  }
  configure_ledgers(spec.name, Whose::kLimit, spec.rate, spec.burst);
  const LedgerId id{.limit = spec.name, .key = {}};
  if (is_home(spec.name) && !ledgers_.contains(id)) {
    const Tokens level = recently_deleted(spec.name) ? Tokens{} : spec.burst;
    const auto made = ledgers_.emplace(id, Ledger(spec.rate, spec.burst, level, meta_.stamp)).first;
    touch(LedgerRecord{.id = id, .ledger = made->second});
  }
}

void TokenStore::bury(std::uint64_t index, const bucket::LimitSpec& spec) {
  TombstoneRecord tomb{.limit = spec.name,
                       .version = Version(index),
                       .deleted = meta_.stamp,
                       .refill = spec.rate.time_for(spec.burst)};
  if (const auto earlier = tombs_.find(spec.name); earlier != tombs_.end()) {
    // A short life in between does not make up for what was spent in the one before.
    const base::Duration left = earlier->second.refill - (meta_.stamp - earlier->second.deleted);
    tomb.refill = std::max(tomb.refill, left);
  }
  tombs_.insert_or_assign(spec.name, tomb);
  touch(tomb);
}

void TokenStore::drop_limit(std::uint64_t index, const std::string& name) {
  const auto found = limits_.find(name);
  if (found == limits_.end()) {
    return;
  }
  const bucket::LimitSpec& spec = found->second.spec;
  bury(index, spec);
  keep_ahead_books(name, nullptr);
  drop(found->second);
  limits_.erase(found);
  drop_strict(name);
  reservations_.forget_limit(name);
  meta_.config_version = Version(index);
  touch(meta_);
  for (auto it = overrides_.begin(); it != overrides_.end();) {
    if (it->first.first == name) {
      drop(OverrideRecord{it->second});
      it = overrides_.erase(it);
    } else {
      ++it;
    }
  }
  configure_ledgers(name, Whose::kLimit, Rate{}, Tokens{});
  configure_ledgers(name, Whose::kKeys, Rate{}, Tokens{});
}

void TokenStore::settle_dropped(const LedgerId& id) {
  const auto found = ledgers_.find(id);
  if (found != ledgers_.end() && found->second.burst() == Tokens{} &&
      found->second.shares().empty()) {
    drop_ledger(found);
    if (id.key == KeyHash{}) {
      end_parts(id.limit);
    }
    renew_tombstone(id.limit);
  }
}

// Its rights were spent until now, however long ago the limit was deleted.
void TokenStore::renew_tombstone(const std::string& limit) {
  if (const auto tomb = tombs_.find(limit); tomb != tombs_.end()) {
    tomb->second.deleted = meta_.stamp;
    touch(tomb->second);
  }
}

Outcome TokenStore::apply_one(std::uint64_t, const SetOverride& command) {
  if (!limits_.contains(command.limit)) {
    return {.applied = Applied::kRefused, .reason = "no such limit"};
  }
  overrides_.insert_or_assign({command.limit, command.node}, command);
  touch(OverrideRecord{command});
  return {};
}

Outcome TokenStore::apply_one(std::uint64_t, const ClearOverride& command) {
  const auto found = overrides_.find({command.limit, command.node});
  if (found == overrides_.end() ||
      (command.expires_ms != 0 && found->second.expires_ms != command.expires_ms)) {
    return {.applied = Applied::kDuplicate};
  }
  drop(OverrideRecord{found->second});
  overrides_.erase(found);
  return {};
}

Outcome TokenStore::apply_one(std::uint64_t, const CancelHandover&) {
  return {};
}

void TokenStore::touch(StateRecord record) {
  std::string key = record_key(record);
  writes_.insert_or_assign(key,
                           RecordWrite{.key = key, .dropped = false, .record = std::move(record)});
}

void TokenStore::drop(const StateRecord& record) {
  std::string key = record_key(record);
  writes_.insert_or_assign(key, RecordWrite{.key = key, .dropped = true, .record = record});
}

std::vector<RecordWrite> TokenStore::take_writes() {
  std::vector<RecordWrite> taken;
  taken.reserve(writes_.size());
  for (auto& [key, write] : writes_) {
    taken.push_back(std::move(write));
  }
  writes_.clear();
  ahead_.take_writes(taken);
  return taken;
}

}  // namespace brigade::node
