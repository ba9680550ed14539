#include "raft/quorum.h"

#include <algorithm>
#include <vector>

namespace brigade::raft {

Index Majority::committed(const Acked& acked) const {
  if (voters_.empty()) {
    return kEverything;
  }
  std::vector<Index> indexes;
  indexes.reserve(voters_.size());
  for (const ReplicaId voter : voters_) {
    indexes.push_back(acked(voter).value_or(Index()));
  }
  // The n/2-th smallest is the largest that more than half have reached.
  const auto at = indexes.begin() + static_cast<std::ptrdiff_t>((indexes.size() - 1) / 2);
  std::nth_element(indexes.begin(), at, indexes.end());
  return *at;
}

VoteResult Majority::result(const Votes& votes) const {
  if (voters_.empty()) {
    return VoteResult::kWon;
  }
  std::size_t yes = 0;
  std::size_t missing = 0;
  for (const ReplicaId voter : voters_) {
    const auto vote = votes.find(voter);
    if (vote == votes.end()) {
      ++missing;
    } else if (vote->second) {
      ++yes;
    }
  }
  const std::size_t needed = voters_.size() / 2 + 1;
  if (yes >= needed) {
    return VoteResult::kWon;
  }
  return yes + missing >= needed ? VoteResult::kPending : VoteResult::kLost;
}

Index JointQuorum::committed(const Acked& acked) const {
  return std::min(incoming.committed(acked), outgoing.committed(acked));
}

VoteResult JointQuorum::result(const Votes& votes) const {
  const VoteResult one = incoming.result(votes);
  const VoteResult two = outgoing.result(votes);
  if (one == two) {
    return one;
  }
  if (one == VoteResult::kLost || two == VoteResult::kLost) {
    return VoteResult::kLost;
  }
  return VoteResult::kPending;
}

std::set<ReplicaId> JointQuorum::ids() const {
  std::set<ReplicaId> all = incoming.voters();
  all.insert(outgoing.voters().begin(), outgoing.voters().end());
  return all;
}

}  // namespace brigade::raft
