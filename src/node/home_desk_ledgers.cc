// What the home desk does not spend because ledgers have the rights of it: keys that were let go,
// and limits of few tokens of which nodes have parts still.
#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "node/home_desk.h"
#include "node/key_space.h"

namespace brigade::node {
namespace {

// Other nodes get so much of a key in every second, and never less than that: it is hot.
constexpr std::int64_t kHotPermille = 100;
constexpr Tokens kHotLeast = Tokens::whole(100);

}  // namespace

// ---- keys that get ledgers of their own ----

void HomeDesk::gave(const LedgerId& id, Tokens tokens, Instant now) {
  const auto home = homes_.find(id.limit);
  const ConfigRecord* config = home == homes_.end() ? nullptr : home->second.config;
  if (config != nullptr && config->spec.per_key) {
    const bucket::KeyPolicy& policy = home->second.keys.policy();
    const Tokens share = policy.rate.scaled(kHotPermille, 1000).over(base::seconds(1));
    home->second.heat.note(id.key, tokens, std::max(share, kHotLeast), now.slow);
  }
}

std::vector<LedgerId> HomeDesk::hot_keys(Instant now) const {
  std::vector<LedgerId> hot;
  for (const auto& [name, home] : homes_) {
    if (!home.created) {
      continue;
    }
    for (const KeyHash& key : home.heat.hot(now.slow)) {
      if (!home.away.contains(key)) {
        hot.push_back({.limit = name, .key = key});
      }
    }
  }
  return hot;
}

std::optional<Tokens> HomeDesk::let_go(const LedgerId& id, Instant now) {
  const auto found = homes_.find(id.limit);
  if (found == homes_.end() || found->second.away.contains(id.key)) {
    return std::nullopt;
  }
  Home& home = found->second;
  cut(home, id.limit, id.key, now);
  if (loans_.out(id.key) > Tokens{}) {
    loans_.stop(id.key, now.slow + kCallsIn);
    return std::nullopt;
  }
  if (reservations_.refundable(id.limit, id.key) > Tokens{}) {
    return std::nullopt;
  }
  const Tokens level = home.keys.level(id.key, now.slow);
  if (plant_ == Plant::kLetGoAndSpent) {
    return level;
  }
  home.away.insert(id.key);
  // Should the key ever come back without its ledger having been full, it has nothing.
  home.keys.cut(id.key, Tokens{}, now.slow);
  let_go_[id] = level;
  return level;
}

void HomeDesk::keep(const LedgerId& id, Instant now) {
  const auto held = let_go_.extract(id);
  const auto home = homes_.find(id.limit);
  if (!held.empty() && home != homes_.end()) {
    COVERED("a key whose ledger did not come to be stays at home");
    home->second.away.erase(id.key);
    home->second.keys.put(id.key, held.mapped(), now.slow);
  }
}

// ---- parts ----

// What nodes spent of their parts until now is unknown here.
void HomeDesk::start_empty(const std::string& few, Instant now) {
  if (const auto home = homes_.find(few); home != homes_.end()) {
    home->second.keys.cut(KeySpace::whole(base::HashedName(few)), Tokens{}, now.slow);
  }
}

void HomeDesk::follow_parts(Instant now) {
  const auto before = std::exchange(parted_, {});
  for (const auto& [id, ledger] : store_.ledgers()) {
    if (id.key == KeyHash{} && store_.parted(id.limit)) {
      parted_.insert(id.limit);
    }
  }
  for (const std::string& limit : before) {
    if (!parted_.contains(limit)) {
      COVERED("a limit of few tokens begins when its parts are back");
      start_empty(limit, now);
    }
  }
}

// ---- both ----

void HomeDesk::follow_ledgers(Instant now) {
  follow_parts(now);
  for (auto& [name, home] : homes_) {
    home.away.clear();
  }
  std::erase_if(let_go_, [&](const auto& one) { return store_.ledger(one.first) != nullptr; });
  for (const auto& [id, level] : let_go_) {
    if (const auto home = homes_.find(id.limit); home != homes_.end()) {
      home->second.away.insert(id.key);
    }
  }
  if (store_.key_ledgers() == 0 || plant_ == Plant::kLetGoAndSpent) {
    return;
  }
  for (const auto& [id, ledger] : store_.ledgers()) {
    if (const auto home = homes_.find(id.limit); home != homes_.end() && id.key != KeyHash{}) {
      home->second.away.insert(id.key);
    }
  }
}

}  // namespace brigade::node
