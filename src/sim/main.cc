// brigade-sim: deterministic worlds with a checker. Exit codes: 0 held, 10 the guarantee broke,
// 11 no progress after the faults ended, 12 the same seed gave two different runs, 2 usage.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "base/coverage.h"
#include "sim/cluster/campaign.h"
#include "sim/cluster/few_tokens.h"
#include "sim/raft/command.h"

namespace {

using brigade::sim::Trial;

struct ClusterOptions {
  std::uint64_t first = 1;
  std::uint64_t seeds = 10;
  bool calm = false;
  bool members = false;
  bool keep = false;
  bool reserve = false;
  bool slow = false;
  bool classes = false;
  std::string plant;
  std::int64_t seconds = 30;
};

// What only some worlds have.
void print_parts(const brigade::sim::Totals& totals) {
  if (const auto slow = totals.limits.find("slow"); slow != totals.limits.end()) {
    std::printf("  slow keys: %.0f of %.0f (central %.0f), a leader took at most %.3f with it\n",
                slow->second.admitted.as_double(), slow->second.offered.as_double(),
                slow->second.central.as_double(), totals.worst_loss.as_double());
  }
  if (totals.reserved_from > brigade::base::Tokens{}) {
    std::printf("  classes: admitted %.0f of those with a reserve, W-part <= %.3f\n",
                totals.reserved_from.as_double(), totals.worst_class.as_double());
  }
}

int run_cluster(const ClusterOptions& options) {
  Trial trial{.faults = !options.calm,
              .members = options.members,
              .keep = options.keep,
              .reserve = options.reserve,
              .slow = options.slow,
              .classes = options.classes,
              .lasts = brigade::base::seconds(options.seconds)};
  if (!options.plant.empty()) {
    const auto plant = brigade::sim::plant_named(options.plant);
    if (!plant) {
      std::fprintf(stderr, "no planted bug is named %s\nknown: %s\n", options.plant.c_str(),
                   brigade::sim::plant_names().c_str());
      return 2;
    }
    trial.plant = *plant;
  }
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    trial.seed = seed;
    const auto verdict = brigade::sim::try_cluster(trial);
    const auto& totals = verdict.totals;
    brigade::sim::Counted keyed;
    for (const char* limit : {"users", "busy"}) {
      if (const auto found = totals.limits.find(limit); found != totals.limits.end()) {
        keyed.offered += found->second.offered;
        keyed.admitted += found->second.admitted;
        keyed.central += found->second.central;
      }
    }
    std::printf(
        "seed %llu: %s, admitted %.0f of %.0f (central %.0f), W-b <= %.3f, %llu events, hash "
        "%016llx, %llu offices, keyed %.0f of %.0f (central %.0f, in advance %.0f), refunded "
        "%.0f\n",
        static_cast<unsigned long long>(seed),
        !verdict.held             ? "BROKEN"
        : verdict.stalled.empty() ? "held"
                                  : "STUCK",
        totals.admitted.as_double(), totals.offered.as_double(), totals.central.as_double(),
        totals.worst.as_double(), static_cast<unsigned long long>(totals.events),
        static_cast<unsigned long long>(totals.hash),
        static_cast<unsigned long long>(totals.offices), keyed.admitted.as_double(),
        keyed.offered.as_double(), keyed.central.as_double(), totals.in_advance.as_double(),
        totals.refunded.as_double());
    print_parts(totals);
    std::fflush(stdout);
    if (!verdict.held || !verdict.stalled.empty()) {
      std::printf(
          "%s\nagain: brigade-sim cluster --first %llu --seeds 1 --seconds %lld%s%s%s%s%s%s%s%s\n",
          (verdict.held ? verdict.stalled : verdict.broken).c_str(),
          static_cast<unsigned long long>(seed), static_cast<long long>(options.seconds),
          options.calm ? " --calm" : "", options.members ? " --members" : "",
          options.keep ? " --keep" : "", options.reserve ? " --reserve" : "",
          options.slow ? " --slow" : "", options.classes ? " --classes" : "",
          options.plant.empty() ? "" : " --plant ", options.plant.c_str());
      return verdict.held ? 11 : 10;
    }
    if (seed == options.first && brigade::sim::try_cluster(trial).totals.hash != totals.hash) {
      std::printf("seed %llu ran differently the second time\n",
                  static_cast<unsigned long long>(seed));
      return 12;
    }
  }
  return 0;
}

// One line for each rare branch: how often it was reached.
void print_marks() {
  for (const auto& [name, hits] : brigade::base::coverage_marks()) {
    std::printf("mark %llu %.*s\n", static_cast<unsigned long long>(hits),
                static_cast<int>(name.size()), name.data());
  }
}

struct FewOptions {
  std::uint64_t seed = 1;
  std::int64_t seconds = 100;
  bool per_key = false;
  bool divided = false;
  std::int64_t cost = 1;
  std::size_t nodes = 5;
};

// What a cluster admits of limits of few tokens, in percent of one bucket without delay.
int run_few(const FewOptions& options) {
  using brigade::base::milliseconds;
  auto limits = brigade::sim::limits_of_few_tokens();
  std::printf("%-12s %-6s %-5s", "arrival", "wait", "load");
  for (auto& limit : limits) {
    limit.per_key = options.per_key;
    // Whoever says something of parts gets them.
    limit.lend.max_share += options.divided ? 1 : 0;
    std::printf(" %9s", limit.name.c_str());
  }
  std::printf("\n");
  for (const auto arrival : brigade::sim::kArrivals) {
    for (const auto wait : {milliseconds(0), milliseconds(1000)}) {
      for (const double load : {0.5, 1.2, 3.0}) {
        const auto verdict =
            brigade::sim::run_few_tokens({.arrival = arrival,
                                          .load = load,
                                          .wait = wait,
                                          .cost = brigade::base::Tokens::whole(options.cost),
                                          .lasts = brigade::base::seconds(options.seconds),
                                          .nodes = options.nodes,
                                          .seed = options.seed},
                                         limits);
        std::printf("%-12s %-6s %-5.1f", brigade::sim::name_of(arrival),
                    wait > milliseconds(0) ? "1s" : "no", load);
        for (const auto& limit : limits) {
          const auto& counted = verdict.totals.limits.at(limit.name);
          const double most = std::max(counted.central.as_double(), 1e-6);
          std::printf(" %8.1f%%", 100 * counted.admitted.as_double() / most);
        }
        std::printf("\n");
        std::fflush(stdout);
        if (!verdict.broken.empty()) {
          std::printf("BROKEN: %s\n", verdict.broken.c_str());
          return 10;
        }
      }
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("brigade-sim: the cluster in a deterministic world");
  app.require_subcommand(1);
  ClusterOptions cluster;
  CLI::App* command = app.add_subcommand("cluster", "a whole cluster, W checked after every event");
  command->add_option("--first", cluster.first, "first seed");
  command->add_option("--seeds", cluster.seeds, "how many seeds");
  command->add_option("--seconds", cluster.seconds, "simulated seconds of load per seed");
  command->add_flag("--calm", cluster.calm, "no faults");
  command->add_flag("--members", cluster.members, "members join, are removed and leave");
  command->add_flag("--keep", cluster.keep, "rights are kept in isolation");
  command->add_flag("--reserve", cluster.reserve,
                    "clients reserve and settle, and ask for several limits at once");
  command->add_flag("--slow", cluster.slow, "keys that are logged ahead, of a limit that changes");
  command->add_flag("--classes", cluster.classes, "requests of three priority classes");
  command->add_option("--plant", cluster.plant, "a planted bug: " + brigade::sim::plant_names());
  FewOptions few;
  CLI::App* few_command =
      app.add_subcommand("few", "limits of few tokens beside one bucket without delay");
  few_command->add_option("--seed", few.seed, "seed");
  few_command->add_option("--seconds", few.seconds, "simulated seconds of load");
  few_command->add_option("--cost", few.cost, "of each request");
  few_command->add_option("--nodes", few.nodes, "how many")->check(CLI::Range(1, 100));
  few_command->add_flag("--keyed", few.per_key, "one key of a `per: key` limit each");
  few_command->add_flag("--divided", few.divided, "as if they were not of few tokens");
  brigade::sim::RaftOptions raft;
  CLI::App* raft_command =
      app.add_subcommand("raft", "one Raft group, every property checked at every step");
  brigade::sim::declare(*raft_command, raft);
  bool marks = false;
  for (CLI::App* one : {command, raft_command}) {
    one->add_flag("--marks", marks, "list the rare branches and how often each was reached");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const int code = few_command->parsed()    ? run_few(few)
                   : raft_command->parsed() ? brigade::sim::run(raft)
                                            : run_cluster(cluster);
  if (marks) {
    print_marks();
  }
  return code;
}
