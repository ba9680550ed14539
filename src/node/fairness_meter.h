// How fair a limit's tokens were divided lately, from what its nodes report: the leader's figures
// of semantics 5.
//
// Single-threaded (owner: steward). Counts fade with a time constant of 64 calls of age().
#pragma once

#include <cstdint>
#include <map>

#include "bucket/limit_spec.h"
#include "node/rights.h"

namespace brigade::node {

class FairnessMeter {
 public:
  struct Figures {
    bucket::Permille jain = 1000;      // of admitted / offered per node
    bucket::Permille max_min_gap = 0;  // the worst shortfall against the max-min fair part
  };

  // An account's totals since its process started; the first report only says where they begin.
  void reported(Account account, const PurseTotals& totals);
  void left(Account account) { accounts_.erase(account); }
  void age();
  [[nodiscard]] Figures figures() const;

 private:
  struct Counts {
    PurseTotals seen;
    std::int64_t admitted = 0;  // faded, micro-tokens
    std::int64_t offered = 0;
  };
  std::map<Account, Counts> accounts_;
};

}  // namespace brigade::node
