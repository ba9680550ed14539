#include "node/borrowers.h"

#include <algorithm>
#include <vector>

#include "bucket/fairness.h"
#include "bucket/water_fill.h"

namespace brigade::node {

void Borrowers::asked(NodeId borrower, const Wish& wish, base::TimePoint now) {
  std::erase_if(wishes_, [&](const auto& one) { return now - one.second.at > kWindow; });
  if (wishes_.size() < kMax || wishes_.contains(borrower)) {
    wishes_[borrower] = {.wish = wish, .at = now};
  }
}

Tokens Borrowers::part(NodeId borrower, Tokens surplus, bucket::Fairness fairness,
                       base::TimePoint now) const {
  const auto mine = wishes_.find(borrower);
  if (mine == wishes_.end() || surplus <= Tokens{}) {
    return std::max(surplus, Tokens{});
  }
  Tokens all;
  std::size_t index = 0;
  std::vector<bucket::Part> parts;
  for (const auto& [id, asked] : wishes_) {
    if (id != borrower && now - asked.at > kWindow) {
      continue;
    }
    if (id == borrower) {
      index = parts.size();
    }
    const Tokens want = std::clamp(asked.wish.want, Tokens{}, surplus);
    all += std::clamp(asked.wish.want, Tokens{}, Tokens::micro(Tokens::kMaxMicro / kMax));
    const bucket::Permille rank = std::clamp(asked.wish.rank, -1000, 1000);
    parts.push_back({.floor = 0,
                     .want = want.micro(),
                     .weight = fairness == bucket::Fairness::kKarma ? 1001 - rank : 1});
  }
  if (fairness == bucket::Fairness::kProportional) {
    return bucket::proportional_cap(surplus, {.want = mine->second.wish.want, .want_of_all = all});
  }
  return Tokens::micro(bucket::water_fill(parts, surplus.micro())[index]);
}

}  // namespace brigade::node
