#include "node/share_plan.h"

#include <algorithm>
#include <utility>

#include "bucket/sizing.h"

namespace brigade::node {
namespace {

// Changes of less than 5 % are not worth a log entry (semantics 7).
constexpr bucket::Permille kIgnored = 50;

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

Tokens held_size(const Ledger& ledger, Account account) {
  const auto share = ledger.shares().find(account);
  if (share == ledger.shares().end()) {
    return Tokens{};
  }
  return share->second.shrinking ? share->second.shrinking->size : share->second.size;
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

// Sizes that leave room for the largest cost of each, in the order of the reports. Who has waited
// longest for a cost that its size cannot hold gets that room before the others get any.
std::vector<Tokens> floors_of(Tokens divisible, const std::map<Account, Reported>& reports) {
  std::vector<Tokens> needs;
  std::optional<std::size_t> first;
  base::TimePoint since = base::kNever;
  Tokens lacking;
  for (const auto& [account, reported] : reports) {
    const DemandReport& demand = reported.demand;
    if (demand.lacking > Tokens{} && reported.lacking_since < since) {
      first = needs.size();
      since = reported.lacking_since;
      lacking = std::min(demand.lacking, divisible);
    }
    needs.push_back(std::max(demand.lacking, demand.largest));
  }
  if (!first) {
    return bucket::size_floors(needs, divisible);
  }
  const auto at = static_cast<std::ptrdiff_t>(*first);
  needs.erase(needs.begin() + at);
  std::vector<Tokens> floors = bucket::size_floors(needs, divisible - lacking);
  floors.insert(floors.begin() + at, lacking);
  return floors;
}

// Growth is forbidden on a node that is too busy, while another could take the load: when all are,
// it distinguishes nobody. What keeps a node alive it may always have.
Rate most_under_pressure(const Ledger& ledger, Rate have, std::size_t holders) {
  const Rate alive = ledger.rate().scaled(1, 2 * static_cast<std::int64_t>(holders));
  return std::max(have, alive);
}

bucket::RateBounds bounds_of(const bucket::LimitSpec& spec, const Ledger& ledger, Rate have,
                             const Rule* rule) {
  bucket::RateBounds bounds = bucket::rate_bounds(spec.sizing, ledger.rate(), ledger.burst());
  const auto as_rate = [&](Tokens size) {
    return rate_of(std::min(size, ledger.burst()), ledger.rate(), ledger.burst());
  };
  if (rule != nullptr && rule->frozen) {
    bounds.min = bounds.max = have;
  } else if (rule != nullptr && rule->pin) {
    bounds.min = bounds.max = as_rate(*rule->pin);
  } else if (rule != nullptr) {
    bounds.max = rule->max > Tokens{} ? as_rate(rule->max) : bounds.max;
    bounds.min = std::max(bounds.min, as_rate(rule->min));
  }
  bounds.min = std::min(bounds.min, bounds.max);
  return bounds;
}

const Rule* rule_of(const std::map<Account, Rule>& rules, Account account) {
  const auto found = rules.find(account);
  return found == rules.end() ? nullptr : &found->second;
}

// While tokens are short the limit's fairness decides (semantics 5): `proportional` cuts everybody
// by the same fraction of its load, `maxmin` to the same level, `karma` by credit.
void be_fair(const bucket::LimitSpec& spec, Rate total, const std::map<Account, Reported>& reports,
             std::vector<bucket::Claim>& claims) {
  Rate load;
  for (const auto& [account, reported] : reports) {
    load += std::clamp(reported.predicted, Rate{}, total);
  }
  if (load <= total) {
    return;
  }
  constexpr std::int64_t kWhole = std::int64_t{1} << 20;
  std::size_t i = 0;
  for (const auto& [account, reported] : reports) {
    bucket::Claim& claim = claims[i++];
    if (spec.fairness == bucket::Fairness::kProportional) {
      const Rate mine = std::clamp(reported.predicted, Rate{}, total.scaled(4, 1));
      claim.weight = 1 + static_cast<std::int64_t>(static_cast<base::Wide>(mine.nano_per_second()) *
                                                   kWhole / total.nano_per_second());
    } else if (spec.fairness == bucket::Fairness::kKarma && reported.entitled) {
      claim.want = std::clamp(*reported.entitled, claim.min, claim.max);
    }
  }
}

std::vector<bucket::Claim> claims_of(const bucket::LimitSpec& spec, const Ledger& ledger,
                                     const std::map<Account, Reported>& reports,
                                     const std::map<Account, Rule>& rules) {
  std::vector<bucket::Claim> claims;
  const bool all_pressed = std::all_of(reports.begin(), reports.end(), [](const auto& report) {
    return report.second.demand.pressed;
  });
  for (const auto& [account, reported] : reports) {
    const Rate have = held_rate(ledger, account);
    bucket::RateBounds bounds = bounds_of(spec, ledger, have, rule_of(rules, account));
    if (reported.demand.pressed && !all_pressed) {
      bounds.max = std::min(bounds.max, most_under_pressure(ledger, have, reports.size()));
      bounds.max = std::max(bounds.max, bounds.min);  // an operator's word wins
    }
    const bucket::Load load{.predicted = reported.predicted,
                            .wanted = reported.wanted.value_or(have)};
    claims.push_back({.want = bucket::want(spec.sizing, bounds, load),
                      .min = bounds.min,
                      .max = bounds.max,
                      .sigma = reported.demand.deviation});
  }
  return claims;
}

// Sizes that an operator fixed, taken out of what is divided among the others.
std::map<Account, Tokens> fixed_sizes(const Ledger& ledger,
                                      const std::map<Account, Reported>& reports,
                                      const std::map<Account, Rule>& rules, Tokens& divisible) {
  std::map<Account, Tokens> fixed;
  for (const auto& [account, rule] : rules) {
    if (!reports.contains(account) || (!rule.frozen && !rule.pin)) {
      continue;
    }
    const Tokens size = rule.frozen ? held_size(ledger, account) : *rule.pin;
    fixed[account] = std::clamp(size, Tokens{}, divisible);
    divisible -= fixed[account];
  }
  return fixed;
}

// Raises floors to what operators set as the least, as far as there is room, and says the most.
std::vector<Tokens> bound_floors(const bucket::LimitSpec& spec, Tokens divisible,
                                 const std::map<Account, Reported>& reports,
                                 const std::map<Account, Rule>& rules,
                                 std::vector<Tokens>& floors) {
  std::vector<Tokens> most;
  Tokens left = divisible;
  std::size_t i = 0;
  for (const auto& [account, reported] : reports) {
    const Rule* rule = rule_of(rules, account);
    most.push_back(spec.sizing.max > Tokens{} ? spec.sizing.max : divisible);
    if (rule != nullptr && rule->max > Tokens{}) {
      most.back() = rule->max;
    }
    floors[i] = std::min(floors[i], most.back());
    left -= floors[i++];
  }
  i = 0;
  for (const auto& [account, reported] : reports) {
    const Rule* rule = rule_of(rules, account);
    const Tokens least = rule == nullptr ? Tokens{} : std::min(rule->min, most[i]);
    const Tokens more = std::clamp(least - floors[i], Tokens{}, std::max(left, Tokens{}));
    floors[i++] += more;
    left -= more;
  }
  return most;
}

}  // namespace

Targets plan_targets(const bucket::LimitSpec& spec, const Ledger& ledger,
                     const std::map<Account, Reported>& reports,
                     const std::map<Account, Rule>& rules) {
  Targets targets;
  if (reports.empty() || ledger.rate() <= Rate{}) {
    return targets;
  }
  const Rate total = ledger.rate() - spoken_for(ledger, reports);
  auto claims = claims_of(spec, ledger, reports, rules);
  be_fair(spec, std::max(total, Rate::nano_per_second(1)), reports, claims);
  const auto rates = bucket::fit(claims, {.total = total});
  // What nobody sizes: shares of accounts that report nothing keep what they hold until they lapse.
  Tokens divisible = ledger.burst();
  for (const auto& [account, share] : ledger.shares()) {
    if (!reports.contains(account)) {
      divisible -= share.size;
    }
  }
  divisible = std::max(Tokens{}, divisible);
  const auto fixed = fixed_sizes(ledger, reports, rules, divisible);
  std::map<Account, Reported> free;
  std::vector<Rate> free_rates;
  Rate free_total = ledger.rate();
  std::size_t i = 0;
  for (const auto& [account, reported] : reports) {
    Target target{.rate = rates[i], .wanted = claims[i].want};
    if (const auto found = fixed.find(account); found != fixed.end()) {
      target.size = found->second;
      target.exact = true;
      free_total -= rates[i];
    } else {
      free.emplace(account, reported);
      free_rates.push_back(rates[i]);
    }
    targets.emplace(account, target);
    ++i;
  }
  auto floors = floors_of(divisible, free);
  const auto most = bound_floors(spec, divisible, free, rules, floors);
  const auto sizes =
      bucket::sizes(free_rates, {.rate = std::max(free_total, Rate::nano_per_second(1)),
                                 .burst = divisible,
                                 .floors = floors});
  i = 0;
  for (const auto& [account, reported] : free) {
    Target& target = targets.at(account);
    target.size = std::min(sizes[i], most[i]);
    const Tokens lacking = reported.demand.lacking;
    if (lacking > Tokens{} && target.size >= lacking) {
      target.least = reported.settles ? lacking : target.size;
    }
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
    const bucket::Permille threshold = target.exact ? 0 : kIgnored;
    const bool rate_moves = bucket::worth_making(
        {.from = have.rate.nano_per_second(), .to = target.rate.nano_per_second()}, threshold);
    const bool awaits_room = target.least > have.size;
    const bool size_moves =
        awaits_room ||
        bucket::worth_making({.from = have.size.micro(), .to = target.size.micro()}, threshold);
    const bool less_rate = rate_moves && target.rate < have.rate && !awaits_room;
    const bool less_size = size_moves && target.size < have.size;
    if (less_rate || less_size) {
      steps.emplace_back(ShrinkShare{.ledger = id,
                                     .account = account,
                                     .rate = less_rate ? target.rate : have.rate,
                                     .size = less_size ? target.size : have.size});
      continue;
    }
    if (awaits_room && target.least - have.size > size_left) {
      continue;  // the others are shrinking; a part of it now would only delay the whole
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

void plan_keeping(const LedgerId& id, const Ledger& ledger, bool keep,
                  const std::vector<Account>& busy, std::vector<ShareChange>& steps) {
  std::vector<Account> done = busy;
  for (ShareChange& step : steps) {
    if (auto* shrink = std::get_if<ShrinkShare>(&step)) {
      shrink->keep = keep;
      done.push_back(shrink->account);
    } else if (auto* grow = std::get_if<GrowShare>(&step)) {
      grow->keep = keep;
      done.push_back(grow->account);
    }
  }
  for (const auto& [account, share] : ledger.shares()) {
    if (share.keep == keep || share.shrinking ||
        std::find(done.begin(), done.end(), account) != done.end()) {
      continue;
    }
    if (keep) {
      steps.emplace_back(GrowShare{.ledger = id, .account = account, .keep = true});
    } else {
      steps.emplace_back(ShrinkShare{
          .ledger = id, .account = account, .rate = share.rate, .size = share.size, .keep = false});
    }
  }
}

}  // namespace brigade::node
