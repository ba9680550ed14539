#include "node/share_plan.h"

#include <algorithm>
#include <utility>

#include "bucket/sizing.h"

namespace brigade::node {
namespace {

// amount x rate / burst: sizes and rates of one limit are proportional.
Rate rate_of(Tokens size, Rate rate, Tokens burst) {
  return burst <= Tokens{} ? Rate{} : rate.scaled(size.micro(), burst.micro());
}

Rate held_rate(const Ledger& ledger, Account account) {
  const auto share = ledger.shares().find(account);
  if (share == ledger.shares().end()) {
    return Rate{};
  }
  return share->second.shrinking ? share->second.shrinking->rate : share->second.rate;
}

// Rates of accounts that report nothing: they keep what they hold until they lapse.
Rate spoken_for(const Ledger& ledger, const std::map<Account, Reported>& reports) {
  Rate sum;
  for (const auto& [account, share] : ledger.shares()) {
    if (!reports.contains(account)) {
      sum += share.rate;
    }
  }
  return std::min(sum, ledger.rate());
}

// The one account whose waiting cost no proportional size can hold, first come first served.
Account first_lacking(const std::map<Account, Reported>& reports) {
  Account first;
  base::TimePoint since = base::kNever;
  for (const auto& [account, reported] : reports) {
    if (reported.demand.lacking > Tokens{} && reported.lacking_since < since) {
      first = account;
      since = reported.lacking_since;
    }
  }
  return first;
}

std::vector<bucket::Claim> claims_of(const bucket::LimitSpec& spec, const Ledger& ledger,
                                     const std::map<Account, Reported>& reports,
                                     const std::map<Account, Rule>& rules) {
  std::vector<bucket::Claim> claims;
  for (const auto& [account, reported] : reports) {
    const Rate have = held_rate(ledger, account);
    bucket::RateBounds bounds = bucket::rate_bounds(spec.sizing, ledger.rate(), ledger.burst());
    if (const auto rule = rules.find(account); rule != rules.end()) {
      bounds.min = std::max(bounds.min, rate_of(rule->second.min, ledger.rate(), ledger.burst()));
      if (rule->second.max > Tokens{}) {
        bounds.max = rate_of(rule->second.max, ledger.rate(), ledger.burst());
      }
      if (rule->second.frozen) {
        bounds.min = bounds.max = have;
      }
    }
    bounds.min = std::min(bounds.min, bounds.max);
    const bucket::Load load{.predicted = reported.predicted,
                            .wanted = reported.wanted.value_or(have)};
    claims.push_back({.want = bucket::want(spec.sizing, bounds, load),
                      .min = bounds.min,
                      .max = bounds.max,
                      .sigma = reported.demand.deviation});
  }
  return claims;
}

}  // namespace

Targets plan_targets(const bucket::LimitSpec& spec, const Ledger& ledger,
                     const std::map<Account, Reported>& reports,
                     const std::map<Account, Rule>& rules) {
  Targets targets;
  if (reports.empty() || ledger.rate() <= Rate{}) {
    return targets;
  }
  const auto claims = claims_of(spec, ledger, reports, rules);
  const auto rates = bucket::fit(claims, {.total = ledger.rate() - spoken_for(ledger, reports)});
  const Account lacking = first_lacking(reports);
  // What nobody sizes: shares of accounts that report nothing keep what they hold until they lapse.
  Tokens divisible = ledger.burst();
  for (const auto& [account, share] : ledger.shares()) {
    if (!reports.contains(account)) {
      divisible -= share.size;
    }
  }
  Tokens reserved_for_lacking;
  if (lacking) {
    reserved_for_lacking = std::min(divisible, reports.at(lacking).demand.lacking);
    divisible -= reserved_for_lacking;
  }
  divisible = std::max(Tokens{}, divisible);
  const auto sizes = bucket::sizes(rates, {.rate = ledger.rate(),
                                           .burst = divisible,
                                           .floor = bucket::size_floor(divisible, reports.size())});
  std::size_t i = 0;
  for (const auto& [account, reported] : reports) {
    Target target{.rate = rates[i], .size = sizes[i], .wanted = claims[i].want};
    if (account == lacking) {
      target.size += reserved_for_lacking;
    }
    targets.emplace(account, target);
    ++i;
  }
  return targets;
}

std::vector<ShareChange> plan_steps(const LedgerId& id, const Ledger& ledger, Stamp now,
                                    const Targets& targets, const std::vector<Account>& busy) {
  std::vector<ShareChange> steps;
  Rate rate_left = ledger.pool().rate;
  Tokens size_left = ledger.pool().size;
  Tokens level_left = ledger.level_at(now);
  for (const auto& [account, target] : targets) {
    if (std::find(busy.begin(), busy.end(), account) != busy.end()) {
      continue;
    }
    const auto found = ledger.shares().find(account);
    const Share have = found == ledger.shares().end() ? Share{} : found->second;
    const bool rate_moves = bucket::worth_making(
        {.from = have.rate.nano_per_second(), .to = target.rate.nano_per_second()});
    const bool size_moves =
        bucket::worth_making({.from = have.size.micro(), .to = target.size.micro()});
    const bool less_rate = rate_moves && target.rate < have.rate;
    const bool less_size = size_moves && target.size < have.size;
    if (less_rate || less_size) {
      steps.emplace_back(ShrinkShare{.ledger = id,
                                     .account = account,
                                     .rate = less_rate ? target.rate : have.rate,
                                     .size = less_size ? target.size : have.size});
      continue;
    }
    const Rate more_rate = rate_moves ? std::min(target.rate - have.rate, rate_left) : Rate{};
    const Tokens more_size = size_moves ? std::min(target.size - have.size, size_left) : Tokens{};
    if (more_rate <= Rate{} && more_size <= Tokens{}) {
      continue;
    }
    GrowShare grow{.ledger = id,
                   .account = account,
                   .more_rate = std::max(Rate{}, more_rate),
                   .more_size = std::max(Tokens{}, more_size)};
    grow.tokens = std::clamp(level_left, Tokens{}, grow.more_size);
    rate_left -= grow.more_rate;
    size_left -= grow.more_size;
    level_left -= grow.tokens;
    steps.emplace_back(std::move(grow));
  }
  return steps;
}

}  // namespace brigade::node
