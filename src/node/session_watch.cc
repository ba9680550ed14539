#include "node/session_watch.h"

#include <algorithm>

namespace brigade::node {

void SessionWatch::renewed(Account account, base::TimePoint now) {
  Watched& watched = watched_[account];
  watched.until = std::max(watched.until, now + hold_);
}

void SessionWatch::inherited(Account account, base::TimePoint until) {
  watched_[account].until = until;
}

void SessionWatch::reclaiming(Account account) {
  watched_[account].reclaiming = true;
}

void SessionWatch::stop_renewing(Account account) {
  watched_[account].stopped = true;
}

bool SessionWatch::may_renew(Account account) const {
  const auto found = watched_.find(account);
  return found != watched_.end() && !found->second.reclaiming && !found->second.stopped;
}

std::vector<Account> SessionWatch::expired(base::TimePoint now) const {
  std::vector<Account> over;
  for (const auto& [account, watched] : watched_) {
    if (!watched.reclaiming && now > watched.until) {
      over.push_back(account);
    }
  }
  return over;
}

std::optional<base::TimePoint> SessionWatch::next_expiry() const {
  std::optional<base::TimePoint> next;
  for (const auto& [account, watched] : watched_) {
    if (!watched.reclaiming && (!next || watched.until < *next)) {
      next = watched.until;
    }
  }
  return next;
}

base::Duration SessionWatch::remaining(Account account, base::TimePoint now) const {
  const auto found = watched_.find(account);
  if (found == watched_.end() || found->second.reclaiming || found->second.until <= now) {
    return base::Duration::zero();
  }
  return found->second.until - now;
}

}  // namespace brigade::node
