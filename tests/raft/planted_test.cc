// Planted bugs that seeds reach only by accident: three cores and every message by hand, once
// without the bug, when the property holds, and once with it, when it must not.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "raft/core.h"

namespace brigade::raft {
namespace {

constexpr std::uint64_t kReplicas = 3;

base::TimePoint at(std::int64_t ms) {
  return base::TimePoint(base::milliseconds(ms));
}
Restored founded(std::vector<Entry> entries = {}, Term term = Term(1)) {
  Restored restored;
  restored.hard = {.term = term, .vote = {}, .commit = Index(1)};
  restored.snapshot.last = {.term = Term(1), .index = Index(1)};
  for (std::uint64_t id = 1; id <= kReplicas; ++id) {
    restored.snapshot.conf.voters.insert(ReplicaId(id));
  }
  restored.entries = std::move(entries);
  restored.applied = Index(1);
  return restored;
}

// Disks are immediate; messages wait until the test delivers or drops them.
class Group {
 public:
  explicit Group(Plant plant, std::map<std::uint64_t, Restored> restored = {}) {
    for (std::uint64_t id = 1; id <= kReplicas; ++id) {
      Config config{.self = ReplicaId(id), .plant = plant};
      config.append_bytes_max = 1;  // one entry at a time
      cores_.emplace(id, Core(config, base::Prng(id),
                              restored.contains(id) ? restored.at(id) : founded(), at(0)));
    }
  }

  void step(std::uint64_t id, const Input& input, std::int64_t ms) {
    now_ = std::max(now_, ms);
    Core& core = cores_.at(id);
    core.step(input, at(now_));
    while (core.pending()) {
      Actions out;
      core.flush(out);
      perform(id, core, out);
    }
  }
  // Every message between these two replicas, and all that it leads to between them.
  void talk(std::uint64_t one, std::uint64_t other, std::int64_t ms) {
    while (auto message = take(one, other)) {
      step(message->to.value(), *message, ms);
    }
  }
  // The first message on its way from one to the other; what is taken and not stepped is lost.
  std::optional<Message> take_from(std::uint64_t from, std::uint64_t to) {
    const auto found = std::find_if(mail_.begin(), mail_.end(), [&](const Message& message) {
      return message.from.value() == from && message.to.value() == to;
    });
    if (found == mail_.end()) {
      return std::nullopt;
    }
    Message message = std::move(*found);
    mail_.erase(found);
    return message;
  }
  void lose_all() { mail_.clear(); }
  // Elected by the other one and with its first entry committed; the third hears nothing of it.
  void elect(std::uint64_t id, std::uint64_t voter, std::int64_t ms) {
    step(id, Campaign{}, ms);
    talk(id, voter, ms);
    lose_all();
    REQUIRE(core(id).role() == Role::kLeader);
    REQUIRE(core(id).committed_in_term());
  }

  [[nodiscard]] const Core& core(std::uint64_t id) const { return cores_.at(id); }
  // Reads that this replica was told it may do.
  [[nodiscard]] const std::vector<ReadReady>& reads(std::uint64_t id) { return reads_[id]; }
  [[nodiscard]] Index last_committed() const {
    Index last;
    for (const auto& [id, core] : cores_) {
      last = std::max(last, core.log().committed());
    }
    return last;
  }
  // The last entry that this replica knows to be committed.
  [[nodiscard]] EntryId committed(std::uint64_t id) const {
    const Log& log = cores_.at(id).log();
    return {.term = log.term(log.committed()).value(), .index = log.committed()};
  }
  // What somebody committed is in the logs of a majority.
  [[nodiscard]] bool committed_is_on_a_majority() const {
    for (const auto& [id, core] : cores_) {
      const EntryId entry = committed(id);
      const auto holders = std::count_if(cores_.begin(), cores_.end(), [&](const auto& other) {
        return other.second.log().matches(entry);
      });
      if (static_cast<std::uint64_t>(holders) <= kReplicas / 2) {
        return false;
      }
    }
    return true;
  }

 private:
  std::optional<Message> take(std::uint64_t one, std::uint64_t other) {
    auto message = take_from(one, other);
    return message ? std::move(message) : take_from(other, one);
  }
  void perform(std::uint64_t id, Core& core, Actions& out) {
    const auto post = [&](std::vector<Message>& messages) {
      for (Message& message : messages) {
        if (message.to.value() == id) {
          core.step(message, at(now_));
        } else {
          mail_.push_back(std::move(message));
        }
      }
    };
    post(out.sends);
    if (out.persist) {
      post(out.persist->then);
      if (out.persist->acknowledge) {
        core.step(*out.persist->acknowledge, at(now_));
      }
    }
    if (!out.apply.empty()) {
      core.step(Applied{.index = out.apply.back().id.index}, at(now_));
    }
    reads_[id].insert(reads_[id].end(), out.reads.begin(), out.reads.end());
    core.check_invariants();
  }

  std::map<std::uint64_t, Core> cores_;
  std::vector<Message> mail_;
  std::map<std::uint64_t, std::vector<ReadReady>> reads_;
  std::int64_t now_ = 0;
};

Entry entry_of(Term term, Index index, const char* data) {
  return {.id = {.term = term, .index = index}, .data = base::Bytes(data)};
}

// Figure 8 of the paper: a leader of term 3 brings an entry of term 1 to a majority and is gone;
// who has an entry of term 2 in its place may still be elected.
bool keeps_what_was_counted(Plant plant) {
  Group group(plant, {{1, founded({entry_of(Term(1), Index(2), "old")}, Term(2))},
                      {2, founded({}, Term(2))},
                      {3, founded({entry_of(Term(2), Index(2), "newer")}, Term(2))}});
  group.step(1, Campaign{}, 2000);
  while (group.core(1).log().last() < Index(3) || group.core(2).log().last() < Index(2)) {
    const auto there = group.take_from(1, 2);
    const auto back = there ? std::nullopt : group.take_from(2, 1);
    REQUIRE((there || back));
    group.step(there ? 2 : 1, there ? *there : *back, 2000);
  }
  const auto counted = group.take_from(2, 1);
  REQUIRE(counted);
  group.step(1, *counted, 2001);
  REQUIRE(group.core(2).log().last() == Index(2));
  const EntryId first = group.committed(1);
  group.lose_all();
  group.step(3, Campaign{}, 3000);  // learns what term it is
  group.talk(3, 2, 3000);
  group.elect(3, 2, 4000);
  return group.core(3).log().matches(first);
}

TEST_CASE(
    "an entry of an earlier term is not committed by counting, and a core that counts is seen") {
  CHECK(keeps_what_was_counted(Plant::kNone));
  CHECK_FALSE(keeps_what_was_counted(Plant::kCommitPriorTermByCount));
}

// A copy of an append comes after a later one, when what the later one brought is committed.
bool survives_a_late_copy(Plant plant) {
  Group group(plant);
  group.elect(1, 2, 2000);
  group.step(1, Propose{.data = base::Bytes("a"), .ticket = 1}, 2001);
  const auto first = group.take_from(1, 2);
  REQUIRE(first);
  REQUIRE(std::get<Append>(first->body).entries.size() == 1);
  group.step(2, *first, 2001);
  group.step(1, Propose{.data = base::Bytes("b"), .ticket = 2}, 2002);
  const auto second = group.take_from(1, 2);
  REQUIRE(second);
  group.step(2, *second, 2002);
  while (const auto reply = group.take_from(2, 1)) {
    group.step(1, *reply, 2003);
  }
  REQUIRE(group.core(1).log().committed() == Index(4));
  group.step(2, *first, 2004);
  return group.committed_is_on_a_majority();
}

TEST_CASE("a late copy of an append takes nothing back, and a core that truncates is seen") {
  CHECK(survives_a_late_copy(Plant::kNone));
  CHECK_FALSE(survives_a_late_copy(Plant::kTruncateOnAnyAppend));
}

// A leader that is cut off, its successor already committing, gets the answer to a round of before.
bool reads_what_its_successor_committed(Plant plant) {
  Group group(plant);
  group.elect(1, 2, 2000);
  group.step(1, Timeout{}, 2500);  // a heartbeat
  group.talk(1, 2, 2500);
  group.step(1, ReadIndex{.ticket = 1}, 2550);
  const auto round = group.take_from(1, 2);
  REQUIRE(round);
  group.step(2, *round, 2550);
  const auto answer = group.take_from(2, 1);  // it takes its time
  REQUIRE(answer);
  group.lose_all();
  group.step(1, Timeout{}, 2600);  // it was answered in this period
  // 600 ms after it last heard of its leader, 2 may vote for another.
  group.elect(2, 3, 3160);
  group.step(2, Propose{.data = base::Bytes("new"), .ticket = 2}, 3161);
  group.talk(2, 3, 3161);
  group.lose_all();
  const Index floor = group.last_committed();
  REQUIRE(floor > group.core(1).log().committed());
  REQUIRE(group.core(1).role() == Role::kLeader);
  group.step(1, ReadIndex{.ticket = 3}, 3170);
  group.step(1, *answer, 3171);
  REQUIRE_FALSE(group.reads(1).empty());
  CHECK(group.reads(1).front().ticket == 1);  // asked before the other was elected
  const auto& told = group.reads(1);
  return std::all_of(told.begin(), told.end(),
                     [&](const ReadReady& one) { return one.ticket != 3 || one.index >= floor; });
}

TEST_CASE("a round of before confirms no later read, and a core that counts it is seen") {
  CHECK(reads_what_its_successor_committed(Plant::kNone));
  CHECK_FALSE(reads_what_its_successor_committed(Plant::kReadByEarlierRound));
}

// A follower has an entry of a dead leader where another one is committed, and hears of the commit
// in a message that verifies only what comes before. Our own leaders probe so exactly that what
// they send next always meets the conflict; the rule is the follower's all the same (NuRaft 57).
bool commits_only_what_was_verified(Plant plant) {
  Group group(plant, {{3, founded({entry_of(Term(1), Index(2), "stale")})}});
  group.elect(1, 2, 2000);
  const Message short_one{.from = ReplicaId(1),
                          .to = ReplicaId(3),
                          .term = group.core(1).term(),
                          .body = Append{.prev = {.term = Term(1), .index = Index(1)},
                                         .entries = {},
                                         .commit = group.core(1).log().committed()}};
  REQUIRE(group.core(1).log().committed() == Index(2));
  group.step(3, short_one, 2001);
  return group.committed_is_on_a_majority();
}

TEST_CASE("a message commits only what it verified, and a core that commits more is seen") {
  CHECK(commits_only_what_was_verified(Plant::kNone));
  CHECK_FALSE(commits_only_what_was_verified(Plant::kCommitBeyondVerified));
}

}  // namespace
}  // namespace brigade::raft
