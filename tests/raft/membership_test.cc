#include "raft/membership.h"

#include <doctest/doctest.h>

namespace brigade::raft {
namespace {

Inflights no_window() {
  return {};
}
SingleChange add(std::uint64_t id) {
  return {ChangeKind::kAddVoter, ReplicaId(id)};
}
SingleChange learn(std::uint64_t id) {
  return {ChangeKind::kAddLearner, ReplicaId(id)};
}
SingleChange drop(std::uint64_t id) {
  return {ChangeKind::kRemove, ReplicaId(id)};
}
std::set<ReplicaId> ids(std::initializer_list<std::uint64_t> values) {
  std::set<ReplicaId> all;
  for (const std::uint64_t value : values) {
    all.insert(ReplicaId(value));
  }
  return all;
}
Membership of(const ConfState& conf) {
  auto members = restore(conf, Index(5), no_window());
  REQUIRE(members);
  return std::move(members).value();
}
Membership three() {
  return of({.voters = ids({1, 2, 3})});
}
base::Result<Membership> change(const Membership& from, Transition transition,
                                std::vector<SingleChange> changes) {
  return Changer(from, Index(5), no_window())
      .apply({.transition = transition, .changes = std::move(changes)});
}

TEST_CASE("one voter at a time without a joint configuration") {
  const Membership before = three();
  const auto one = change(before, Transition::kAuto, {add(4)});
  REQUIRE(one);
  CHECK(one->conf().voters == ids({1, 2, 3, 4}));
  const std::vector<SingleChange> two{add(4), add(5)};
  CHECK_FALSE(Changer(before, Index(5), no_window()).simple(two));
}

TEST_CASE("several changes go through a joint configuration that both halves decide") {
  const auto joint = change(three(), Transition::kAuto, {add(4), drop(1)});
  REQUIRE(joint);
  CHECK(joint->conf().voters == ids({2, 3, 4}));
  CHECK(joint->conf().voters_outgoing == ids({1, 2, 3}));
  CHECK(joint->auto_leave);
  CHECK(joint->progress.contains(ReplicaId(1)));  // still votes in the outgoing half
  const auto left = change(*joint, Transition::kAuto, {});
  REQUIRE(left);
  CHECK(left->conf().voters == ids({2, 3, 4}));
  CHECK_FALSE(left->voters.joint());
  CHECK_FALSE(left->progress.contains(ReplicaId(1)));
}

TEST_CASE("an explicit joint configuration is left on demand only") {
  const auto joint = change(three(), Transition::kJointExplicit, {add(4)});
  REQUIRE(joint);
  CHECK_FALSE(joint->auto_leave);
  CHECK_FALSE(change(*joint, Transition::kAuto, {add(5)}));
  CHECK_FALSE(change(*joint, Transition::kJointExplicit, {add(5)}));
}

TEST_CASE("a demoted voter keeps its vote until the joint configuration is left") {
  const auto joint = change(three(), Transition::kJointImplicit, {learn(3)});
  REQUIRE(joint);
  CHECK(joint->conf().learners.empty());
  CHECK(joint->conf().learners_next == ids({3}));
  CHECK(joint->voter(ReplicaId(3)));
  const auto left = change(*joint, Transition::kAuto, {});
  REQUIRE(left);
  CHECK(left->conf().learners == ids({3}));
  CHECK(left->progress.at(ReplicaId(3)).learner());
}

TEST_CASE("nobody is left without a voter, and nothing joint is left that is not") {
  CHECK_FALSE(change(of({.voters = ids({1})}), Transition::kAuto, {drop(1)}));
  CHECK_FALSE(change(three(), Transition::kAuto, {}));
}

TEST_CASE("a refused change leaves the configuration as it was") {
  const Membership before = three();
  CHECK_FALSE(change(before, Transition::kAuto, {}));
  CHECK(before.conf() == ConfState{.voters = ids({1, 2, 3})});
}

TEST_CASE("a stored configuration comes back as it was, joint ones too") {
  const ConfState plain{.voters = ids({1, 2, 3}), .learners = ids({4})};
  CHECK(of(plain).conf() == plain);
  const ConfState joint{.voters = ids({1, 2, 5}),
                        .voters_outgoing = ids({1, 2, 3}),
                        .learners = ids({6}),
                        .learners_next = ids({3}),
                        .auto_leave = true};
  CHECK(of(joint).conf() == joint);
}

}  // namespace
}  // namespace brigade::raft
