// What a node tells the leader of a shard of its demand, where it has buckets of many limits.
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/node.h"
#include "wire/store_codec.h"

namespace brigade::node {
namespace {

constexpr NodeId kLeader(2);
constexpr Boot kBoot{1, 1};
constexpr std::size_t kLimits = Node::kDemandsMax + 44;

std::string name_of(std::size_t i) {
  return "limit-" + std::to_string(i);
}

// A node without replicas; the test is the leader of its only shard.
class Lodger {
 public:
  Lodger()
      : node_({.id = NodeId(1), .boot = kBoot, .name = "n1", .shards = 1}, codec_, base::Prng(1),
              now()) {
    node_.seen({.id = kLeader, .name = "n2", .live = true}, now());
    for (int i = 0; i < 400 && reports().empty(); ++i) {
      run(10);
    }
    REQUIRE_FALSE(reports().empty());
  }

  void run(std::int64_t ms) {
    for (std::int64_t i = 0; i < ms; ++i) {
      time_ += base::milliseconds(1);
      Actions out;
      node_.settle(now(), out);
      for (const Send& send : out.sends) {
        answer(send.message);
      }
    }
  }
  Node& node() { return node_; }
  [[nodiscard]] Instant now() const { return {.slow = time_, .fast = time_}; }
  // Of each renewal that had any, which limits it told of.
  [[nodiscard]] std::vector<std::set<std::string>>& reports() { return reports_; }

 private:
  void answer(const PeerMessage& message) {
    if (const auto* open = std::get_if<OpenAsk>(&message)) {
      node_.received(
          kLeader,
          OpenAnswer{
              .shard = ShardId(0), .boot = kBoot, .attempt = open->attempt, .account = Account(5)},
          now());
    } else if (const auto* renew = std::get_if<Renew>(&message)) {
      if (!renew->demands.empty()) {
        auto& told = reports_.emplace_back();
        for (const DemandReport& one : renew->demands) {
          told.insert(one.ledger.limit);
        }
        CHECK(told.size() == renew->demands.size());
      }
      RenewAnswer reply{.shard = ShardId(0),
                        .account = renew->account,
                        .boot = kBoot,
                        .sent = renew->sent,
                        .live = true,
                        .tau = base::seconds(3),
                        .config_version = Version(1)};
      if (!renew->config_known) {
        for (std::size_t i = 0; i < kLimits; ++i) {
          bucket::LimitSpec spec;
          spec.name = name_of(i);
          spec.rate = Rate::per_second(1000);
          spec.burst = Tokens::whole(1000);
          reply.limits.push_back(
              {.spec = std::move(spec), .version = Version(1), .created = Version(1)});
        }
      }
      node_.received(kLeader, std::move(reply), now());
    }
  }

  wire::StoreCodec codec_;
  TimePoint time_{base::seconds(1000)};
  Node node_;
  std::vector<std::set<std::string>> reports_;
};

TEST_CASE("a renewal tells of a bounded number of limits, and each gets its turn") {
  Lodger lodger;
  lodger.reports().clear();
  lodger.run(2000);
  std::set<std::string> told;
  REQUIRE(lodger.reports().size() >= 2);
  for (const auto& report : lodger.reports()) {
    CHECK(report.size() <= Node::kDemandsMax);
    told.insert(report.begin(), report.end());
  }
  CHECK(told.size() == kLimits);
}

TEST_CASE("what is asked for now is told first") {
  Lodger lodger;
  lodger.run(1000);
  // Of those that would come last.
  for (std::size_t i = 0; i < kLimits; i += 30) {
    lodger.reports().clear();
    (void)lodger.node().acquire({.limit = name_of(i), .cost = Tokens::whole(900)}, 100 + i,
                                lodger.now());
    for (int ms = 0; ms < 800 && lodger.reports().empty(); ++ms) {
      lodger.run(1);
    }
    REQUIRE_FALSE(lodger.reports().empty());
    CHECK(lodger.reports().front().contains(name_of(i)));
  }
}

}  // namespace
}  // namespace brigade::node
