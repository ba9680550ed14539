#include "node/fairness_meter.h"

#include <algorithm>
#include <vector>

#include "bucket/fairness.h"

namespace brigade::node {
namespace {

constexpr std::int64_t kFade = 64;
// A node that is asked for less than this says nothing about fairness.
constexpr std::int64_t kLeast = Tokens::kMicro;
constexpr std::int64_t kMost = std::int64_t{1} << 58;

// Totals come from peers: any two values, and settled reservations may lower them.
std::int64_t grown(Tokens before, Tokens after) {
  const auto difference = static_cast<std::int64_t>(static_cast<std::uint64_t>(after.micro()) -
                                                    static_cast<std::uint64_t>(before.micro()));
  return std::clamp<std::int64_t>(difference, 0, kMost / kFade);
}

}  // namespace

void FairnessMeter::reported(Account account, const PurseTotals& totals) {
  const auto [it, fresh] = accounts_.try_emplace(account, Counts{.seen = totals});
  if (fresh) {
    return;
  }
  Counts& counts = it->second;
  const std::int64_t admitted = grown(counts.seen.admitted, totals.admitted);
  const std::int64_t refused = grown(counts.seen.refused, totals.refused);
  counts.admitted = std::min(counts.admitted + admitted, kMost);
  counts.offered = std::min(counts.offered + admitted + refused, kMost);
  counts.seen = totals;
}

void FairnessMeter::age() {
  for (auto& [account, counts] : accounts_) {
    counts.admitted -= counts.admitted / kFade;
    counts.offered -= counts.offered / kFade;
  }
}

FairnessMeter::Figures FairnessMeter::figures() const {
  std::vector<std::int64_t> served;  // in thousandths of a thousandth
  std::vector<bucket::Part> wants;
  std::vector<std::int64_t> admitted;
  base::Wide capacity = 0;
  for (const auto& [account, counts] : accounts_) {
    if (counts.offered < kLeast) {
      continue;
    }
    served.push_back(static_cast<std::int64_t>(static_cast<base::Wide>(counts.admitted) *
                                               1'000'000 / counts.offered));
    wants.push_back({.floor = 0, .want = counts.offered, .weight = 1});
    admitted.push_back(counts.admitted);
    capacity += counts.admitted;
  }
  const auto total = static_cast<std::int64_t>(std::min<base::Wide>(capacity, kMost));
  return {.jain = bucket::jain(served), .max_min_gap = bucket::max_min_gap(wants, admitted, total)};
}

}  // namespace brigade::node
