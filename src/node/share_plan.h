// From demand to changes of one ledger: what each account should hold, and the next safe steps
// there.
//
// Pure arithmetic over the ledger and the reports (semantics 7, 4); the steward proposes the steps.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "bucket/limit_spec.h"
#include "node/ledger.h"
#include "node/messages.h"

namespace brigade::node {

// The latest report of an account about one ledger.
struct Reported {
  DemandReport demand;
  base::TimePoint at;             // when it came, slow line
  Rate predicted;                 // what to plan for: `offered`, or what a model makes of it
  base::TimePoint lacking_since;  // first come, first served among costs that no size can hold
  bool settles = false;           // it lacked room for a whole round: any that suffices will do
  std::optional<Rate> entitled;   // by karma, while tokens are short
  std::optional<Rate> wanted;     // what the last sizing made of it, before it was fitted
};

// What an override says about one account (semantics 7); sizes in tokens.
struct Rule {
  bool frozen = false;  // keeps what it holds
  std::optional<Tokens> pin;
  Tokens min;
  Tokens max;  // zero: none
};

struct Target {
  Rate rate;
  Tokens size;
  Rate wanted;
  Tokens least;        // a cost waits: it grows to this size at once or not yet. Zero: none
  bool exact = false;  // an operator's word: met to the last token
};
using Targets = std::map<Account, Target>;

// What every account with a live report should hold. Sums stay within the limit.
Targets plan_targets(const bucket::LimitSpec& spec, const Ledger& ledger,
                     const std::map<Account, Reported>& reports,
                     const std::map<Account, Rule>& rules);

// The next steps from the ledger towards the targets: shrinks of what is too large by more than 5
// %, grows as far as the pool reaches. Accounts in `busy` have a change in flight and are left
// alone.
std::vector<ShareChange> plan_steps(const LedgerId& id, const Ledger& ledger, Stamp now,
                                    const Targets& targets, const std::vector<Account>& busy);

// Marks the steps of a limit whose shares must be kept (or not), and adds steps for shares that are
// not what they should be. Turning it off waits for the holder's word like any shrink.
void plan_keeping(const LedgerId& id, const Ledger& ledger, bool keep,
                  const std::vector<Account>& busy, std::vector<ShareChange>& steps);

}  // namespace brigade::node
