// schema/records.capnp: records of the token store.
#pragma once

#include <utility>
#include <variant>

#include "node/records.h"
#include "wire/command_fields.h"

namespace brigade::wire {

template <class Builder>
void put(Pen pen, Builder to, const node::MetaRecord& record) {
  to.setStamp(record.stamp.count());
  to.setConfigVersion(record.config_version.value());
  put(pen, to.initSwept(), record.swept);
}
template <class Reader>
void get(Reader from, node::MetaRecord& record, Checks& checks) {
  record.stamp = checks.span(from.getStamp());
  record.config_version = node::Version(from.getConfigVersion());
  get(from.getSwept(), record.swept, checks);
}

template <class Builder>
void put(Pen pen, Builder to, const node::ConfigRecord& record) {
  put(pen, to.initSpec(), record.spec);
  to.setVersion(record.version.value());
  to.setCreated(record.created.value());
}
template <class Reader>
void get(Reader from, node::ConfigRecord& record, Checks& checks) {
  get(from.getSpec(), record.spec, checks);
  record.version = node::Version(from.getVersion());
  record.created = node::Version(from.getCreated());
}

template <class Builder>
void put(Pen, Builder to, const node::TombstoneRecord& record) {
  to.setLimit(text(record.limit));
  to.setVersion(record.version.value());
  to.setDeleted(record.deleted.count());
  to.setRefill(record.refill.count());
}
template <class Reader>
void get(Reader from, node::TombstoneRecord& record, Checks& checks) {
  record.limit = to_text(from.getLimit());
  record.version = node::Version(from.getVersion());
  record.deleted = checks.span(from.getDeleted());
  record.refill = checks.wait(from.getRefill());
}

template <class Builder>
void put(Pen, Builder to, const node::SessionRecord& record) {
  to.setAccount(record.account.value());
  to.setNode(record.node.value());
  put_boot(to, record.boot);
  to.setStart(record.start);
  to.setAttempt(record.attempt);
  to.setLapsed(record.lapsed);
}
template <class Reader>
void get(Reader from, node::SessionRecord& record, Checks&) {
  record.account = node::Account(from.getAccount());
  record.node = base::NodeId(from.getNode());
  record.boot = get_boot(from);
  record.start = from.getStart();
  record.attempt = from.getAttempt();
  record.lapsed = from.getLapsed();
}

// ---- ledgers ----
using AccountShare = std::pair<node::Account, node::Share>;
template <class Builder>
void put(Pen, Builder to, const std::pair<const node::Account, node::Share>& entry) {
  const node::Share& share = entry.second;
  to.setAccount(entry.first.value());
  to.setRate(share.rate.nano_per_second());
  to.setSize(share.size.micro());
  to.setGranted(share.granted.micro());
  to.setEpoch(share.epoch.value());
  to.setKeep(share.keep);
  if (share.shrinking) {
    to.setShrinking(true);
    to.setShrinkingRate(share.shrinking->rate.nano_per_second());
    to.setShrinkingSize(share.shrinking->size.micro());
    to.setShrinkingKeep(share.shrinking->keep);
  }
}
template <class Reader>
void get(Reader from, AccountShare& entry, Checks& checks) {
  node::Share& share = entry.second;
  entry.first = node::Account(from.getAccount());
  share.rate = checks.rate(from.getRate());
  share.size = checks.tokens(from.getSize());
  share.granted = checks.tokens(from.getGranted());
  share.epoch = node::Epoch(from.getEpoch());
  share.keep = from.getKeep();
  if (from.getShrinking()) {
    share.shrinking = node::Shrinking{.rate = checks.rate(from.getShrinkingRate()),
                                      .size = checks.tokens(from.getShrinkingSize()),
                                      .keep = from.getShrinkingKeep()};
  }
}

template <class Builder>
void put(Pen pen, Builder to, const node::LedgerRecord& record) {
  const node::Ledger& ledger = record.ledger;
  put(pen, to.initId(), record.id);
  to.setRate(ledger.rate().nano_per_second());
  to.setBurst(ledger.burst().micro());
  to.setPoolRate(ledger.pool().rate.nano_per_second());
  to.setPoolSize(ledger.pool().size.micro());
  to.setPoolLevel(ledger.pool().level.micro());
  to.setPoolRefilled(ledger.pool().refilled.count());
  put_each(pen, to.initShares(size_of(ledger.shares())), ledger.shares());
}
// Whether the parts sum up to the limit is for Ledger::consistent to say.
template <class Reader>
void get(Reader from, node::LedgerRecord& record, Checks& checks) {
  get(from.getId(), record.id, checks);
  std::vector<AccountShare> entries;
  get_each(from.getShares(), entries, checks);
  node::Ledger::Shares shares(entries.begin(), entries.end());
  checks.expect(shares.size() == entries.size(), "an account has two shares");
  record.ledger = node::Ledger(checks.rate(from.getRate()), checks.tokens(from.getBurst()),
                               node::Pool{.rate = checks.rate(from.getPoolRate()),
                                          .size = checks.tokens(from.getPoolSize()),
                                          .level = checks.tokens(from.getPoolLevel()),
                                          .refilled = checks.span(from.getPoolRefilled())},
                               std::move(shares));
}

// ---- strict limits ----
template <class Builder>
void put(Pen pen, Builder to, const node::StrictRecord& record) {
  put(pen, to.initId(), record.id);
  to.setLevel(record.level.micro());
  to.setRefilled(record.refilled.count());
}
template <class Reader>
void get(Reader from, node::StrictRecord& record, Checks& checks) {
  get(from.getId(), record.id, checks);
  record.level = checks.tokens(from.getLevel());
  record.refilled = checks.span(from.getRefilled());
}

template <class Builder>
void put(Pen, Builder to, const node::StrictIdRecord& record) {
  put_hash(to, record.id);
  to.setApplied(record.applied.count());
  to.setRemaining(record.remaining.micro());
}
template <class Reader>
void get(Reader from, node::StrictIdRecord& record, Checks& checks) {
  record.id = get_hash(from);
  record.applied = checks.span(from.getApplied());
  record.remaining = checks.tokens(from.getRemaining());
}

// ---- slow keys ----
template <class Builder>
void put(Pen, Builder to, const node::AheadLimitRecord& record) {
  to.setLimit(text(record.limit));
  to.setRate(record.terms.rate.nano_per_second());
  to.setSize(record.terms.size.micro());
  to.setFreshLevel(record.fresh.level.micro());
  to.setFreshRefilled(record.fresh.refilled.count());
  to.setImplicit(record.implicit);
}
template <class Reader>
void get(Reader from, node::AheadLimitRecord& record, Checks& checks) {
  record.limit = to_text(from.getLimit());
  record.terms.rate = checks.rate(from.getRate());
  record.terms.size = checks.held(from.getSize());
  record.fresh.level = checks.held(from.getFreshLevel());
  record.fresh.refilled = checks.span(from.getFreshRefilled());
  record.implicit = from.getImplicit();
}

template <class Builder>
void put(Pen pen, Builder to, const node::AheadKeyRecord& record) {
  put(pen, to.initId(), record.id);
  to.setLevel(record.level.level.micro());
  to.setRefilled(record.level.refilled.count());
}
template <class Reader>
void get(Reader from, node::AheadKeyRecord& record, Checks& checks) {
  get(from.getId(), record.id, checks);
  record.level.level = checks.tokens(from.getLevel());
  record.level.refilled = checks.span(from.getRefilled());
}

// ---- nodes ----
template <class Builder>
void put(Pen, Builder to, const node::NodeRecord& record) {
  to.setNode(record.node.value());
  to.setGeneration(record.generation);
  to.setRemoved(record.removed);
}
template <class Reader>
void get(Reader from, node::NodeRecord& record, Checks&) {
  record.node = base::NodeId(from.getNode());
  record.generation = from.getGeneration();
  record.removed = from.getRemoved();
}

// ---- StateRecord ----
template <class Builder>
struct RecordPut {
  Pen pen;
  Builder to;
  void operator()(const node::MetaRecord& r) { put(pen, to.initMeta(), r); }
  void operator()(const node::ConfigRecord& r) { put(pen, to.initConfig(), r); }
  void operator()(const node::TombstoneRecord& r) { put(pen, to.initTombstone(), r); }
  void operator()(const node::SessionRecord& r) { put(pen, to.initSession(), r); }
  void operator()(const node::LedgerRecord& r) { put(pen, to.initLedger(), r); }
  void operator()(const node::StrictRecord& r) { put(pen, to.initStrict(), r); }
  void operator()(const node::StrictIdRecord& r) { put(pen, to.initStrictId(), r); }
  void operator()(const node::OverrideRecord& r) { put(pen, to.initOverride(), r.value); }
  void operator()(const node::NodeRecord& r) { put(pen, to.initNode(), r); }
  void operator()(const node::Reservation& r) { put(pen, to.initReservation(), r); }
  void operator()(const node::AheadLimitRecord& r) { put(pen, to.initAheadLimit(), r); }
  void operator()(const node::AheadKeyRecord& r) { put(pen, to.initAheadKey(), r); }
};
template <class Builder>
void put(Pen pen, Builder to, const node::StateRecord& record) {
  std::visit(RecordPut<Builder>{pen, to}, record);
}
template <class Reader>
void get(Reader from, node::StateRecord& record, Checks& checks) {
  using Schema = typename Reader::Reads;
  switch (from.which()) {
    case Schema::META:
      return get(from.getMeta(), record.emplace<node::MetaRecord>(), checks);
    case Schema::CONFIG:
      return get(from.getConfig(), record.emplace<node::ConfigRecord>(), checks);
    case Schema::TOMBSTONE:
      return get(from.getTombstone(), record.emplace<node::TombstoneRecord>(), checks);
    case Schema::SESSION:
      return get(from.getSession(), record.emplace<node::SessionRecord>(), checks);
    case Schema::LEDGER:
      return get(from.getLedger(), record.emplace<node::LedgerRecord>(), checks);
    case Schema::STRICT:
      return get(from.getStrict(), record.emplace<node::StrictRecord>(), checks);
    case Schema::STRICT_ID:
      return get(from.getStrictId(), record.emplace<node::StrictIdRecord>(), checks);
    case Schema::OVERRIDE:
      return get(from.getOverride(), record.emplace<node::OverrideRecord>().value, checks);
    case Schema::NODE:
      return get(from.getNode(), record.emplace<node::NodeRecord>(), checks);
    case Schema::RESERVATION:
      return get(from.getReservation(), record.emplace<node::Reservation>(), checks);
    case Schema::AHEAD_LIMIT:
      return get(from.getAheadLimit(), record.emplace<node::AheadLimitRecord>(), checks);
    case Schema::AHEAD_KEY:
      return get(from.getAheadKey(), record.emplace<node::AheadKeyRecord>(), checks);
  }
  checks.refuse_unknown("record", from.which());
}

}  // namespace brigade::wire
