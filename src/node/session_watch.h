// The leader's knowledge of when each account's time is over. In memory only: a new leader starts
// by counting every session as renewed just now (semantics 3.4, 3.7).
//
// Time: the slow line, so that nothing is reclaimed before its holder's fast line passed
// valid_until.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "node/rights.h"

namespace brigade::node {

class SessionWatch {
 public:
  SessionWatch(base::Duration tau, base::Drift drift) : hold_(drift.outlast(tau)) {}

  // An account exists and counts as renewed now.
  void renewed(Account account, base::TimePoint now);
  // An account whose remaining time a planned handover passed on.
  void inherited(Account account, base::TimePoint until);
  void gone(Account account) { watched_.erase(account); }
  // Once a Reclaim is proposed, no renewal of the account is answered again.
  void reclaiming(Account account);
  [[nodiscard]] bool knows(Account account) const { return watched_.contains(account); }
  [[nodiscard]] bool may_renew(Account account) const;
  // A Shrink unconfirmed for tau stops that session's renewal.
  void stop_renewing(Account account);

  // Accounts whose time is over and that are not being reclaimed yet.
  [[nodiscard]] std::vector<Account> expired(base::TimePoint now) const;
  [[nodiscard]] std::optional<base::TimePoint> next_expiry() const;
  // What is left of each session, for a handover.
  [[nodiscard]] base::Duration remaining(Account account, base::TimePoint now) const;

 private:
  struct Watched {
    base::TimePoint until{};
    bool reclaiming = false;
    bool stopped = false;
  };
  base::Duration hold_;
  std::map<Account, Watched> watched_;
};

}  // namespace brigade::node
