#include "sim/gossip/founding_world.h"

#include <utility>

namespace brigade::sim {

using gossip::Founder;

FoundingWorld::FoundingWorld(std::uint64_t seed, gossip::FoundingPlant plant)
    : plant_(plant), dice_(seed) {}

std::string FoundingWorld::address(std::size_t machine) {
  return "10.0.0." + std::to_string(machine) + ":7420";
}

std::size_t FoundingWorld::add(std::vector<std::size_t> seeds, std::uint32_t expect,
                               const std::string& cluster_name) {
  const std::size_t number = machines_.size();
  machines_.push_back({.self = {.id = base::NodeId(1 + dice_.below(1U << 30U)),
                                .name = "n" + std::to_string(number),
                                .address = address(number)},
                       .seeds = std::move(seeds),
                       .expect = expect,
                       .cluster_name = cluster_name});
  return number;
}

void FoundingWorld::rename(std::size_t machine, const std::string& name) {
  machines_[machine].self.name = name;
}

void FoundingWorld::start(std::size_t number) {
  Machine& machine = machines_[number];
  gossip::FoundingConfig config{.self = machine.self,
                                .cluster_name = machine.cluster_name,
                                .seeds = {},
                                .expect = machine.expect,
                                .settings = base::Bytes("settings of " + machine.self.name),
                                .plant = plant_};
  for (const std::size_t seed : machine.seeds) {
    config.seeds.push_back(address(seed));
  }
  ++machine.life;
  machine.core = std::make_unique<gossip::Founding>(std::move(config), machine.disk,
                                                    base::Prng(dice_.next()), now_);
  machine.wakes = base::kNever;
  arm(machine);
}

void FoundingWorld::crash(std::size_t machine) {
  machines_[machine].core.reset();
  ++machines_[machine].life;
}

void FoundingWorld::wipe(std::size_t number) {
  Machine& machine = machines_[number];
  crash(number);
  machine.disk = {};
  machine.cluster = {};
  machine.self.id = base::NodeId(1 + dice_.below(1U << 30U));
}

void FoundingWorld::at(base::TimePoint when, std::function<void()> act) {
  events_.push({.at = when, .order = order_++, .act = std::move(act)});
}

base::Duration FoundingWorld::upto(base::Duration most) {
  return dice_.between(base::Duration(1), most);
}

void FoundingWorld::run_for(base::Duration span) {
  const base::TimePoint end = now_ + span;
  while (broken_.empty() && !events_.empty() && events_.top().at <= end) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    hash_ = (hash_ ^ static_cast<std::uint64_t>(now_.time_since_epoch().count()) ^ event.order) *
            1099511628211U;
    event.act();
  }
  now_ = end;
}

void FoundingWorld::step(Machine& machine, const gossip::FoundingInput& input) {
  gossip::FoundingActions actions;
  machine.core->step(input, now_, actions);
  for (gossip::FoundingAction& action : actions) {
    perform(machine, action);
  }
  machine.core->check_invariants();
  check(machine);
  arm(machine);
}

void FoundingWorld::perform(Machine& machine, gossip::FoundingAction& action) {
  if (const auto* send = std::get_if<gossip::SendFounding>(&action)) {
    deliver(*send);
  } else if (auto* persist = std::get_if<gossip::PersistFounding>(&action)) {
    store(machine, *persist);
  } else if (const auto* founded = std::get_if<gossip::ClusterFounded>(&action)) {
    told(machine, founded->charter.cluster);
  } else if (const auto* join = std::get_if<gossip::JoinCluster>(&action)) {
    told(machine, join->cluster);
  } else if (const auto* refused = std::get_if<gossip::FoundingRefused>(&action)) {
    machine.refusals.push_back(*refused);
  }
}

void FoundingWorld::told(Machine& machine, base::ClusterId cluster) {
  if (machine.cluster != base::ClusterId() && machine.cluster != cluster) {
    broken_ = machine.self.name + " was told of two clusters";
  }
  machine.cluster = cluster;
}

void FoundingWorld::deliver(const gossip::SendFounding& send) {
  for (std::size_t number = 0; number < machines_.size(); ++number) {
    if (address(number) != send.address || dice_.below(1000) < faults_.loss_permille) {
      continue;
    }
    const int copies = dice_.below(1000) < faults_.double_permille ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      at(now_ + upto(faults_.delay_max), [this, number, message = send.message] {
        if (machines_[number].core) {
          step(machines_[number], gossip::FoundingReceived{message});
        }
      });
    }
  }
}

void FoundingWorld::store(Machine& machine, gossip::PersistFounding& persist) {
  const auto number = static_cast<std::size_t>(&machine - machines_.data());
  machine.disk_free = std::max(machine.disk_free, now_) + upto(faults_.disk_max);
  at(machine.disk_free, [this, number, life = machine.life, persist = std::move(persist)] {
    Machine& owner = machines_[number];
    if (owner.life != life) {
      return;
    }
    owner.disk = persist.record;
    check(owner);
    for (const gossip::SendFounding& send : persist.then) {
      deliver(send);
    }
    step(owner, gossip::FoundingPersisted{persist.sequence});
  });
}

void FoundingWorld::arm(Machine& machine) {
  const base::TimePoint due = std::max(now_, machine.core->next_deadline());
  if (due == base::kNever || (machine.wakes > now_ && machine.wakes <= due)) {
    return;
  }
  machine.wakes = due;
  const auto number = static_cast<std::size_t>(&machine - machines_.data());
  at(due, [this, number, life = machine.life] {
    if (machines_[number].life == life && machines_[number].core) {
      machines_[number].wakes = base::kNever;
      step(machines_[number], gossip::FoundingTimeout{});
    }
  });
}

// What was founded once, durably anywhere, stays in the books although machines are wiped.
void FoundingWorld::check(const Machine& machine) {
  if (!machine.disk.founded) {
    return;
  }
  const gossip::Charter& charter = *machine.disk.founded;
  const auto known = charters_.emplace(charter.cluster, charter).first;
  if (known->second != charter) {
    broken_ = machine.self.name + " holds another charter than its fellow founders";
  }
  for (const Founder& founder : charter.founders) {
    const auto other = founder_of_.emplace(founder.id, charter.cluster).first;
    if (other->second != charter.cluster) {
      broken_ = founder.name + " founded two clusters";
    }
  }
}

base::ClusterId FoundingWorld::cluster(std::size_t machine) const {
  return machines_[machine].cluster;
}

std::string FoundingWorld::apart(const std::vector<std::size_t>& machines) const {
  for (const std::size_t number : machines) {
    if (cluster(number) == base::ClusterId()) {
      return machines_[number].self.name + " belongs to no cluster";
    }
    if (cluster(number) != cluster(machines.front())) {
      return machines_[number].self.name + " belongs to another cluster than " +
             machines_[machines.front()].self.name;
    }
  }
  return {};
}

}  // namespace brigade::sim
