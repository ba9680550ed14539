// A whole node that is a cluster of its own, for tests: they are its disk, its clock and its
// clients.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "node/node.h"
#include "wire/store_codec.h"

namespace brigade::node {

inline constexpr NodeId kSelf(1);

inline bucket::LimitSpec undivided_limit(const char* name, std::int64_t burst) {
  bucket::LimitSpec spec;
  spec.name = name;
  spec.rate = Rate::per_second(1);
  spec.burst = Tokens::whole(burst);
  return spec;
}
// Divided, of however few tokens.
inline bucket::LimitSpec limit(const char* name, std::int64_t burst) {
  bucket::LimitSpec spec = undivided_limit(name, burst);
  spec.lend.max_share = 1000;
  return spec;
}

inline bucket::LimitSpec keyed_limit(const char* name, std::int64_t burst) {
  bucket::LimitSpec spec = undivided_limit(name, burst);
  spec.per_key = true;
  return spec;
}
inline bucket::LimitSpec strict_limit(const char* name, std::int64_t burst) {
  bucket::LimitSpec spec = undivided_limit(name, burst);
  spec.mode = bucket::Mode::kStrict;
  return spec;
}

class Alone {
 public:
  explicit Alone(Plant plant = Plant::kNone) : node_(config(plant), codec_, base::Prng(1), now()) {
    ReplicaState state;
    state.raft.hard = {.term = raft::Term(1), .vote = {}, .commit = raft::Index(1)};
    state.raft.snapshot.last = {.term = raft::Term(1), .index = raft::Index(1)};
    state.raft.snapshot.conf.voters = {replica_id(kSelf, 0)};
    node_.add_replica(node_.replica_config(ShardId(0), replica_id(kSelf, 0)), std::move(state),
                      now());
    run(3000);
    REQUIRE(node_.ready(now()));
  }

  void run(std::int64_t ms) {
    for (std::int64_t i = 0; i < ms; ++i) {
      time_ += base::milliseconds(1);
      turn();
    }
  }
  void turn() {
    // A disk without delay: what it was given is durable at once.
    for (int pass = 0; pass < 20; ++pass) {
      Actions out;
      node_.settle(now(), out);
      std::move(out.answers.begin(), out.answers.end(), std::back_inserter(answers_));
      std::move(out.settled.begin(), out.settled.end(), std::back_inserter(settled_));
      std::move(out.admin.begin(), out.admin.end(), std::back_inserter(replies_));
      if (stalled_) {
        std::move(out.writes.begin(), out.writes.end(), std::back_inserter(unwritten_));
        break;
      }
      if (out.writes.empty()) {
        break;
      }
      for (GroupWrite& write : out.writes) {
        if (!write.persists.empty()) {
          node_.persisted(std::move(write), now());
        }
      }
    }
    node_.check_invariants();
  }
  AdminReply admin(AdminRequest request) {
    const Ticket ticket = ++last_ticket_;
    node_.admin(request, ticket, now());
    return answered(replies_, ticket).reply;
  }
  void declare(std::vector<bucket::LimitSpec> limits) {
    REQUIRE(std::holds_alternative<Done>(admin(PutLimits{.limits = std::move(limits)})));
    run(500);  // shares follow
  }
  Decision decided(const std::optional<Decision>& decision, Ticket ticket) {
    return decision ? *decision : answered(answers_, ticket).decision;
  }
  Decision acquire(const AcquireRequest& request) {
    const Ticket ticket = ++last_ticket_;
    return decided(node_.acquire(request, ticket, now()), ticket);
  }
  Decision acquire_all(const std::vector<AcquireRequest>& requests) {
    const Ticket ticket = ++last_ticket_;
    return decided(node_.acquire_all(requests, ticket, now()), ticket);
  }
  SettleReply settle(const ReservationId& id, std::int64_t actual) {
    const Ticket ticket = ++last_ticket_;
    const auto reply = node_.settle_reservation(id, Tokens::whole(actual), ticket, now());
    return reply ? *reply : answered(settled_, ticket).reply;
  }
  Tokens remaining(const char* name) {
    return acquire({.limit = name, .cost = Tokens::whole(1), .peek = true}).remaining;
  }
  // From now on nothing becomes durable; once it is over, all of it does.
  void stall_disk(bool stalled) {
    stalled_ = stalled;
    for (GroupWrite& write : std::exchange(unwritten_, {})) {
      if (!write.persists.empty()) {
        node_.persisted(std::move(write), now());
      }
    }
  }
  Node& node() { return node_; }
  [[nodiscard]] Instant now() const { return {.slow = time_, .fast = time_}; }

 private:
  static NodeConfig config(Plant plant) {
    NodeConfig config{.id = kSelf, .boot = {1, 1}, .name = "n1", .shards = 1};
    config.steward.plant = plant;
    return config;
  }
  // Waits for the answer to this ticket among those of its kind.
  template <class Kind>
  Kind answered(const std::vector<Kind>& answers, Ticket ticket) {
    for (int i = 0; i < 4000; ++i) {
      run(1);
      for (const Kind& one : answers) {
        if (one.ticket == ticket) {
          return one;
        }
      }
    }
    FAIL("nobody was answered");
    return {};
  }

  wire::StoreCodec codec_;
  TimePoint time_{base::seconds(1000)};
  Node node_;
  bool stalled_ = false;
  std::vector<GroupWrite> unwritten_;
  Ticket last_ticket_ = 0;
  std::vector<Answer> answers_;
  std::vector<SettleAnswer> settled_;
  std::vector<AdminAnswer> replies_;
};

inline AcquireRequest of(const char* limit, std::int64_t cost) {
  return {.limit = limit, .cost = Tokens::whole(cost)};
}
inline AcquireRequest of_key(const char* limit, const char* key, std::int64_t cost) {
  AcquireRequest request = of(limit, cost);
  request.key = key;
  return request;
}
inline AcquireRequest reserving(AcquireRequest request) {
  request.reserve = true;
  return request;
}

}  // namespace brigade::node
