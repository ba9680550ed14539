// Keys with ledgers of their own: hot keys that are spent from like shared limits (semantics 6, "to
// a share"). While such a ledger exists its key's rights are logged; the home desk has none of
// them.
#include <algorithm>
#include <vector>

#include "node/token_store.h"

namespace brigade::node {

void TokenStore::configure_ledgers(const std::string& limit, Whose whose, Rate rate, Tokens burst) {
  std::vector<LedgerId> ids;
  for (auto it = ledgers_.lower_bound({.limit = limit, .key = {}});
       it != ledgers_.end() && it->first.limit == limit; ++it) {
    if ((it->first.key != KeyHash{}) == (whose == Whose::kKeys)) {
      ids.push_back(it->first);
    }
  }
  for (const LedgerId& id : ids) {
    Ledger& ledger = ledgers_.at(id);
    ledger.configure(rate, burst, meta_.stamp);
    touch(LedgerRecord{.id = id, .ledger = ledger});
    settle_dropped(id);
  }
}

void TokenStore::drop_ledger(std::map<LedgerId, Ledger>::iterator ledger) {
  key_ledgers_ -= ledger->first.key != KeyHash{} ? 1 : 0;
  drop(LedgerRecord{.id = ledger->first, .ledger = ledger->second});
  ledgers_.erase(ledger);
}

Outcome TokenStore::apply_one(std::uint64_t index, const OpenLedger& command) {
  advance(command.stamp);
  const ConfigRecord* config = limit(command.ledger.limit);
  // Of another life of the limit: what this key holds now is not what the proposer saw.
  const bool same_life = config != nullptr && config->created == command.created &&
                         config->spec.per_key && config->spec.mode == bucket::Mode::kShared &&
                         !logs_ahead(config->spec);
  if (!same_life || command.ledger.key == KeyHash{} || command.level < Tokens{} ||
      key_ledgers_ >= kMaxKeyLedgers || ledgers_.contains(command.ledger) ||
      !sessions_.contains(command.account)) {
    return {.applied = Applied::kRefused};
  }
  const bucket::LimitSpec& spec = config->spec;
  const Tokens level = std::min(command.level, spec.burst);
  Ledger ledger(spec.rate, spec.burst, level, meta_.stamp);
  const GrowShare all{.ledger = command.ledger,
                      .account = command.account,
                      .more_rate = spec.rate,
                      .more_size = spec.burst,
                      .tokens = level,
                      .keep = spec.on_isolated == bucket::OnIsolated::kKeep};
  if (!ledger.grow(all, Epoch(index), meta_.stamp)) {
    return {.applied = Applied::kRefused};
  }
  touch(LedgerRecord{.id = command.ledger, .ledger = ledger});
  ledgers_.emplace(command.ledger, std::move(ledger));
  ++key_ledgers_;
  return {};
}

Outcome TokenStore::apply_one(std::uint64_t, const CloseLedger& command) {
  advance(command.stamp);
  const auto found = ledgers_.find(command.ledger);
  if (found == ledgers_.end() || command.ledger.key == KeyHash{}) {
    return {.applied = Applied::kRefused};
  }
  const Ledger& ledger = found->second;
  const auto holds = [](const auto& entry) {
    const Share& share = entry.second;
    return share.rate > Rate{} || share.size > Tokens{} || share.shrinking || share.keep;
  };
  // Full: whatever the home desk makes of a key that it does not know is no more than that.
  if (std::any_of(ledger.shares().begin(), ledger.shares().end(), holds) ||
      ledger.level_at(meta_.stamp) < ledger.burst()) {
    return {.applied = Applied::kRefused};
  }
  drop_ledger(found);
  return {};
}

}  // namespace brigade::node
