// Who asked this node for tokens of one limit lately, so that a surplus that is too small for all
// is divided as the limit's owner wants it (semantics 5): no borrower gets more than its part.
//
// Single-threaded (owner: node). Memory: kMax borrowers; more are served as they come.
#pragma once

#include <cstddef>
#include <map>

#include "base/time.h"
#include "bucket/limit_spec.h"
#include "node/rights.h"

namespace brigade::node {

class Borrowers {
 public:
  static constexpr std::size_t kMax = 64;
  // Who did not ask for this long wants nothing any more.
  static constexpr base::Duration kWindow = base::milliseconds(250);

  struct Wish {
    Tokens want;
    // How much rather than others it should lend instead: -1000 .. 1000 (karma).
    bucket::Permille rank = 0;
  };
  void asked(NodeId borrower, const Wish& wish, base::TimePoint now);
  // The most that this borrower may have of the surplus:
  // * proportional: every borrower the same fraction of what it wants
  // * maxmin: equal parts, as far as they are wanted
  // * karma: parts by credit, as far as they are wanted
  [[nodiscard]] Tokens part(NodeId borrower, Tokens surplus, bucket::Fairness fairness,
                            base::TimePoint now) const;

 private:
  struct Asked {
    Wish wish;
    base::TimePoint at;
  };
  std::map<NodeId, Asked> wishes_;
};

}  // namespace brigade::node
