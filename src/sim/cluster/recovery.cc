#include "sim/cluster/recovery.h"

#include <cstddef>
#include <vector>

namespace brigade::sim {
namespace {

// Late messages arrive; deaths are noticed, leaders elected, sessions end and begin again.
constexpr Duration kRest = base::seconds(20);
constexpr Duration kAsked = base::seconds(3);
// Of what is asked for, which is less than the limit: the rest is for shares that were elsewhere.
constexpr double kLoad = 0.8;
constexpr double kLeast = 0.9;

std::vector<std::size_t> present(const World& world) {
  std::vector<std::size_t> machines;
  for (std::size_t i = 0; i < world.totals().places.size(); ++i) {
    if (!world.ended(i)) {
      machines.push_back(i);
    }
  }
  return machines;
}

}  // namespace

std::string stalled_after_faults(World& world, const bucket::LimitSpec& limit) {
  world.end_faults();
  if (!world.run(world.now() + kRest)) {
    return {};
  }
  const std::vector<std::size_t> machines = present(world);
  for (const std::size_t machine : machines) {
    world.load({.machine = machine,
                .limit = limit.name,
                .per_second = kLoad * limit.rate.as_double() / static_cast<double>(machines.size()),
                .from = world.now(),
                .until = world.now() + kAsked});
  }
  const auto before = world.totals().places;
  if (!world.run(world.now() + kAsked + base::seconds(1))) {
    return {};
  }
  for (const std::size_t machine : machines) {
    const Tokens offered = world.totals().places[machine].offered - before[machine].offered;
    const Tokens admitted = world.totals().places[machine].admitted - before[machine].admitted;
    if (admitted.as_double() < kLeast * offered.as_double()) {
      return "n" + std::to_string(machine + 1) + " admits " + std::to_string(admitted.as_double()) +
             " of " + std::to_string(offered.as_double()) + " of " + limit.name +
             ", long after the faults";
    }
  }
  return {};
}

}  // namespace brigade::sim
