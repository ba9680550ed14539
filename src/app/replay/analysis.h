// What a replay shows: sums, latencies, two yardsticks computed from the same requests, and whether
// the guarantee held. Pure; integers only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "app/replay/attempt.h"
#include "app/replay/over_admission.h"

namespace brigade::replay {

// What the limit says.
struct Terms {
  Rate rate;
  Tokens burst;
  bool per_key = false;
};

struct Count {
  std::uint64_t requests = 0;
  Tokens tokens;  // their cost

  void add(Tokens cost) {
    ++requests;
    tokens += cost;
  }
  friend bool operator==(const Count&, const Count&) = default;
};

// Requests by what became of them; offered = admitted + refused + the errors.
struct Tally {
  Count offered;
  Count admitted;
  Count refused;
  Count error_replies;
  Count unanswered;
  Count node_down;
  Count overflow;

  [[nodiscard]] Count errors() const;
  void add(const Attempt& attempt);
};

// Nearest-rank quantiles; zero when there is nothing to measure.
struct Quantiles {
  Duration p50{0};
  Duration p99{0};
  Duration p999{0};
};

struct NodeFindings {
  Tally tally;
  Quantiles latency;
};

struct Findings {
  Tally tally;
  std::array<Count, kSources> admitted_by_source{};
  std::vector<NodeFindings> nodes;

  // What one token bucket of the limit's rate and burst (per key where the limit is) would have
  // admitted, full at the start, asked without delay at the actual send times: of the requests that
  // were answered, and of all (those never sent at the time they were due).
  Count central_admitted;
  Count central_admitted_of_all;
  // The same limit split into equal fixed parts, one per node: of the answered requests, each at
  // the node that it was sent to.
  Count static_admitted;

  OverAdmission worst;          // of all keys
  std::uint32_t worst_key = 0;  // where the limit is per key

  Quantiles latency;     // send to receipt, of answered requests
  Quantiles lag;         // due to send, of sent requests: how far the replay itself was behind
  Duration duration{0};  // first due to last receipt or due
};

// Attempts that were not sent (Fate::kNotSent) are left out. Requires: every node < nodes, nodes >
// 0; answered attempts were received at or after their send.
Findings analyse(const std::vector<Attempt>& attempts, std::size_t nodes, const Terms& terms);

}  // namespace brigade::replay
