// Limits of few tokens beside one bucket without delay: how much of it does a cluster admit?
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "bucket/limit_spec.h"
#include "sim/cluster/world.h"

namespace brigade::sim {

// At which node a request arrives.
enum class Arrival : std::uint8_t { kOne, kRoundRobin, kRandom, kMoving };
inline constexpr std::array kArrivals{Arrival::kOne, Arrival::kRoundRobin, Arrival::kRandom,
                                      Arrival::kMoving};
const char* name_of(Arrival arrival);

struct FewTokens {
  Arrival arrival = Arrival::kRandom;
  double load = 1.2;  // of the rate
  Duration wait{0};
  Tokens cost = Tokens::whole(1);
  Duration lasts = base::seconds(100);
  std::size_t nodes = 5;
  std::uint64_t seed = 1;
};

bucket::LimitSpec few_tokens(std::int64_t burst, std::int64_t per_second);
// The limits that the table is about.
std::vector<bucket::LimitSpec> limits_of_few_tokens();

struct FewTokensVerdict {
  std::string broken;  // empty: W <= b held
  Totals totals;       // by limit
};
// All of these limits at once, each with that load of its own.
FewTokensVerdict run_few_tokens(const FewTokens& trial,
                                const std::vector<bucket::LimitSpec>& limits);

}  // namespace brigade::sim
