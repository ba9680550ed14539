#include "node/tenant.h"

#include <algorithm>

#include "base/check.h"
#include "base/coverage.h"

namespace brigade::node {

namespace {

// Returns that wait for a shard that answers Opens but commits nothing.
constexpr std::size_t kOwedMax = 16;

}  // namespace

Tenant::Tenant(ShardId shard, Boot boot, SessionTiming timing)
    : shard_(shard), boot_(boot), timing_(timing) {}

void Tenant::attach(const LedgerId& id, Purse& purse, Instant now) {
  purses_[id] = &purse;
  purse.count_from(next_seq_);
  if (account_) {
    purse.open(account_, now.slow);
    purse.renew(valid_until_);
  }
  hurry(now);
}

void Tenant::detach(const LedgerId& id, Instant now) {
  if (const auto found = purses_.find(id); found != purses_.end()) {
    next_seq_ = std::max(next_seq_, found->second->next_sequence());
    detached_ = now.fast;
    purses_.erase(found);
  }
}

void Tenant::hurry(Instant now) {
  next_due_ = std::min(next_due_, now.slow);
}

void Tenant::follow_hint(Instant now) {
  next_due_ = std::min(next_due_, std::max(now.slow, next_hint_));
  next_hint_ = std::max(next_hint_, now.slow + timing_.hint_every);
}

void Tenant::confirm_soon(Instant now) {
  next_due_ = std::min(next_due_, std::max(now.slow, earliest_report_));
}

void Tenant::end_session() {
  if (account_) {
    ended_account_ = account_;
  }
  for (auto& [id, purse] : purses_) {
    if (purse->kept()) {
      COVERED("rights that are kept outlive their session");
    } else {
      purse->lapse();
    }
  }
  account_ = Account{};
  detached_ = TimePoint::min();
  confirmed_ = false;
  valid_until_ = TimePoint{};
  ++attempt_;
}

void Tenant::close() {
  end_session();
  for (auto& [id, purse] : purses_) {
    purse->lapse();
  }
  ended_account_ = Account{};
}

ReturnSession Tenant::give_back(Account account, Instant now) {
  ReturnSession command{.account = account, .boot = boot_};
  for (auto& [id, purse] : purses_) {
    if (purse->account() == account) {
      purse->mint(now);
      command.surrendered.push_back({.ledger = id, .tokens = purse->bucket().level()});
    }
  }
  return command;
}

void Tenant::returned(Account account) {
  std::erase_if(owed_, [&](const ReturnSession& one) { return one.account == account; });
}

bool Tenant::expire(Instant now) {
  if (!account_ || now.fast < valid_until_) {
    return false;
  }
  if (timing_.plant == Plant::kLateAnswerRevives) {
    for (auto& [id, purse] : purses_) {
      purse->renew(TimePoint{});  // as if dead, and waiting for its answer
    }
    return false;
  }
  // An account that never had a renewal answered holds nothing; it only counts as lapsed when it
  // lived.
  const bool lived = confirmed_;
  if (lived) {
    COVERED("a session lapses");
    end_session();
    next_due_ = now.slow;
  }
  return lived;
}

std::optional<PeerMessage> Tenant::due(Instant now, bool urgent,
                                       const std::function<std::vector<DemandReport>()>& demands) {
  const bool report = urgent && account_ && now.slow >= earliest_report_;
  if (now.slow < next_due_ && !report) {
    return std::nullopt;
  }
  ++unanswered_;
  if (!account_ && !purses_.empty() && !stopped_) {
    next_due_ = now.slow + timing_.retry_every;
    return OpenAsk{.shard = shard_, .boot = boot_, .start = timing_.start, .attempt = attempt_};
  }
  Renew renew{.shard = shard_,
              .account = account_,
              .boot = boot_,
              .sent = now.fast.time_since_epoch().count(),
              .config_known = config_known_};
  if (account_) {
    for (const auto& [id, purse] : purses_) {
      renew.confirmed.push_back({.ledger = id, .epoch = purse->epoch()});
    }
    renew.demands = demands();
  }
  const bool settled = answered_ && (!account_ || confirmed_);
  // Settled tenants renew on a common grid: one turn and one packet for all shards of a leader.
  next_due_ = settled ? base::grid_before(now.slow, timing_.tau / 4) + timing_.tau / 4
                      : now.slow + timing_.retry_every;
  if (report) {
    // After an ordinary renewal nothing holds a report back: a request may be waiting for it.
    earliest_report_ = now.slow + timing_.report_every;
  }
  return renew;
}

void Tenant::on(const OpenAnswer& answer, Instant now) {
  if (account_ || answer.boot != boot_ || answer.attempt != attempt_ || !answer.account) {
    return;
  }
  if (ended_account_) {
    owed_.push_back(give_back(ended_account_, now));
    ended_account_ = Account{};
    if (owed_.size() > kOwedMax) {
      owed_.erase(owed_.begin());  // freed by the next start of this node
    }
  }
  account_ = answer.account;
  unanswered_ = 0;
  confirmed_ = false;
  valid_until_ = TimePoint{};
  for (auto& [id, purse] : purses_) {
    purse->open(account_, now.slow);
  }
  next_due_ = now.slow;
}

std::optional<ShrunkNotice> Tenant::adopt(const std::vector<Rights>& rights, TimePoint sent,
                                          Instant now) {
  ShrunkNotice notice{.shard = shard_, .account = account_};
  for (const Rights& one : rights) {
    const auto found = purses_.find(one.ledger);
    if (found == purses_.end()) {
      continue;  // a limit that this node does not know yet; repeated until confirmed
    }
    if (!found->second->epoch() && detached_ != TimePoint::min() && sent <= detached_) {
      COVERED("rights that may be of a ledger that was closed are ignored");
      continue;  // no epoch here says that they are old; repeated with the next renewal
    }
    if (timing_.plant == Plant::kAckWithoutAdopting && one.size < found->second->bucket().size()) {
      notice.shrunk.push_back({.ledger = one.ledger, .epoch = one.epoch, .surplus = {}});
      continue;
    }
    Rights told = one;
    if (timing_.plant == Plant::kGrantAddedTwice && one.epoch > found->second->epoch()) {
      told.granted += found->second->granted_seen();
    }
    found->second->adopt(account_, told, now, timing_.drift);
    const auto& shrunk = found->second->shrunk();
    if (shrunk && shrunk->epoch == one.epoch) {
      notice.shrunk.push_back(*shrunk);
    }
  }
  if (notice.shrunk.empty()) {
    return std::nullopt;
  }
  return notice;
}

std::optional<ShrunkNotice> Tenant::on(const RightsNotice& notice, Instant now) {
  if (!account_ || notice.account != account_) {
    return std::nullopt;
  }
  return adopt(notice.rights, TimePoint::min(), now);
}

std::optional<ShrunkNotice> Tenant::adopt(const RenewAnswer& answer, Instant now) {
  if (!account_ || answer.account != account_) {
    return std::nullopt;
  }
  return adopt(answer.rights, TimePoint(base::Duration(answer.sent)), now);
}

TenantNews Tenant::on(const RenewAnswer& answer, Instant now) {
  TenantNews news;
  if (answer.boot != boot_) {
    return news;
  }
  answered_ = true;
  unanswered_ = 0;
  news.answered = true;
  if (answer.config_version > config_known_) {
    config_known_ = answer.config_version;
    news.limits = answer.limits;
    news.dropped = answer.dropped;
  }
  if (!account_ || answer.account != account_) {
    return news;
  }
  if (confirmed_ && now.fast >= valid_until_ && timing_.plant != Plant::kLateAnswerRevives) {
    COVERED("a renewal answered after the session's end revives nothing");
    end_session();
    next_due_ = now.slow;
    news.lapsed = true;
    return news;
  }
  if (answer.gone) {
    // The account does not exist: whatever it held is void already.
    news.lapsed = confirmed_;
    close();
    next_due_ = now.slow;
    return news;
  }
  if (!answer.live) {
    if (!confirmed_) {
      COVERED("a session that the shard ended before it lived");
      end_session();
    }
    return news;
  }
  const bool from_receipt =
      timing_.plant == Plant::kValidFromReceipt ||
      (timing_.plant == Plant::kLateAnswerRevives && confirmed_ && now.fast >= valid_until_);
  const TimePoint until =
      (from_receipt ? now.fast : TimePoint(base::Duration(answer.sent))) + answer.tau;
  if (now.fast >= until) {
    return news;  // so late that it grants nothing
  }
  confirmed_ = true;
  valid_until_ = std::max(valid_until_, until);
  for (auto& [id, purse] : purses_) {
    purse->renew(valid_until_);
  }
  return news;
}

std::optional<ReturnSession> Tenant::surrender(Instant now) {
  stopped_ = true;
  if (!live(now)) {
    end_session();
  }
  const Account account = account_ ? account_ : ended_account_;
  if (!account) {
    return std::nullopt;
  }
  ReturnSession command = give_back(account, now);
  close();
  return command;
}

void Tenant::resume(Instant now) {
  stopped_ = false;
  hurry(now);
}

void Tenant::check_invariants() const {
  for (const auto& [id, purse] : purses_) {
    const bool outlives = ended_account_ && purse->account() == ended_account_;
    BRIGADE_CHECK(outlives || purse->account() == account_);
    BRIGADE_CHECK(outlives || purse->renewed_until() <= valid_until_);
    purse->check_invariants();
  }
}

}  // namespace brigade::node
