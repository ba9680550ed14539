// How long a suspect has to object, in integers.
// Source: Lifeguard section IV.B; SWIM section 4.2.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "gossip/config.h"
#include "gossip/messages.h"

namespace brigade::gossip {

using base::TimePoint;

// log2(n) in units of 2^-16, rounded down. Requires: n > 0.
[[nodiscard]] std::uint32_t log2_q16(std::uint64_t n);

// How often one piece of news is sent in a cluster of `members`: retransmit_mult *
// ceil(log10(members + 1)), at least 2 * members up to 16 members.
[[nodiscard]] std::uint32_t retransmit_limit(const Config& config, std::size_t members);

struct SuspicionBounds {
  Duration min{};
  Duration max{};
  std::uint32_t confirmations = 0;  // that bring max down to min
};
// min = mult * max(1, log10(members)) * probe_interval; max = min * max_mult. Without enough
// members to confirm (members - 2: neither suspect nor accuser), it is min from the start.
[[nodiscard]] SuspicionBounds suspicion_bounds(const Config& config, std::size_t members);

// max - (max - min) * log(confirmations + 1) / log(k + 1), k = bounds.confirmations.
[[nodiscard]] Duration suspicion_timeout(const SuspicionBounds& bounds,
                                         std::uint32_t confirmations);

class Suspicion {
 public:
  // Suspected at `start` by `accuser`; zero when it is not known who said it first.
  Suspicion(SuspicionBounds bounds, NodeId accuser, TimePoint start);

  enum class Weight : std::uint8_t { kNothingNew, kConfirms };
  // Another accusation. Counts once per accuser, and never the first accuser's or an anonymous one.
  Weight confirm(NodeId accuser);
  // The originator's repetition counts; for a planted bug only.
  Weight confirm_anyhow();
  // Time that this process lost is no evidence against anybody.
  void postpone(Duration lost) { start_ += lost; }

  [[nodiscard]] TimePoint deadline() const;
  [[nodiscard]] std::uint32_t confirmations() const { return confirmations_; }

 private:
  SuspicionBounds bounds_;
  TimePoint start_;
  std::uint32_t confirmations_ = 0;
  std::vector<NodeId> accusers_;  // at most bounds_.confirmations + 1
};

}  // namespace brigade::gossip
