// schema/peer.capnp, first part: sessions and rights.
#pragma once

#include "node/messages.h"
#include "wire/record_fields.h"

namespace brigade::wire {

// No two honest clocks differ by half.
constexpr std::int32_t kDriftMaxPpm = 500'000;
constexpr base::Duration kTauMax = base::seconds(86'400);

// ---- sessions ----
template <class Builder>
void put(Pen, Builder to, const node::OpenAsk& message) {
  to.setStart(message.start);
  to.setShard(message.shard.value());
  put_boot(to, message.boot);
  to.setAttempt(message.attempt);
}
template <class Reader>
void get(Reader from, node::OpenAsk& message, Checks&) {
  message.start = from.getStart();
  message.shard = base::ShardId(from.getShard());
  message.boot = get_boot(from);
  message.attempt = from.getAttempt();
}

template <class Builder>
void put(Pen, Builder to, const node::OpenAnswer& message) {
  to.setShard(message.shard.value());
  put_boot(to, message.boot);
  to.setAttempt(message.attempt);
  to.setAccount(message.account.value());
}
template <class Reader>
void get(Reader from, node::OpenAnswer& message, Checks&) {
  message.shard = base::ShardId(from.getShard());
  message.boot = get_boot(from);
  message.attempt = from.getAttempt();
  message.account = node::Account(from.getAccount());
}

template <class Builder>
void put(Pen pen, Builder to, const node::Confirmation& confirmation) {
  put(pen, to.initLedger(), confirmation.ledger);
  to.setEpoch(confirmation.epoch.value());
}
template <class Reader>
void get(Reader from, node::Confirmation& confirmation, Checks& checks) {
  get(from.getLedger(), confirmation.ledger, checks);
  confirmation.epoch = node::Epoch(from.getEpoch());
}

template <class Builder>
void put(Pen pen, Builder to, const node::DemandReport& report) {
  put(pen, to.initLedger(), report.ledger);
  to.setOffered(report.offered.nano_per_second());
  to.setDeviation(report.deviation.nano_per_second());
  to.setLevel(report.level.micro());
  to.setLargest(report.largest.micro());
  to.setLacking(report.lacking.micro());
  to.setAdmitted(report.totals.admitted.micro());
  to.setRefused(report.totals.refused.micro());
  to.setLent(report.totals.lent.micro());
  to.setBorrowed(report.totals.borrowed.micro());
  to.setPressed(report.pressed);
}
template <class Reader>
void get(Reader from, node::DemandReport& report, Checks& checks) {
  get(from.getLedger(), report.ledger, checks);
  report.offered = checks.rate(from.getOffered());
  report.deviation = checks.rate(from.getDeviation());
  report.level = checks.tokens(from.getLevel());
  report.largest = checks.tokens(from.getLargest());
  report.lacking = checks.tokens(from.getLacking());
  // Totals have no bound but their type.
  report.totals = {.admitted = base::Tokens::micro(from.getAdmitted()),
                   .refused = base::Tokens::micro(from.getRefused()),
                   .lent = base::Tokens::micro(from.getLent()),
                   .borrowed = base::Tokens::micro(from.getBorrowed())};
  report.pressed = from.getPressed();
}

template <class Builder>
void put(Pen pen, Builder to, const node::Renew& message) {
  to.setShard(message.shard.value());
  to.setAccount(message.account.value());
  put_boot(to, message.boot);
  to.setSent(message.sent);
  to.setConfigKnown(message.config_known.value());
  put_each(pen, to.initConfirmed(size_of(message.confirmed)), message.confirmed);
  put_each(pen, to.initDemands(size_of(message.demands)), message.demands);
}
template <class Reader>
void get(Reader from, node::Renew& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.account = node::Account(from.getAccount());
  message.boot = get_boot(from);
  message.sent = from.getSent();
  message.config_known = node::Version(from.getConfigKnown());
  get_each(from.getConfirmed(), message.confirmed, checks);
  get_each(from.getDemands(), message.demands, checks);
}

template <class Builder>
void put(Pen, Builder to, const node::DroppedLimit& dropped) {
  to.setLimit(text(dropped.limit));
  to.setVersion(dropped.version.value());
}
template <class Reader>
void get(Reader from, node::DroppedLimit& dropped, Checks&) {
  dropped.limit = to_text(from.getLimit());
  dropped.version = node::Version(from.getVersion());
}

template <class Builder>
void put(Pen, Builder to, const node::Credit& credit) {
  to.setLimit(text(credit.limit));
  to.setNode(credit.node.value());
  to.setRank(credit.rank);
}
template <class Reader>
void get(Reader from, node::Credit& credit, Checks&) {
  credit = {.limit = to_text(from.getLimit()),
            .node = base::NodeId(from.getNode()),
            .rank = from.getRank()};
}

template <class Builder>
void put(Pen pen, Builder to, const node::RenewAnswer& message) {
  to.setShard(message.shard.value());
  to.setAccount(message.account.value());
  put_boot(to, message.boot);
  to.setSent(message.sent);
  to.setLive(message.live);
  to.setGone(message.gone);
  to.setRemoved(message.removed);
  to.setTau(message.tau.count());
  to.setDriftPpm(message.drift_ppm);
  to.setConfigVersion(message.config_version.value());
  put_each(pen, to.initLimits(size_of(message.limits)), message.limits);
  put_each(pen, to.initDropped(size_of(message.dropped)), message.dropped);
  put_each(pen, to.initRights(size_of(message.rights)), message.rights);
  put_texts(to.initNoLend(size_of(message.no_lend)), message.no_lend);
  put_each(pen, to.initCredits(size_of(message.credits)), message.credits);
  put_each(pen, to.initClosed(size_of(message.closed)), message.closed);
}
template <class Reader>
void get(Reader from, node::RenewAnswer& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.account = node::Account(from.getAccount());
  message.boot = get_boot(from);
  message.sent = from.getSent();
  message.live = from.getLive();
  message.gone = from.getGone();
  message.removed = from.getRemoved();
  message.tau = checks.span(from.getTau());
  checks.expect(message.tau <= kTauMax, "tau is out of range");
  message.drift_ppm = from.getDriftPpm();
  checks.expect(message.drift_ppm >= 0 && message.drift_ppm <= kDriftMaxPpm,
                "a drift is out of range");
  message.config_version = node::Version(from.getConfigVersion());
  get_each(from.getLimits(), message.limits, checks);
  get_each(from.getDropped(), message.dropped, checks);
  get_each(from.getRights(), message.rights, checks);
  get_texts(from.getNoLend(), message.no_lend, checks);
  get_each(from.getCredits(), message.credits, checks);
  get_each(from.getClosed(), message.closed, checks);
}

template <class Builder>
void put(Pen, Builder to, const node::ConfigHint& message) {
  to.setShard(message.shard.value());
  to.setVersion(message.version.value());
}
template <class Reader>
void get(Reader from, node::ConfigHint& message, Checks&) {
  message.shard = base::ShardId(from.getShard());
  message.version = node::Version(from.getVersion());
}

template <class Builder>
void put(Pen, Builder to, const node::LeaderHint& message) {
  to.setShard(message.shard.value());
  to.setLeader(message.leader.value());
  to.setTerm(message.term);
}
template <class Reader>
void get(Reader from, node::LeaderHint& message, Checks&) {
  message.shard = base::ShardId(from.getShard());
  message.leader = base::NodeId(from.getLeader());
  message.term = from.getTerm();
}

// ---- rights ----
template <class Builder>
void put(Pen pen, Builder to, const node::RightsNotice& message) {
  to.setShard(message.shard.value());
  to.setAccount(message.account.value());
  put_each(pen, to.initRights(size_of(message.rights)), message.rights);
}
template <class Reader>
void get(Reader from, node::RightsNotice& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.account = node::Account(from.getAccount());
  get_each(from.getRights(), message.rights, checks);
}

template <class Builder>
void put(Pen pen, Builder to, const node::ShrunkReport& report) {
  put(pen, to.initLedger(), report.ledger);
  to.setEpoch(report.epoch.value());
  to.setSurplus(report.surplus.micro());
}
template <class Reader>
void get(Reader from, node::ShrunkReport& report, Checks& checks) {
  get(from.getLedger(), report.ledger, checks);
  report.epoch = node::Epoch(from.getEpoch());
  report.surplus = checks.tokens(from.getSurplus());
}

template <class Builder>
void put(Pen pen, Builder to, const node::ShrunkNotice& message) {
  to.setShard(message.shard.value());
  to.setAccount(message.account.value());
  put_each(pen, to.initShrunk(size_of(message.shrunk)), message.shrunk);
}
template <class Reader>
void get(Reader from, node::ShrunkNotice& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.account = node::Account(from.getAccount());
  get_each(from.getShrunk(), message.shrunk, checks);
}

}  // namespace brigade::wire
