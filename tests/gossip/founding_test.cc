#include "gossip/founding.h"

#include <numeric>

#include <doctest/doctest.h>

#include "sim/gossip/founding_world.h"

namespace {

using namespace brigade;  // NOLINT
using gossip::FoundingObstacle;
using gossip::FoundingPlant;
using sim::FoundingWorld;

std::vector<std::size_t> first(std::size_t count) {
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

struct Storm {
  std::uint64_t seed = 1;
  FoundingPlant plant = FoundingPlant::kNone;
  bool same_lists = false;  // otherwise the machines' seed lists differ, and overlap
};

// Five founders under every fault for a while, then calm. Returns what went wrong, or nothing.
std::string run(const Storm& storm, std::uint64_t* hash = nullptr) {
  const auto [seed, plant, same_lists] = storm;
  FoundingWorld world(seed, plant);
  base::Prng dice(seed * 7919);
  const auto all = first(5);
  for (std::size_t i = 0; i < 5; ++i) {
    std::vector<std::size_t> seeds;
    for (const std::size_t seed_of : all) {
      if (same_lists || seed_of == i || dice.below(2) == 0) {
        seeds.push_back(seed_of);
      }
    }
    world.add(seeds);
  }
  world.set_faults({.loss_permille = static_cast<std::uint32_t>(dice.below(400)),
                    .double_permille = 100,
                    .delay_max = base::milliseconds(dice.between(5, 2500)),
                    .disk_max = base::milliseconds(dice.between(5, 1000))});
  for (std::size_t i = 0; i < 5; ++i) {
    world.start(i);
  }
  for (int round = 0; round < 60 && world.broken().empty(); ++round) {
    const std::size_t machine = dice.below(5);
    if (dice.below(3) == 0) {
      world.running(machine) ? world.crash(machine) : world.start(machine);
    }
    world.run_for(base::milliseconds(700));
  }
  world.set_faults({});
  for (std::size_t i = 0; i < 5; ++i) {
    if (!world.running(i)) {
      world.start(i);
    }
  }
  world.run_for(base::seconds(120));
  if (hash != nullptr) {
    *hash = world.hash();
  }
  return !world.broken().empty() || !same_lists ? world.broken() : world.apart(all);
}

bool caught(FoundingPlant plant, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (!run({.seed = seed, .plant = plant}).empty()) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_SUITE("gossip/founding") {
  TEST_CASE("a node without seeds founds a cluster of its own") {
    FoundingWorld world(1, FoundingPlant::kNone);
    world.add({});
    world.start(0);
    world.run_for(base::milliseconds(100));
    CHECK(world.cluster(0) != base::ClusterId());
    CHECK(world.core(0).record().founded->founders.size() == 1);
  }

  TEST_CASE("five founders that start within two seconds found one cluster within three more") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      FoundingWorld world(seed, FoundingPlant::kNone);
      for (std::size_t i = 0; i < 5; ++i) {
        world.add(first(5));
      }
      for (std::size_t i = 0; i < 5; ++i) {
        world.start(i);
        world.run_for(base::milliseconds(2000));
      }
      world.run_for(base::seconds(3));
      CHECK(world.apart(first(5)) == "");
      CHECK(world.core(0).record().founded->founders.size() == 5);
    }
  }

  TEST_CASE("nothing is founded while a seed is missing, and progress names it") {
    FoundingWorld world(3, FoundingPlant::kNone);
    for (std::size_t i = 0; i < 3; ++i) {
      world.add(first(3));
    }
    world.start(0);
    world.start(1);
    world.run_for(base::seconds(30));
    CHECK(world.cluster(0) == base::ClusterId());
    const gossip::FoundingProgress progress = world.core(0).progress();
    CHECK(progress.unanswered == std::vector<std::string>{"10.0.0.2:7420"});
    CHECK(progress.wanted == 3);
    REQUIRE(progress.present.size() == 1);
    CHECK(progress.present[0].seed.address == "10.0.0.1:7420");
    CHECK(progress.present[0].stage == gossip::FoundingStage::kFounder);
    world.start(2);
    world.run_for(base::seconds(3));
    CHECK(world.apart(first(3)) == "");
  }

  TEST_CASE("fewer founders than seeds suffice when they are told so") {
    FoundingWorld world(4, FoundingPlant::kNone);
    for (std::size_t i = 0; i < 3; ++i) {
      world.add(first(3), 2);
    }
    world.start(0);
    world.start(1);
    world.run_for(base::seconds(5));
    CHECK(world.apart(first(2)) == "");
    world.start(2);
    world.run_for(base::seconds(5));
    CHECK(world.apart(first(3)) == "");
    CHECK(world.core(2).record().joined == world.cluster(0));
  }

  TEST_CASE("a node that is no seed waits for the cluster and joins it") {
    FoundingWorld world(5, FoundingPlant::kNone);
    world.add(first(2));
    world.add(first(2));
    world.add(first(2));
    world.start(2);
    world.run_for(base::seconds(5));
    CHECK(world.cluster(2) == base::ClusterId());
    CHECK_FALSE(world.core(2).progress().founder);
    world.start(0);
    world.start(1);
    world.run_for(base::seconds(5));
    CHECK(world.apart(first(3)) == "");
    CHECK(world.core(2).record().joined == world.cluster(0));
  }

  TEST_CASE("a founder that lost its disk joins its old cluster as somebody new") {
    FoundingWorld world(6, FoundingPlant::kNone);
    for (std::size_t i = 0; i < 3; ++i) {
      world.add(first(3));
      world.start(i);
    }
    world.run_for(base::seconds(5));
    const auto cluster = world.cluster(0);
    world.wipe(1);
    world.start(1);
    world.run_for(base::seconds(5));
    CHECK(world.cluster(1) == cluster);
    CHECK_FALSE(world.core(1).record().founded);
  }

  TEST_CASE("all restart at once and are told again") {
    FoundingWorld world(7, FoundingPlant::kNone);
    for (std::size_t i = 0; i < 3; ++i) {
      world.add(first(3));
      world.start(i);
    }
    world.run_for(base::seconds(5));
    const auto cluster = world.cluster(0);
    for (std::size_t i = 0; i < 3; ++i) {
      world.crash(i);
      world.start(i);
    }
    world.run_for(base::seconds(1));
    CHECK(world.cluster(0) == cluster);
    CHECK(world.core(0).progress().phase == gossip::FoundingProgress::Phase::kDone);
  }

  TEST_CASE("another cluster name and a clashing node name are told to both") {
    FoundingWorld world(8, FoundingPlant::kNone);
    world.add(first(2), 0, "a");
    world.add(first(2), 0, "b");
    world.start(0);
    world.start(1);
    world.run_for(base::seconds(2));
    for (std::size_t i = 0; i < 2; ++i) {
      REQUIRE(world.refusals(i).size() == 1);
      CHECK(world.refusals(i)[0].reason == FoundingObstacle::kOtherClusterName);
    }
    FoundingWorld twins(9, FoundingPlant::kNone);
    twins.add(first(2));
    twins.add(first(2));
    twins.rename(1, "n0");
    twins.start(0);
    twins.start(1);
    twins.run_for(base::seconds(2));
    for (std::size_t i = 0; i < 2; ++i) {
      REQUIRE(twins.refusals(i).size() == 1);
      CHECK(twins.refusals(i)[0].reason == FoundingObstacle::kNameTaken);
    }
  }

  TEST_CASE("crashes, loss, repetition and different seed lists never found two clusters") {
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
      CAPTURE(seed);
      CHECK(run({.seed = seed}) == "");
    }
  }

  TEST_CASE("once the storm is over, everybody belongs to one cluster") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      CAPTURE(seed);
      CHECK(run({.seed = seed, .same_lists = true}) == "");
    }
  }

  TEST_CASE("every planted bug is caught") {
    CHECK(caught(FoundingPlant::kPromisesTwice, 2000));
    CHECK(caught(FoundingPlant::kIgnoresAccepted, 2000));
    CHECK(caught(FoundingPlant::kSpeaksBeforeDurable, 2000));
    CHECK(caught(FoundingPlant::kMajorityIsEnough, 2000));
  }

  TEST_CASE("the same seed gives the same run") {
    std::uint64_t one = 0;
    std::uint64_t two = 0;
    run({.seed = 11}, &one);
    run({.seed = 11}, &two);
    CHECK(one == two);
  }
}
