#include "node/starved.h"

#include <algorithm>
#include <utility>

namespace brigade::node {

void Starved::heard(std::uint64_t limit, base::TimePoint now) {
  if (heard_.size() >= kMaxLimits && !heard_.contains(limit)) {
    heard_.erase(std::min_element(heard_.begin(), heard_.end(), [](const auto& a, const auto& b) {
      return a.second < b.second;
    }));
  }
  heard_[limit] = now;
}

bool Starved::lately(std::uint64_t limit, base::TimePoint now) const {
  const auto found = heard_.find(limit);
  return found != heard_.end() && now - found->second <= kLately;
}

std::vector<FreeReport> Starved::worth_telling(std::vector<FreeReport> reports, std::size_t most,
                                               base::TimePoint now) const {
  std::sort(reports.begin(), reports.end(), [](const FreeReport& a, const FreeReport& b) {
    return a.free != b.free ? a.free > b.free : a.limit < b.limit;
  });
  if (reports.size() <= most) {
    return reports;
  }
  std::vector<FreeReport> wanted;
  std::vector<FreeReport> starving;
  std::vector<FreeReport> others;
  for (const FreeReport& one : reports) {
    const bool needed = one.free > Tokens{} && lately(one.limit, now);
    (needed ? wanted : one.starving ? starving : others).push_back(one);
  }
  // What is left of either half goes to the other one, then to the largest of the rest.
  std::vector<FreeReport> told;
  const auto tell = [&](const std::vector<FreeReport>& some, std::size_t room) {
    for (std::size_t i = 0; i < std::min(some.size(), room); ++i) {
      told.push_back(some[i]);
    }
  };
  tell(wanted, most - std::min(starving.size(), most / 2));
  tell(starving, most - told.size());
  tell(others, most - told.size());
  return told;
}

}  // namespace brigade::node
