// Campaigns over many seeds: a cluster of five shares one limit under skewed overload, with or
// without faults, while W is checked after every event.
#pragma once

#include <cstdint>
#include <string>

#include "sim/cluster/world.h"

namespace brigade::sim {

struct Trial {
  std::uint64_t seed = 1;
  bool faults = false;
  bool members = false;  // two more join; one founder ends and is removed, another leaves
  bool keep = false;     // on_isolated: keep
  bool reserve = false;  // clients reserve and settle, and ask for several limits at once
  bool slow = false;     // keys that are logged ahead, of a limit that changes
  bool classes = false;  // requests of three priority classes
  node::Plant plant = node::Plant::kNone;
  Duration lasts = base::seconds(30);
  Duration bms_term = base::seconds(4);  // leadership moves on after this long
  double overload = 1.2;                 // offered / rate
};
struct Verdict {
  bool held = false;
  std::string broken;
  std::string stalled;  // what is not served long after the faults; empty when all is
  Totals totals;
};
Verdict try_cluster(const Trial& trial);

// The planted bug of this name; nullopt when there is none.
std::optional<node::Plant> plant_named(const std::string& name);
// The names of all of them, separated by commas.
std::string plant_names();

}  // namespace brigade::sim
