// Figures that say how fair a division was, and the cap that makes refusals proportional.
//
// Pure functions of integers. Source: Jain, Chiu, Hawe 1984 (index); semantics 5; algorithms 2.10.
#pragma once

#include <cstdint>
#include <span>

#include "base/tokens.h"
#include "bucket/limit_spec.h"
#include "bucket/water_fill.h"

namespace brigade::bucket {

// Jain's index in thousandths: (sum x)^2 / (n sum x^2); 1000 when all are equal, 1000/n when one
// has everything. An empty or all-zero list is fair. Requires: every x >= 0.
Permille jain(std::span<const std::int64_t> amounts);

// The largest shortfall of anybody against its max-min fair part m of the capacity, (m - a) / m in
// thousandths; 0 when nobody is short. Requires: one amount per part.
Permille max_min_gap(std::span<const Part> parts, std::span<const std::int64_t> amounts,
                     std::int64_t capacity);

struct LendFlow {
  base::Tokens lent;
  base::Tokens borrowed;
};
// |lent - borrowed| / (lent + borrowed) in thousandths: 0 for a node that gives what it takes.
Permille lend_imbalance(const LendFlow& flow);

struct ProportionalAsk {
  base::Tokens want;         // of this borrower
  base::Tokens want_of_all;  // this one's included, in the same period
};
// The cap of one borrower, so that all borrowers of a scarce surplus are refused with the same
// probability: surplus x want / want_of_all, at most want. Source: algorithms 1.1 (GRD).
base::Tokens proportional_cap(base::Tokens surplus, const ProportionalAsk& ask);

}  // namespace brigade::bucket
