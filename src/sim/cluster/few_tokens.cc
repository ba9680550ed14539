#include "sim/cluster/few_tokens.h"

#include <algorithm>

#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

constexpr Duration kMoves = base::seconds(3);

void load(World& world, const bucket::LimitSpec& spec, const FewTokens& trial, TimePoint begin) {
  const TimePoint end = begin + trial.lasts;
  World::Demand demand{.limit = spec.name,
                       .key = spec.per_key ? "key" : "",
                       .cost = trial.cost,
                       .per_second = spec.rate.as_double() * trial.load / trial.cost.as_double(),
                       .wait = trial.wait,
                       .around = trial.arrival == Arrival::kRoundRobin,
                       .from = begin,
                       .until = end};
  switch (trial.arrival) {
    case Arrival::kOne:
    case Arrival::kRoundRobin:
      demand.machine = 1;
      world.load(demand);
      break;
    case Arrival::kRandom:
      demand.per_second /= static_cast<double>(trial.nodes);
      for (demand.machine = 0; demand.machine < trial.nodes; ++demand.machine) {
        world.load(demand);
      }
      break;
    case Arrival::kMoving:
      for (; demand.from < end; demand.from += kMoves) {
        demand.until = std::min(end, demand.from + kMoves);
        world.load(demand);
        demand.machine = (demand.machine + 2) % trial.nodes;
      }
      break;
  }
}

}  // namespace

const char* name_of(Arrival arrival) {
  switch (arrival) {
    case Arrival::kOne:
      return "one";
    case Arrival::kRoundRobin:
      return "round-robin";
    case Arrival::kRandom:
      return "random";
    case Arrival::kMoving:
      return "moving";
  }
  return "";
}

bucket::LimitSpec few_tokens(std::int64_t burst, std::int64_t per_second) {
  bucket::LimitSpec spec;
  spec.name = "b" + std::to_string(burst) + "-r" + std::to_string(per_second);
  spec.rate = base::Rate::per_second(per_second);
  spec.burst = Tokens::whole(burst);
  spec.queue.max_wait = base::seconds(1);
  return spec;
}

std::vector<bucket::LimitSpec> limits_of_few_tokens() {
  return {few_tokens(1, 1),   few_tokens(2, 2),  few_tokens(5, 1),
          few_tokens(10, 10), few_tokens(20, 5), few_tokens(100, 100)};
}

FewTokensVerdict run_few_tokens(const FewTokens& trial,
                                const std::vector<bucket::LimitSpec>& limits) {
  const wire::StoreCodec codec;
  World world({.machines = trial.nodes,
               .founders = std::min<std::size_t>(trial.nodes, 5),
               .seed = trial.seed},
              codec);
  const TimePoint begin = world.now() + base::seconds(6);
  for (const bucket::LimitSpec& spec : limits) {
    world.declare(spec);
    load(world, spec, trial, begin);
  }
  world.run(begin + trial.lasts + base::seconds(2));
  return {.broken = world.broken(), .totals = world.totals()};
}

}  // namespace brigade::sim
