// What the steward expects each account to be asked for: one contest of models per (ledger,
// account), fed with the demand in force at every sizing.
//
// Expectations move shares, never sums: rounded to a 1024th of the limit's rate before they decide
// anything, and no more than what was reported until a model has earned belief. A new leader starts
// without history and plans with the reports.
//
// Threads: single-threaded (owner: steward). Memory: kSeriesMax contests of a few hundred bytes;
// accounts beyond are planned with what they report.
#pragma once

#include <cstddef>
#include <functional>
#include <map>

#include "forecast/contest.h"
#include "node/rights.h"

namespace brigade::node {

class LoadForecasts {
 public:
  static constexpr std::size_t kSeriesMax = 4096;
  // Samples are 250 ms apart: an expectation made now governs the next three quarters of a second,
  // what a report, a shrink, a grow and the next sizing take together.
  static constexpr int kHorizon = 3;

  void observe(const LedgerId& id, Account account, Rate offered);
  // What to plan for. `reported`: the latest report; `limit`: the limit's own rate.
  [[nodiscard]] Rate expected(const LedgerId& id, Account account, Rate reported, Rate limit) const;
  // Forgets the accounts that this says are over.
  void forget(const std::function<bool(const LedgerId&, Account)>& over);
  [[nodiscard]] std::size_t size() const { return contests_.size(); }

 private:
  std::map<std::pair<LedgerId, Account>, forecast::Contest> contests_;
};

}  // namespace brigade::node
