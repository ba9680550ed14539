#include "raft/quorum.h"

#include <doctest/doctest.h>

namespace brigade::raft {
namespace {

Majority majority(std::initializer_list<std::uint64_t> ids) {
  std::set<ReplicaId> voters;
  for (const std::uint64_t id : ids) {
    voters.insert(ReplicaId(id));
  }
  return Majority(voters);
}
// Voter i acknowledged the i-th index; 0: nothing heard.
Acked acked(std::vector<std::uint64_t> indexes) {
  return [indexes = std::move(indexes)](ReplicaId id) -> std::optional<Index> {
    const std::uint64_t index = id.value() <= indexes.size() ? indexes[id.value() - 1] : 0;
    return index == 0 ? std::nullopt : std::optional(Index(index));
  };
}
Votes votes(std::initializer_list<std::pair<const std::uint64_t, bool>> cast) {
  Votes all;
  for (const auto& [id, yes] : cast) {
    all.emplace(ReplicaId(id), yes);
  }
  return all;
}

TEST_CASE("a majority has committed what more than half acknowledged") {
  CHECK(majority({1, 2, 3}).committed(acked({5, 7, 9})) == Index(7));
  CHECK(majority({1, 2, 3}).committed(acked({5, 0, 0})) == Index(0));
  CHECK(majority({1, 2, 3, 4}).committed(acked({5, 6, 7, 8})) == Index(6));  // half is too few
  CHECK(majority({1}).committed(acked({4})) == Index(4));
  CHECK(majority({}).committed(acked({})) == Majority::kEverything);
}

TEST_CASE("a vote is lost as soon as it cannot be won") {
  const Majority three = majority({1, 2, 3});
  CHECK(three.result(votes({{1, true}})) == VoteResult::kPending);
  CHECK(three.result(votes({{1, true}, {2, true}})) == VoteResult::kWon);
  CHECK(three.result(votes({{1, false}, {2, false}})) == VoteResult::kLost);
  CHECK(three.result(votes({{1, true}, {9, true}})) == VoteResult::kPending);  // 9 is no voter
  CHECK(majority({1, 2}).result(votes({{1, true}})) == VoteResult::kPending);
  CHECK(majority({1, 2}).result(votes({{1, false}})) == VoteResult::kLost);
}

TEST_CASE("a joint configuration decides by both halves") {
  const JointQuorum joint{.incoming = majority({1, 2, 3}), .outgoing = majority({3, 4, 5})};
  CHECK(joint.committed(acked({9, 9, 9, 0, 0})) == Index(0));
  CHECK(joint.committed(acked({9, 9, 5, 4, 0})) == Index(4));
  CHECK(joint.result(votes({{1, true}, {2, true}})) == VoteResult::kPending);
  CHECK(joint.result(votes({{1, true}, {2, true}, {4, false}, {5, false}})) == VoteResult::kLost);
  CHECK(joint.result(votes({{1, true}, {3, true}, {4, true}})) == VoteResult::kWon);
}

// Any two quorums of one configuration share a voter: the property that everything rests on.
TEST_CASE("quorums of up to five voters always intersect") {
  for (std::uint64_t n = 1; n <= 5; ++n) {
    std::set<ReplicaId> ids;
    for (std::uint64_t id = 1; id <= n; ++id) {
      ids.insert(ReplicaId(id));
    }
    const Majority all(ids);
    const auto wins = [&](std::uint64_t mask) {
      Votes cast;
      for (std::uint64_t id = 1; id <= n; ++id) {
        cast.emplace(ReplicaId(id), (mask >> (id - 1) & 1U) != 0);
      }
      return all.result(cast) == VoteResult::kWon;
    };
    for (std::uint64_t a = 0; a < (1U << n); ++a) {
      for (std::uint64_t b = 0; b < (1U << n); ++b) {
        CHECK((!wins(a) || !wins(b) || (a & b) != 0));
      }
    }
  }
}

}  // namespace
}  // namespace brigade::raft
