// The token store as records: snapshots, restarts, and what must hold of them.
#include <utility>

#include "base/check.h"
#include "node/token_store.h"

namespace brigade::node {

void TokenStore::visit_records(const RecordVisit& visit) const {
  visit(meta_);
  for (const auto& [name, record] : limits_) {
    visit(record);
  }
  for (const auto& [name, record] : tombs_) {
    visit(record);
  }
  for (const auto& [account, record] : sessions_) {
    visit(record);
  }
  for (const auto& [id, ledger] : ledgers_) {
    visit(LedgerRecord{.id = id, .ledger = ledger});
  }
  for (const auto& [id, record] : strict_) {
    visit(record);
  }
  for (const StrictIdRecord& record : strict_ids_.all()) {
    visit(record);
  }
  ahead_.visit_records(visit);
  for (const auto& [name, value] : overrides_) {
    visit(OverrideRecord{value});
  }
  for (const auto& [id, record] : nodes_) {
    visit(record);
  }
  for (const auto& [id, record] : reservations_.all()) {
    visit(record);
  }
}

std::vector<StateRecord> TokenStore::records() const {
  std::vector<StateRecord> all;
  visit_records([&](const StateRecord& record) { all.push_back(record); });
  return all;
}

bool TokenStore::restore_one(const StateRecord& record) {
  if (const auto* meta = std::get_if<MetaRecord>(&record)) {
    meta_ = *meta;
  } else if (const auto* config = std::get_if<ConfigRecord>(&record)) {
    return limits_.emplace(config->spec.name, *config).second &&
           bucket::validate(config->spec).has_value();
  } else if (const auto* tomb = std::get_if<TombstoneRecord>(&record)) {
    return tombs_.emplace(tomb->limit, *tomb).second;
  } else if (const auto* session = std::get_if<SessionRecord>(&record)) {
    return sessions_.emplace(session->account, *session).second;
  } else if (const auto* ledger = std::get_if<LedgerRecord>(&record)) {
    key_ledgers_ += ledger->id.key != KeyHash{} ? 1 : 0;
    return ledgers_.emplace(ledger->id, ledger->ledger).second && ledger->ledger.consistent();
  } else if (const auto* strict = std::get_if<StrictRecord>(&record)) {
    return strict_.emplace(strict->id, *strict).second;
  } else if (const auto* id = std::get_if<StrictIdRecord>(&record)) {
    return strict_ids_.add(*id);
  } else if (const auto* value = std::get_if<OverrideRecord>(&record)) {
    return overrides_.emplace(std::pair(value->value.limit, value->value.node), value->value)
        .second;
  } else if (const auto* node = std::get_if<NodeRecord>(&record)) {
    return nodes_.emplace(node->node, *node).second;
  } else if (const auto* reservation = std::get_if<Reservation>(&record)) {
    return consistent(*reservation) && reservations_.add(*reservation);
  } else if (const auto* slow = std::get_if<AheadLimitRecord>(&record)) {
    return ahead_.restore(*slow);
  } else if (const auto* key = std::get_if<AheadKeyRecord>(&record)) {
    return ahead_.restore(*key);
  }
  return true;
}

bool TokenStore::restore(const std::vector<StateRecord>& records) {
  *this = TokenStore(shard_, shards_, plant_);
  for (const StateRecord& record : records) {
    if (!restore_one(record)) {
      *this = TokenStore(shard_, shards_, plant_);
      return false;
    }
  }
  (void)reservations_.take_changes();  // storage has them
  return true;
}

void TokenStore::check_invariants() const {
  std::size_t of_keys = 0;
  for (const auto& [id, ledger] : ledgers_) {
    of_keys += id.key != KeyHash{} ? 1 : 0;
    BRIGADE_CHECK(ledger.consistent());
    for (const auto& [account, share] : ledger.shares()) {
      BRIGADE_CHECK(sessions_.contains(account));
    }
  }
  BRIGADE_CHECK(of_keys == key_ledgers_);
  strict_ids_.check_invariants();
  reservations_.check_invariants();
  ahead_.check_invariants();
}

}  // namespace brigade::node
