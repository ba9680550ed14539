#include "node/limit_changes.h"

#include <algorithm>
#include <set>

namespace brigade::node {

std::vector<std::string> LimitChanges::begin(const Configure& entry, const TokenStore& store) {
  std::set<std::string> names(entry.dropped.begin(), entry.dropped.end());
  std::set<std::string_view> listed;
  for (const bucket::LimitSpec& spec : entry.limits) {
    listed.insert(spec.name);
    const ConfigRecord* known = store.limit(spec.name);
    // One that nobody declared yet may be an implicit one.
    if (known == nullptr || !TokenStore::goes_on(known->spec, spec) || hold(spec.name)) {
      names.insert(spec.name);
    }
  }
  const auto prune = [&](const auto& named) {
    if (!listed.contains(named.first)) {
      names.insert(named.first);
    }
  };
  if (entry.prune) {
    std::for_each(store.limits().begin(), store.limits().end(), prune);
    std::for_each(held_.begin(), held_.end(), prune);
  }
  for (const std::string& name : names) {
    ++held_[name];
  }
  return {names.begin(), names.end()};
}

void LimitChanges::end(const std::vector<std::string>& held) {
  for (const std::string& name : held) {
    const auto found = held_.find(name);
    if (found != held_.end() && --found->second == 0) {
      held_.erase(found);
    }
  }
}

}  // namespace brigade::node
