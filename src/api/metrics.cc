#include "api/metrics.h"

#include <algorithm>

namespace brigade::api {
namespace {

constexpr std::string_view kOther = "other";
constexpr std::array<std::string_view, 9> kResultNames{
    "admitted",      "refused",          "never",   "unknown_limit", "bad_request", "no_rights",
    "too_many_keys", "too_many_waiting", "draining"};
constexpr std::array<std::string_view, 3> kDoorNames{"redis", "http", "envoy"};

// Bounds of brigade_decision_seconds: powers of two from 1 us (2^10 ns) to 69 s (2^36 ns).
constexpr unsigned kFirstBound = 10;
constexpr unsigned kLastBound = 36;

double seconds(base::Duration d) {
  return static_cast<double>(d.count()) / 1e9;
}

template <class Enum>
std::size_t index(Enum value) {
  return static_cast<std::size_t>(value);
}

// What is wrong with a request in detail is for whoever asked.
std::size_t result_of(node::Verdict verdict) {
  return index(verdict) < kResultNames.size() ? index(verdict) : index(node::Verdict::kBadRequest);
}

}  // namespace

Metrics::Metrics(std::size_t limits_max) : limits_max_(limits_max) {}

Metrics::Counters& Metrics::of(std::string_view limit) {
  if (last_ != nullptr && last_->first == limit) {
    return last_->second;
  }
  if (const auto found = counters_.find(limit); found != counters_.end()) {
    last_ = &*found;
    return found->second;
  }
  // "" and "other" are beside the cap.
  const std::size_t beside = counters_.count(std::string_view()) + counters_.count(kOther);
  const bool room = limit.empty() || counters_.size() < limits_max_ + beside;
  return counters_[std::string(room ? limit : kOther)];
}

void Metrics::decided(Door door, std::string_view limit, const node::Decision& decision,
                      base::Duration took) {
  // A client may ask for any name: those must not become labels.
  const bool known = decision.verdict != node::Verdict::kUnknownLimit;
  ++of(known ? limit : std::string_view())
        .decisions.at(result_of(decision.verdict))
        .at(index(decision.source));
  latency_.at(index(door)).record(took);
  recent_.at(index(door)).record(took);
}

void Metrics::forget(const std::function<bool(std::string_view limit)>& gone) {
  last_ = nullptr;
  std::erase_if(counters_, [&](const auto& one) {
    return !one.first.empty() && one.first != kOther && gone(one.first);
  });
}

Metrics::RequestTime Metrics::take_p99() {
  constexpr unsigned kP99 = 990;
  Histogram all;
  for (const Histogram& door : recent_) {
    all.add(door);
  }
  const RequestTime time{.all = all.quantile(kP99),
                         .redis = recent_.at(index(Door::kRedis)).quantile(kP99),
                         .http = recent_.at(index(Door::kHttp)).quantile(kP99)};
  for (Histogram& door : recent_) {
    door.clear();
  }
  return time;
}

std::vector<std::string_view> Metrics::limits() const {
  std::vector<std::string_view> names;
  names.reserve(counters_.size());
  for (const auto& [name, counters] : counters_) {
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Metrics::write_decisions(MetricsText& out) const {
  out.family("brigade_decisions_total", "counter", "Decisions by limit, result and token source.");
  for (const std::string_view limit : limits()) {
    const Counters& counters = counters_.find(limit)->second;
    for (std::size_t result = 0; result < kResults; ++result) {
      for (std::size_t source = 0; source < kSources; ++source) {
        if (const std::uint64_t count = counters.decisions.at(result).at(source); count > 0) {
          out.sample({{"limit", limit},
                      {"result", kResultNames.at(result)},
                      {"source", to_text(static_cast<node::Source>(source))}},
                     static_cast<double>(count));
        }
      }
    }
  }
}

void Metrics::write_latency(MetricsText& out) const {
  out.family("brigade_decision_seconds", "histogram",
             "Time from a whole request to its answer, waiting included, by front door.");
  for (std::size_t door = 0; door < kDoors; ++door) {
    const Histogram& histogram = latency_.at(door);
    const std::string_view name = kDoorNames.at(door);
    for (unsigned bound = kFirstBound; bound <= kLastBound; ++bound) {
      const std::string le = number_text(static_cast<double>(std::uint64_t{1} << bound) / 1e9);
      out.sample({{"door", name}, {"le", le}}, static_cast<double>(histogram.up_to(bound)),
                 "_bucket");
    }
    const auto count = static_cast<double>(histogram.count());
    out.sample({{"door", name}, {"le", "+Inf"}}, count, "_bucket");
    out.sample({{"door", name}}, seconds(histogram.sum()), "_sum");
    out.sample({{"door", name}}, count, "_count");
  }
}

std::string Metrics::text(const std::vector<SampledFamily>& sampled) const {
  MetricsText out;
  write_decisions(out);
  write_latency(out);
  std::size_t dropped = 0;
  for (const SampledFamily& family : sampled) {
    out.family(family.name, family.counter ? "counter" : "gauge", family.help);
    const std::size_t shown = std::min(family.samples.size(), kSamplesMax);
    dropped += family.samples.size() - shown;
    for (std::size_t i = 0; i < shown; ++i) {
      std::vector<Label> labels;
      for (const auto& [name, value] : family.samples[i].labels) {
        labels.emplace_back(name, value);
      }
      out.sample(labels, family.samples[i].value);
    }
  }
  out.family("brigade_metrics_dropped_samples", "gauge",
             "Samples left out of this scrape because a family had too many.");
  out.sample({}, static_cast<double>(dropped));
  return out.text();
}

}  // namespace brigade::api
