#include "node/steward.h"

#include <algorithm>
#include <utility>

#include "base/coverage.h"

namespace brigade::node {
namespace {

// A key with a ledger of its own goes back to the home desk when nobody asked for it for so long.
constexpr base::Duration kUnusedAfter = base::seconds(10);
// A round of shrinks ends after so long; what stragglers hold is not waited for (semantics 4).
constexpr base::Duration kRound = base::milliseconds(50);

}  // namespace

Steward::Steward(ShardId shard, StewardTiming timing, const TokenStore& store,
                 const Handover* handover, base::TimePoint now)
    : shard_(shard),
      timing_(timing),
      store_(store),
      won_(now),
      stamp_at_win_(store.meta().stamp),
      watch_(timing.plant == Plant::kReclaimEarly ? timing.tau / 2 : timing.tau, timing.drift),
      next_sample_(now + timing.sizing_every),
      next_sizing_(now + timing.sizing_every) {
  for (const auto& [account, session] : store.sessions()) {
    if (timing.plant == Plant::kTakeoverReclaims) {
      watch_.inherited(account, now);
    } else if (!session.lapsed) {
      watch_.renewed(account, now);
    }
  }
  if (handover == nullptr) {
    return;
  }
  for (const HandoverSession& session : handover->sessions) {
    const auto known = store.sessions().find(session.account);
    if (known != store.sessions().end() && !known->second.lapsed) {
      watch_.inherited(session.account, now + session.remaining);
    }
  }
}

Stamp Steward::stamp(base::TimePoint now) const {
  return stamp_at_win_ + timing_.drift.derate(now - won_);
}

void Steward::on(NodeId from, const OpenAsk& ask, StewardWork& work) {
  if (!handed_over_) {
    work.proposals.emplace_back(
        OpenSession{.node = from, .boot = ask.boot, .start = ask.start, .attempt = ask.attempt});
  }
}

void Steward::on(NodeId from, const Renew& renew, base::TimePoint now, StewardWork& work) {
  if (handed_over_) {
    return;
  }
  note_demand(renew, now);
  if (waiting_.empty() && rounds_.empty()) {
    // The round starts after the receipt: its token is registered before the read leaves.
    const std::uint64_t token = next_read_++;
    rounds_[token].push_back({.from = from, .renew = renew});
    work.reads.push_back(token);
    return;
  }
  // A round is under way and began before this arrived: wait for the next one.
  waiting_.push_back({.from = from, .renew = renew});
}

void Steward::note_demand(const Renew& renew, base::TimePoint now) {
  if (!store_.sessions().contains(renew.account)) {
    return;
  }
  for (const Confirmation& one : renew.confirmed) {
    if (!store_.ledgers().contains(one.ledger)) {
      continue;
    }
    Epoch& epoch = confirmed_[{one.ledger, renew.account}];
    epoch = std::max(epoch, one.epoch);
  }
  for (const DemandReport& demand : renew.demands) {
    if (!store_.ledgers().contains(demand.ledger)) {
      continue;
    }
    Reported& reported = reports_[demand.ledger][renew.account];
    const bool lacked = reported.demand.lacking > Tokens{};
    if (demand.lacking > Tokens{} && !lacked) {
      reported.lacking_since = now;
      next_sizing_ = std::min(next_sizing_, now);  // somebody waits for room, and not for long
    }
    reported.demand = demand;
    reported.at = now;
    fairness_[demand.ledger].reported(renew.account, demand.totals);
  }
}

void Steward::read_ready(std::uint64_t token, base::TimePoint now, StewardWork& work) {
  const auto found = rounds_.find(token);
  if (found == rounds_.end()) {
    return;
  }
  const std::vector<Asked> batch = std::move(found->second);
  rounds_.erase(found);
  for (const Asked& asked : batch) {
    answer(asked, now, work);
  }
  if (!waiting_.empty() && !handed_over_) {
    const std::uint64_t next = next_read_++;
    rounds_[next] = std::move(waiting_);
    waiting_.clear();
    work.reads.push_back(next);
  }
}

void Steward::read_refused(std::uint64_t token) {
  // The asker repeats its renewal; nothing was promised.
  rounds_.erase(token);
  if (rounds_.empty()) {
    waiting_.clear();
  }
}

void Steward::answer(const Asked& asked, base::TimePoint now, StewardWork& work) {
  if (handed_over_) {
    return;
  }
  const Renew& renew = asked.renew;
  RenewAnswer reply{.shard = shard_,
                    .account = renew.account,
                    .boot = renew.boot,
                    .sent = renew.sent,
                    .tau = timing_.tau,
                    .drift_ppm = static_cast<std::int32_t>(timing_.drift.ppm),
                    .config_version = store_.meta().config_version};
  const auto session = store_.sessions().find(renew.account);
  if (store_.removed(asked.from)) {
    COVERED("a node that was removed learns it");
    reply.removed = true;
  } else if (renew.account && session == store_.sessions().end()) {
    reply.gone = true;
  } else if (renew.account && session->second.boot == renew.boot &&
             session->second.node == asked.from &&
             (watch_.may_renew(renew.account) || timing_.plant == Plant::kRenewAfterReclaim)) {
    reply.live = true;
    watch_.renewed(renew.account, now);
  }
  if (renew.config_known < reply.config_version) {
    for (const auto& [name, config] : store_.limits()) {
      if (config.version > renew.config_known && store_.is_home(name)) {
        reply.limits.push_back(config);
      }
    }
    for (const auto& [name, tomb] : store_.tombstones()) {
      if (tomb.version > renew.config_known && store_.is_home(name) &&
          !store_.limits().contains(name)) {
        reply.dropped.push_back({.limit = name, .version = tomb.version});
      }
    }
  }
  if (reply.live) {
    for (const auto& [id, ledger] : store_.ledgers()) {
      const auto share = ledger.shares().find(renew.account);
      if (share == ledger.shares().end()) {
        continue;
      }
      const auto seen = confirmed_.find({id, renew.account});
      const bool settled = seen != confirmed_.end() && seen->second >= share->second.epoch;
      if (!settled || share->second.shrinking) {
        reply.rights.push_back(share->second.rights(id));
      }
    }
    for (const auto& [name, rule] : store_.overrides()) {
      if (rule.no_lend && rule.node == asked.from) {
        reply.no_lend.push_back(rule.limit);
      }
    }
    reply.credits = credits_.credits(asked.from);
    for (const Confirmation& one : renew.confirmed) {
      if (store_.ledger(one.ledger) == nullptr) {
        reply.closed.push_back(one.ledger);
      }
    }
  }
  work.sends.push_back({.to = asked.from, .message = std::move(reply)});
}

void Steward::on(NodeId from, const ShrunkNotice& notice, StewardWork&) {
  const auto session = store_.sessions().find(notice.account);
  if (session == store_.sessions().end() || session->second.node != from) {
    return;
  }
  for (const ShrunkReport& report : notice.shrunk) {
    const Ledger* ledger = store_.ledger(report.ledger);
    const auto key = std::pair(report.ledger, notice.account);
    if (ledger == nullptr || proposed_.contains(key)) {
      continue;
    }
    const auto share = ledger->shares().find(notice.account);
    if (share == ledger->shares().end() || !share->second.shrinking ||
        share->second.epoch != report.epoch) {
      continue;
    }
    Epoch& epoch = confirmed_[key];
    epoch = std::max(epoch, report.epoch);
    proposed_.insert(key);
    gathered_.emplace_back(AckShrink{.ledger = report.ledger,
                                     .account = notice.account,
                                     .epoch = report.epoch,
                                     .surplus = report.surplus});
  }
}

void Steward::tell_rights(const ChangeShares& command, const Outcome& outcome, StewardWork& work) {
  std::map<Account, std::vector<Rights>> told;
  for (std::size_t i = 0; i < command.changes.size(); ++i) {
    const auto [id, account] = std::visit(
        [](const auto& one) { return std::pair(one.ledger, one.account); }, command.changes[i]);
    proposed_.erase({id, account});
    if (i >= outcome.changes.size() || outcome.changes[i] != Applied::kDone) {
      continue;
    }
    if (std::holds_alternative<AckShrink>(command.changes[i])) {
      shrinking_since_.erase({id, account});
      continue;
    }
    const Ledger* ledger = store_.ledger(id);
    if (ledger == nullptr) {
      continue;
    }
    if (const auto share = ledger->shares().find(account); share != ledger->shares().end()) {
      told[account].push_back(share->second.rights(id));
    }
  }
  for (auto& [account, rights] : told) {
    if (const auto session = store_.sessions().find(account); session != store_.sessions().end()) {
      work.sends.push_back({.to = session->second.node,
                            .message = RightsNotice{
                                .shard = shard_, .account = account, .rights = std::move(rights)}});
    }
  }
}

void Steward::tell_opened(const OpenLedger& command, StewardWork& work) const {
  const Ledger* ledger = store_.ledger(command.ledger);
  const auto session = store_.sessions().find(command.account);
  if (ledger == nullptr || session == store_.sessions().end()) {
    return;
  }
  if (const auto share = ledger->shares().find(command.account); share != ledger->shares().end()) {
    work.sends.push_back(
        {.to = session->second.node,
         .message = RightsNotice{.shard = shard_,
                                 .account = command.account,
                                 .rights = {share->second.rights(command.ledger)}}});
  }
}

void Steward::applied(std::uint64_t, const Command& command, const Outcome& outcome,
                      base::TimePoint now, StewardWork& work) {
  if (const auto* open = std::get_if<OpenSession>(&command)) {
    if (outcome.account) {
      watch_.renewed(outcome.account, now);
    }
    for (const auto& [account, session] : store_.sessions()) {
      // What an earlier process had to keep need not be kept any more: it may lapse now.
      if (session.node == open->node && !session.lapsed && !watch_.knows(account)) {
        watch_.renewed(account, now);
      }
    }
    work.sends.push_back({.to = open->node,
                          .message = OpenAnswer{.shard = shard_,
                                                .boot = open->boot,
                                                .attempt = open->attempt,
                                                .account = outcome.account}});
  } else if (const auto* opened = std::get_if<OpenLedger>(&command)) {
    tell_opened(*opened, work);
    next_sizing_ = std::min(next_sizing_, now);
  } else if (const auto* change = std::get_if<ChangeShares>(&command)) {
    tell_rights(*change, outcome, work);
    const bool freed =
        std::any_of(change->changes.begin(), change->changes.end(),
                    [](const ShareChange& one) { return std::holds_alternative<AckShrink>(one); });
    if (freed) {
      next_sizing_ = std::min(next_sizing_, now);  // what was freed can grow elsewhere at once
    }
  } else if (std::holds_alternative<Configure>(command) ||
             std::holds_alternative<SetOverride>(command) ||
             std::holds_alternative<ClearOverride>(command)) {
    next_sizing_ = std::min(next_sizing_, now);
  }
  // Those three bring neither ledgers nor sessions: whether some went, their number tells.
  const bool only_takes = std::holds_alternative<ChangeShares>(command) ||
                          std::holds_alternative<StrictBatch>(command) ||
                          std::holds_alternative<SpendAhead>(command);
  if (!only_takes || store_.ledgers().size() != ledgers_seen_) {
    ledgers_seen_ = store_.ledgers().size();
    forget_the_gone();
  }
  if (const auto* reclaim = std::get_if<ReclaimSession>(&command)) {
    watch_.gone(reclaim->account);
    next_sizing_ = std::min(next_sizing_, now);
  } else if (const auto* returned = std::get_if<ReturnSession>(&command);
             returned != nullptr && outcome.applied == Applied::kDone) {
    watch_.gone(returned->account);
    next_sizing_ = std::min(next_sizing_, now);
  }
}

void Steward::forget_the_gone() {
  for (auto it = reports_.begin(); it != reports_.end();) {
    std::erase_if(it->second, [&](const auto& entry) {
      const bool gone = !store_.sessions().contains(entry.first);
      if (gone) {
        fairness_[it->first].left(entry.first);
      }
      return gone;
    });
    if (!store_.ledgers().contains(it->first) && it->first.key == KeyHash{}) {
      credits_.forget(it->first.limit);
    }
    it = store_.ledgers().contains(it->first) ? std::next(it) : reports_.erase(it);
  }
  std::erase_if(used_at_, [&](const auto& one) { return !store_.ledgers().contains(one.first); });
  std::erase_if(fairness_,
                [&](const auto& entry) { return !store_.ledgers().contains(entry.first); });
  const auto over = [&](const auto& key) {
    return !store_.sessions().contains(key.second) || !store_.ledgers().contains(key.first);
  };
  std::erase_if(confirmed_, [&](const auto& entry) { return over(entry.first); });
  std::erase_if(shrinking_since_, [&](const auto& entry) { return over(entry.first); });
  std::erase_if(proposed_, over);
}

void Steward::expire_overrides(std::int64_t wall_ms, StewardWork& work) const {
  if (handed_over_) {
    return;
  }
  for (const auto& [name, rule] : store_.overrides()) {
    if (rule.expires_ms > 0 && rule.expires_ms <= wall_ms) {
      work.proposals.emplace_back(
          ClearOverride{.limit = rule.limit, .node = rule.node, .expires_ms = rule.expires_ms});
    }
  }
}

FairnessMeter::Figures Steward::fairness(const LedgerId& id) const {
  const auto found = fairness_.find(id);
  return found == fairness_.end() ? FairnessMeter::Figures{} : found->second.figures();
}

void Steward::reclaim_expired(base::TimePoint now, StewardWork& work) {
  for (const Account account : watch_.expired(now)) {
    if (!store_.sessions().contains(account)) {
      watch_.gone(account);
      continue;
    }
    COVERED("a lapsed session is reclaimed");
    watch_.reclaiming(account);
    work.proposals.emplace_back(ReclaimSession{.stamp = stamp(now), .account = account});
  }
}

bool Steward::busy(const LedgerId& id, Account account) const {
  if (proposed_.contains({id, account}) || !watch_.may_renew(account)) {
    return true;
  }
  const Ledger* ledger = store_.ledger(id);
  const auto share = ledger->shares().find(account);
  if (share == ledger->shares().end()) {
    return false;
  }
  if (share->second.shrinking) {
    return true;
  }
  // A Grow is in flight until a renewal reports its epoch.
  const auto seen = confirmed_.find({id, account});
  return share->second.epoch && (seen == confirmed_.end() || seen->second < share->second.epoch);
}

std::map<Account, Rule> Steward::rules_for(const std::string& limit,
                                           const std::map<Account, Reported>& reports) const {
  std::map<Account, Rule> rules;
  for (const auto& [account, reported] : reports) {
    const auto session = store_.sessions().find(account);
    const auto rule = store_.overrides().find({limit, session->second.node});
    if (rule != store_.overrides().end()) {
      const SetOverride& o = rule->second;
      rules[account] = {.frozen = o.freeze,
                        .pin = o.has_pin ? std::optional(o.pin) : std::nullopt,
                        .min = o.has_min ? o.min : Tokens{},
                        .max = o.has_max ? std::max(o.max, Tokens::micro(1)) : Tokens{}};
    }
  }
  return rules;
}

void Steward::size_one(const LedgerId& id, const Ledger& ledger, base::TimePoint now) {
  const ConfigRecord* config = store_.limit(id.limit);
  std::map<Account, Reported> fresh;
  for (const auto& [account, reported] : reports_[id]) {
    if (now - reported.at <= timing_.report_age_max) {
      Reported& one = fresh.emplace(account, reported).first->second;
      one.predicted = forecasts_.expected(id, account, reported.demand.offered, ledger.rate());
      one.settles = now - reported.lacking_since > kRound;
    }
  }
  Targets targets;
  const bool of_key = id.key != KeyHash{};
  const bool serves = config != nullptr && config->spec.mode == bucket::Mode::kShared &&
                      (of_key ? config->spec.per_key : config->spec.divided());
  const bool unwanted = of_key && unused(id, fresh, now);
  if (!serves || unwanted) {
    for (const auto& [account, share] : ledger.shares()) {
      targets[account] = Target{};  // deleted or unused: everything comes back
    }
  } else {
    // Credits and overrides are about whole limits.
    if (config->spec.fairness == bucket::Fairness::kKarma && !of_key) {
      credits_.divide(id, ledger, store_, fresh, now);
    } else if (!of_key) {
      credits_.forget(id.limit);
    }
    const auto rules = of_key ? std::map<Account, Rule>{} : rules_for(id.limit, fresh);
    targets = plan_targets(config->spec, ledger, fresh, rules);
    for (const auto& [account, target] : targets) {
      reports_[id][account].wanted = target.wanted;
    }
  }
  std::vector<Account> in_flight;
  for (const auto& [account, session] : store_.sessions()) {
    if (busy(id, account)) {
      in_flight.push_back(account);
    }
  }
  std::vector<ShareChange> steps = plan_steps(id, ledger, stamp(now), targets, in_flight);
  const bool keep = serves && !unwanted && config->spec.on_isolated == bucket::OnIsolated::kKeep;
  plan_keeping(id, ledger, keep, in_flight, steps);
  for (ShareChange& step : steps) {
    const Account account = std::visit([](const auto& one) { return one.account; }, step);
    proposed_.insert({id, account});
    if (std::holds_alternative<ShrinkShare>(step)) {
      shrinking_since_[{id, account}] = now;
    }
    gathered_.push_back(std::move(step));
  }
}

bool Steward::unused(const LedgerId& id, const std::map<Account, Reported>& reports,
                     base::TimePoint now) {
  base::TimePoint& used = used_at_.try_emplace(id, now).first->second;
  for (const auto& [account, reported] : reports) {
    if (reported.demand.offered > Rate{} || reported.demand.lacking > Tokens{}) {
      used = now;
    }
  }
  return now - used > kUnusedAfter;
}

void Steward::close_when_full(const LedgerId& id, const Ledger& ledger, base::TimePoint now) {
  const auto holds = [](const auto& entry) {
    const Share& share = entry.second;
    return share.rate > Rate{} || share.size > Tokens{} || share.shrinking;
  };
  if (ledger.level_at(stamp(now)) >= ledger.burst() &&
      std::none_of(ledger.shares().begin(), ledger.shares().end(), holds)) {
    closing_.push_back(id);
  }
}

// Samples are equidistant, whatever made a sizing come early.
void Steward::observe_load(base::TimePoint now) {
  if (now < next_sample_) {
    return;
  }
  next_sample_ = std::max(next_sample_ + timing_.sizing_every, now + timing_.sizing_every / 2);
  const auto fresh = [&](const LedgerId& id, Account account) {
    const auto ledger = reports_.find(id);
    if (ledger == reports_.end()) {
      return false;
    }
    const auto report = ledger->second.find(account);
    return report != ledger->second.end() && now - report->second.at <= timing_.report_age_max;
  };
  for (auto& [id, meter] : fairness_) {
    meter.age();
  }
  forecasts_.forget([&](const LedgerId& id, Account account) { return !fresh(id, account); });
  for (const auto& [id, reports] : reports_) {
    for (const auto& [account, reported] : reports) {
      if (timing_.predicts && fresh(id, account)) {
        forecasts_.observe(id, account, reported.demand.offered);
      }
    }
  }
}

void Steward::size_all(base::TimePoint now) {
  next_sizing_ = now + timing_.sizing_every;
  observe_load(now);
  for (const auto& [id, ledger] : store_.ledgers()) {
    size_one(id, ledger, now);
  }
  for (const auto& [id, used] : used_at_) {
    const Ledger* ledger = store_.ledger(id);
    if (ledger != nullptr && now - used > kUnusedAfter) {
      close_when_full(id, *ledger, now);
    }
  }
  for (const auto& [key, since] : shrinking_since_) {
    if (now - since > timing_.tau) {
      COVERED("a shrink unconfirmed for tau stops the session's renewal");
      watch_.stop_renewing(key.second);
    }
  }
}

void Steward::flush(base::TimePoint now, StewardWork& work) {
  for (LedgerId& id : closing_) {
    work.proposals.emplace_back(CloseLedger{.stamp = stamp(now), .ledger = std::move(id)});
  }
  closing_.clear();
  if (gathered_.empty()) {
    return;
  }
  work.proposals.emplace_back(ChangeShares{.stamp = stamp(now), .changes = std::move(gathered_)});
  gathered_.clear();
}

void Steward::tick(base::TimePoint now, StewardWork& work) {
  if (handed_over_) {
    return;
  }
  reclaim_expired(now, work);
  if (now >= next_sizing_) {
    size_all(now);
  }
  flush(now, work);
}

base::TimePoint Steward::next_deadline() const {
  if (handed_over_) {
    return base::kNever;
  }
  base::TimePoint next = gathered_.empty() ? base::kNever : won_;
  if (!store_.ledgers().empty()) {
    next = std::min(next, next_sizing_);
  }
  if (const auto expiry = watch_.next_expiry()) {
    next = std::min(next, *expiry + base::Duration(1));
  }
  return next;
}

void Steward::resume() {
  // Everything proposed before the handover is applied by now; what had only gathered is decided
  // anew.
  handed_over_ = false;
  proposed_.clear();
}

Handover Steward::hand_over(base::TimePoint now) {
  handed_over_ = true;
  rounds_.clear();
  waiting_.clear();
  gathered_.clear();
  closing_.clear();
  Handover handover{.stamp = stamp(now)};
  for (const auto& [account, session] : store_.sessions()) {
    if (const auto left = watch_.remaining(account, now); left > base::Duration::zero()) {
      handover.sessions.push_back({.account = account, .remaining = left});
    }
  }
  return handover;
}

}  // namespace brigade::node
