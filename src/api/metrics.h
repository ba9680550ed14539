// What a node counts for Prometheus (interface.md, /metrics). Counters of decisions
// live here; what cores know already is sampled when somebody asks.
//
// Threads: single-threaded. Label cardinality is capped: limits beyond `limits_max` are counted
// together under limit="other", and names that no limit has under limit="".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/desk.h"
#include "api/metrics_histogram.h"
#include "api/metrics_text.h"

namespace brigade::api {

// What a core knows, asked when somebody scrapes: brigade_tokens{limit,kind}, brigade_borrow_total,
// brigade_raft_*, brigade_gossip_*.
struct SampledFamily {
  std::string name;  // "brigade_raft_commit_index"
  std::string help;
  bool counter = false;  // otherwise a gauge; counters' names end in _total
  struct Sample {
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
  };
  std::vector<Sample> samples;
};

class Metrics {
 public:
  // At most `limits_max` different limits are told apart.
  explicit Metrics(std::size_t limits_max = 200);
  Metrics(Metrics&&) = default;
  Metrics& operator=(Metrics&&) = default;

  // One decision and how long its request took, the wait included. CL.THROTTLE's implicit limits
  // are recorded under one name of the caller's choice. No allocation for a limit seen before.
  void decided(Door door, std::string_view limit, const node::Decision& decision,
               base::Duration took);

  // Limits that are there no more: their counters end, and their places are free for others.
  void forget(const std::function<bool(std::string_view limit)>& gone);

  // The latency since the last call, of every door together and of each: what members tell each
  // other.
  struct RequestTime {
    base::Duration all{0};
    base::Duration redis{0};
    base::Duration http{0};
  };
  [[nodiscard]] RequestTime take_p99();

  // The whole exposition: what is counted here, then `sampled`. At most kSamplesMax samples of one
  // family are written; how many were left out is brigade_metrics_dropped_samples.
  [[nodiscard]] std::string text(const std::vector<SampledFamily>& sampled) const;

  static constexpr std::size_t kSamplesMax = 2000;

 private:
  static constexpr std::size_t kResults = 9;
  static constexpr std::size_t kSources = 5;
  static constexpr std::size_t kDoors = 3;

  struct Counters {
    std::array<std::array<std::uint64_t, kSources>, kResults> decisions{};
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  Counters& of(std::string_view limit);
  [[nodiscard]] std::vector<std::string_view> limits() const;
  void write_decisions(MetricsText& out) const;
  void write_latency(MetricsText& out) const;

  std::size_t limits_max_;
  std::unordered_map<std::string, Counters, Hash, std::equal_to<>> counters_;
  std::pair<const std::string, Counters>* last_ = nullptr;  // in counters_: mostly asked for again
  std::array<Histogram, kDoors> latency_;
  std::array<Histogram, kDoors> recent_;
};

}  // namespace brigade::api
