#include "node/placement.h"

#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include "node/replica_id.h"

namespace brigade::node {
namespace {

using base::NodeId;
using raft::ChangeKind;
using raft::ReplicaId;

// A shard's configuration and the nodes around it; every step that is asked for happens.
class Shard {
 public:
  void node(std::uint64_t id, Standing standing = Standing::kWelcome, std::string zone = {}) {
    sites_[id] = {.node = NodeId(id), .zone = std::move(zone), .standing = standing, .fresh = {}};
  }
  void voter(std::uint64_t id) { view_.voters.insert(replica_id(NodeId(id), 0)); }
  void learner(std::uint64_t id) { view_.learners.insert(replica_id(NodeId(id), 0)); }
  void catch_up() { view_.caught_up = view_.learners; }
  void lead(std::uint64_t id) { view_.leader = NodeId(id); }
  void want(std::size_t replicas) { view_.replicas = replicas; }

  std::optional<raft::ConfChange> next() {
    view_.sites.clear();
    for (auto& [id, site] : sites_) {
      site.fresh = replica_id(NodeId(id), static_cast<std::uint16_t>(generations_[id] + 1));
      view_.sites.push_back(site);
    }
    return next_placement(view_);
  }
  // Takes steps until there are none; learners catch up at once. How many it took.
  int settle() {
    int steps = 0;
    for (; steps < 50; ++steps) {
      catch_up();
      const auto change = next();
      if (!change) {
        break;
      }
      apply(*change);
    }
    return steps;
  }
  [[nodiscard]] std::vector<std::uint64_t> voters() const {
    std::vector<std::uint64_t> nodes;
    for (const ReplicaId id : view_.voters) {
      nodes.push_back(node_of(id).value());
    }
    return nodes;
  }
  [[nodiscard]] std::size_t zones() const {
    std::set<std::string> names;
    for (const ReplicaId id : view_.voters) {
      names.insert(sites_.at(node_of(id).value()).zone);
    }
    return names.size();
  }
  [[nodiscard]] std::size_t least_voters() const { return least_; }

 private:
  void apply(const raft::ConfChange& change) {
    for (const raft::SingleChange& one : change.changes) {
      REQUIRE(node_of(one.replica) != (one.kind == ChangeKind::kRemove ? view_.leader : NodeId()));
      view_.voters.erase(one.replica);
      view_.learners.erase(one.replica);
      if (one.kind == ChangeKind::kAddVoter) {
        view_.voters.insert(one.replica);
      } else if (one.kind == ChangeKind::kAddLearner) {
        view_.learners.insert(one.replica);
        generations_[node_of(one.replica).value()] = generation_of(one.replica);
      }
    }
    least_ = std::min(least_, view_.voters.size());
  }

  PlacementView view_;
  std::map<std::uint64_t, Site> sites_;
  std::map<std::uint64_t, std::uint16_t> generations_;
  std::size_t least_ = 99;
};

Shard three_voters_of(std::uint64_t nodes) {
  Shard shard;
  for (std::uint64_t id = 1; id <= nodes; ++id) {
    shard.node(id);
  }
  for (std::uint64_t id = 1; id <= 3; ++id) {
    shard.voter(id);
  }
  shard.lead(1);
  return shard;
}

TEST_SUITE("node/placement") {
  TEST_CASE("what is well placed stays") {
    CHECK_FALSE(three_voters_of(3).next());
    CHECK_FALSE(three_voters_of(7).next());
  }

  TEST_CASE("a learner comes first, votes when it has caught up, and others wait for it") {
    Shard shard;
    shard.node(1);
    shard.node(2);
    shard.node(3);
    shard.voter(1);
    shard.lead(1);
    const auto first = shard.next();
    REQUIRE(first);
    CHECK(first->changes.size() == 1);
    CHECK(first->changes.front().kind == ChangeKind::kAddLearner);
    shard.learner(2);
    CHECK_FALSE(shard.next());
    shard.catch_up();
    const auto second = shard.next();
    REQUIRE(second);
    CHECK(second->changes ==
          std::vector<raft::SingleChange>{
              {.kind = ChangeKind::kAddVoter, .replica = replica_id(NodeId(2), 0)}});
  }

  TEST_CASE("voters follow a growing cluster up to the number of replicas") {
    Shard shard;
    shard.node(1);
    shard.voter(1);
    shard.lead(1);
    CHECK(shard.settle() == 0);
    for (std::uint64_t id = 2; id <= 6; ++id) {
      shard.node(id);
      shard.settle();
      CHECK(shard.voters().size() == std::min<std::uint64_t>(id, 3));
    }
  }

  TEST_CASE("a voter missed for less than the grace period is left alone") {
    Shard shard = three_voters_of(5);
    shard.node(2, Standing::kKept);
    CHECK_FALSE(shard.next());
  }

  TEST_CASE("a lost voter is swapped against another node in one joint step") {
    Shard shard = three_voters_of(4);
    shard.node(3, Standing::kLost);
    CHECK(shard.settle() == 2);
    CHECK(shard.voters() == std::vector<std::uint64_t>{1, 2, 4});
    CHECK(shard.least_voters() == 3);
  }

  TEST_CASE("a lost voter without a successor keeps its vote, an expelled one does not") {
    Shard shard = three_voters_of(3);
    shard.node(3, Standing::kLost);
    CHECK_FALSE(shard.next());
    shard.node(3, Standing::kExpelled);
    CHECK(shard.settle() == 1);
    CHECK(shard.voters() == std::vector<std::uint64_t>{1, 2});
  }

  TEST_CASE("a leader that must go is never removed while it leads, but its successors come") {
    Shard shard = three_voters_of(4);
    shard.node(1, Standing::kExpelled);
    shard.settle();
    CHECK(shard.voters() == std::vector<std::uint64_t>{1, 2, 3, 4});
    shard.lead(2);
    shard.settle();
    CHECK(shard.voters() == std::vector<std::uint64_t>{2, 3, 4});
  }

  TEST_CASE("the only voter hands over to a newcomer before it leaves") {
    Shard shard;
    shard.node(1, Standing::kExpelled);
    shard.voter(1);
    shard.lead(1);
    CHECK(shard.settle() == 0);
    shard.node(2);
    shard.settle();
    CHECK(shard.voters() == std::vector<std::uint64_t>{1, 2});
    shard.lead(2);
    shard.settle();
    CHECK(shard.voters() == std::vector<std::uint64_t>{2});
  }

  TEST_CASE("a learner whose node goes away makes room for another") {
    Shard shard;
    shard.node(1);
    shard.node(2, Standing::kKept);
    shard.node(3);
    shard.voter(1);
    shard.learner(2);
    shard.lead(1);
    const auto change = shard.next();
    REQUIRE(change);
    CHECK(change->changes.front() ==
          raft::SingleChange{.kind = ChangeKind::kRemove, .replica = replica_id(NodeId(2), 0)});
    shard.settle();
    CHECK(shard.voters() == std::vector<std::uint64_t>{1, 3});
  }

  TEST_CASE("new voters prefer zones that have none") {
    Shard shard;
    shard.node(1, Standing::kWelcome, "a");
    for (std::uint64_t id = 2; id <= 6; ++id) {
      shard.node(id, Standing::kWelcome, "a");
    }
    shard.node(7, Standing::kWelcome, "b");
    shard.node(8, Standing::kWelcome, "c");
    shard.voter(1);
    shard.lead(1);
    shard.settle();
    CHECK(shard.zones() == 3);
  }

  TEST_CASE(
      "zones that come later are used, one voter at a time, and then nothing moves any more") {
    Shard shard;
    for (std::uint64_t id = 1; id <= 3; ++id) {
      shard.node(id, Standing::kWelcome, "a");
      shard.voter(id);
    }
    shard.lead(2);
    shard.node(4, Standing::kWelcome, "b");
    shard.node(5, Standing::kWelcome, "c");
    shard.node(6, Standing::kWelcome, "c");
    CHECK(shard.settle() == 4);
    CHECK(shard.zones() == 3);
    CHECK(shard.voters().size() == 3);
    CHECK(shard.least_voters() == 3);
  }

  TEST_CASE("it ends well whatever the nodes are like, and never below the voters it found") {
    for (std::uint32_t mask = 0; mask < 4096; ++mask) {
      CAPTURE(mask);
      Shard shard;
      std::size_t welcome = 0;
      for (std::uint64_t id = 1; id <= 6; ++id) {
        const auto standing = static_cast<Standing>(mask >> (2 * (id - 1)) & 3U);
        shard.node(id, standing, id % 2 == 0 ? "even" : "odd");
        welcome += standing == Standing::kWelcome ? 1 : 0;
      }
      shard.node(1);  // the leader
      shard.voter(1);
      shard.voter(2);
      shard.voter(3);
      shard.lead(1);
      CHECK(shard.settle() < 20);
      const auto voters = shard.voters();
      CHECK(std::find(voters.begin(), voters.end(), 1) != voters.end());
      CHECK(voters.size() <= 3);
      if (welcome >= 3) {
        CHECK(voters.size() == 3);
      }
    }
  }
}

}  // namespace
}  // namespace brigade::node
