#include "sim/raft/command.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "sim/raft/campaign.h"

namespace brigade::sim {
namespace {

std::string plant_names() {
  std::string names;
  for (const auto& [name, plant] : raft_plants()) {
    names += names.empty() ? std::string(name) : ", " + std::string(name);
  }
  return names;
}

void report(std::uint64_t seed, const RaftVerdict& verdict) {
  constexpr const char* kFates[] = {"held", "BROKEN", "STUCK"};
  const RaftTotals& totals = verdict.totals;
  const auto wide = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "seed %llu: %s, %llu events, %llu of %llu acknowledged, %llu reads, %llu elections, "
      "%llu conf changes, %llu snapshots, hash %016llx\n",
      wide(seed), kFates[static_cast<std::size_t>(verdict.fate)], wide(totals.events),
      wide(totals.acknowledged), wide(totals.proposed), wide(totals.reads), wide(totals.elections),
      wide(totals.conf_changes), wide(totals.snapshots), wide(totals.hash));
}

void explain(std::uint64_t seed, const RaftVerdict& verdict, const RaftOptions& options) {
  std::printf("%s\nagain: brigade-sim raft --first %llu --seeds 1 --seconds %lld --plant %s%s\n",
              verdict.why.c_str(), static_cast<unsigned long long>(seed),
              static_cast<long long>(options.seconds), options.plant.c_str(),
              options.calm ? " --calm" : "");
}

}  // namespace

void declare(CLI::App& command, RaftOptions& options) {
  command.add_option("--first", options.first, "first seed");
  command.add_option("--seeds", options.seeds, "how many seeds");
  command.add_option("--seconds", options.seconds, "simulated seconds of faults per seed");
  command.add_option("--plant", options.plant, "a planted bug: " + plant_names());
  command.add_flag("--calm", options.calm, "five replicas, no faults");
  command.add_flag("--quiet", options.quiet, "only the summary and what broke");
}

int run(const RaftOptions& options) {
  const auto plants = raft_plants();
  const auto plant = std::find_if(plants.begin(), plants.end(),
                                  [&](const auto& one) { return one.first == options.plant; });
  if (plant == plants.end()) {
    std::fprintf(stderr, "no planted bug is named %s\nknown: %s\n", options.plant.c_str(),
                 plant_names().c_str());
    return 2;
  }
  RaftTrial trial{.seed = 0,
                  .plant = plant->second,
                  .lasts = base::seconds(options.seconds),
                  .calm = options.calm};
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t events = 0;
  std::uint64_t runs = 0;
  for (trial.seed = options.first; trial.seed < options.first + options.seeds; ++trial.seed) {
    const RaftVerdict verdict = try_raft(trial);
    events += verdict.totals.events;
    ++runs;
    if (!options.quiet || verdict.fate != RaftFate::kHeld) {
      report(trial.seed, verdict);
      std::fflush(stdout);
    }
    if (verdict.fate != RaftFate::kHeld) {
      explain(trial.seed, verdict, options);
      return verdict.fate == RaftFate::kBroken ? 10 : 11;
    }
    if (trial.seed == options.first) {
      ++runs;
      if (try_raft(trial).totals.hash != verdict.totals.hash) {
        std::printf("seed %llu ran differently the second time\n",
                    static_cast<unsigned long long>(trial.seed));
        return 12;
      }
    }
  }
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%llu seeds held, %llu events, %.0f simulated seconds per second\n",
              static_cast<unsigned long long>(options.seeds),
              static_cast<unsigned long long>(events),
              static_cast<double>(runs) * static_cast<double>(options.seconds) / wall);
  return 0;
}

}  // namespace brigade::sim
