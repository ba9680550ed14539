// The mathematics of majorities, single and joint (thesis 4.3).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "raft/ids.h"

namespace brigade::raft {

enum class VoteResult : std::uint8_t { kPending, kLost, kWon };

// What a voter has acknowledged; nullopt: nothing heard of it.
using Acked = std::function<std::optional<Index>(ReplicaId)>;
using Votes = std::map<ReplicaId, bool>;

class Majority {
 public:
  static constexpr Index kEverything{UINT64_MAX};

  Majority() = default;
  explicit Majority(std::set<ReplicaId> voters) : voters_(std::move(voters)) {}

  // The largest index that a majority has acknowledged; kEverything for the empty configuration.
  [[nodiscard]] Index committed(const Acked& acked) const;
  // The empty configuration always wins.
  [[nodiscard]] VoteResult result(const Votes& votes) const;

  std::set<ReplicaId>& voters() { return voters_; }
  [[nodiscard]] const std::set<ReplicaId>& voters() const { return voters_; }
  friend bool operator==(const Majority&, const Majority&) = default;

 private:
  std::set<ReplicaId> voters_;
};

// Decisions need both halves while a configuration is joint; `outgoing` is empty otherwise.
struct JointQuorum {
  Majority incoming;
  Majority outgoing;

  [[nodiscard]] bool joint() const { return !outgoing.voters().empty(); }
  [[nodiscard]] Index committed(const Acked& acked) const;
  [[nodiscard]] VoteResult result(const Votes& votes) const;
  [[nodiscard]] std::set<ReplicaId> ids() const;
  friend bool operator==(const JointQuorum&, const JointQuorum&) = default;
};

}  // namespace brigade::raft
