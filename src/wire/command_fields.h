// schema/commands.capnp: the token store's commands and what applying them answers.
#pragma once

#include <variant>

#include "node/commands.h"
#include "wire/common_fields.h"

namespace brigade::wire {

// ---- sessions ----
template <class Builder>
void put(Pen, Builder to, const node::OpenSession& command) {
  to.setNode(command.node.value());
  put_boot(to, command.boot);
  to.setStart(command.start);
  to.setAttempt(command.attempt);
}
template <class Reader>
void get(Reader from, node::OpenSession& command, Checks&) {
  command.node = base::NodeId(from.getNode());
  command.boot = get_boot(from);
  command.start = from.getStart();
  command.attempt = from.getAttempt();
}

template <class Builder>
void put(Pen pen, Builder to, const node::Surrender& surrender) {
  put(pen, to.initLedger(), surrender.ledger);
  to.setTokens(surrender.tokens.micro());
}
template <class Reader>
void get(Reader from, node::Surrender& surrender, Checks& checks) {
  get(from.getLedger(), surrender.ledger, checks);
  surrender.tokens = checks.tokens(from.getTokens());
}

template <class Builder>
void put(Pen pen, Builder to, const node::ReturnSession& command) {
  to.setStamp(command.stamp.count());
  to.setAccount(command.account.value());
  put_boot(to, command.boot);
  put_each(pen, to.initSurrendered(size_of(command.surrendered)), command.surrendered);
}
template <class Reader>
void get(Reader from, node::ReturnSession& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  command.account = node::Account(from.getAccount());
  command.boot = get_boot(from);
  get_each(from.getSurrendered(), command.surrendered, checks);
}

template <class Builder>
void put(Pen, Builder to, const node::ReclaimSession& command) {
  to.setStamp(command.stamp.count());
  to.setAccount(command.account.value());
}
template <class Reader>
void get(Reader from, node::ReclaimSession& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  command.account = node::Account(from.getAccount());
}

// ---- shares ----
template <class Builder>
void put_change(Builder to, const node::ShrinkShare& change) {
  auto shrink = to.initShrink();
  shrink.setRate(change.rate.nano_per_second());
  shrink.setSize(change.size.micro());
  shrink.setKeep(change.keep);
}
template <class Builder>
void put_change(Builder to, const node::AckShrink& change) {
  auto acknowledge = to.initAcknowledge();
  acknowledge.setEpoch(change.epoch.value());
  acknowledge.setSurplus(change.surplus.micro());
}
template <class Builder>
void put_change(Builder to, const node::GrowShare& change) {
  auto grow = to.initGrow();
  grow.setMoreRate(change.more_rate.nano_per_second());
  grow.setMoreSize(change.more_size.micro());
  grow.setTokens(change.tokens.micro());
  grow.setKeepMore(change.keep);
}
template <class Builder>
void put(Pen pen, Builder to, const node::ShareChange& change) {
  std::visit(
      [&](const auto& one) {
        put(pen, to.initLedger(), one.ledger);
        to.setAccount(one.account.value());
        put_change(to, one);
      },
      change);
}
template <class Reader>
void get(Reader from, node::ShareChange& change, Checks& checks) {
  using Schema = typename Reader::Reads;
  node::LedgerId ledger;
  get(from.getLedger(), ledger, checks);
  const node::Account account(from.getAccount());
  switch (from.which()) {
    case Schema::SHRINK:
      change = node::ShrinkShare{.ledger = ledger,
                                 .account = account,
                                 .rate = checks.rate(from.getShrink().getRate()),
                                 .size = checks.tokens(from.getShrink().getSize()),
                                 .keep = from.getShrink().getKeep()};
      return;
    case Schema::ACKNOWLEDGE:
      change = node::AckShrink{.ledger = ledger,
                               .account = account,
                               .epoch = node::Epoch(from.getAcknowledge().getEpoch()),
                               .surplus = checks.tokens(from.getAcknowledge().getSurplus())};
      return;
    case Schema::GROW:
      change = node::GrowShare{.ledger = ledger,
                               .account = account,
                               .more_rate = checks.rate(from.getGrow().getMoreRate()),
                               .more_size = checks.tokens(from.getGrow().getMoreSize()),
                               .tokens = checks.tokens(from.getGrow().getTokens()),
                               .keep = from.getGrow().getKeepMore()};
      return;
  }
  checks.refuse_unknown("change of shares", from.which());
}

template <class Builder>
void put(Pen pen, Builder to, const node::ChangeShares& command) {
  to.setStamp(command.stamp.count());
  put_each(pen, to.initChanges(size_of(command.changes)), command.changes);
}
template <class Reader>
void get(Reader from, node::ChangeShares& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  get_each(from.getChanges(), command.changes, checks);
}

// ---- limits ----
template <class Builder>
void put(Pen pen, Builder to, const node::Configure& command) {
  to.setStamp(command.stamp.count());
  put_each(pen, to.initLimits(size_of(command.limits)), command.limits);
  put_texts(to.initDropped(size_of(command.dropped)), command.dropped);
  to.setPrune(command.prune);
}
template <class Reader>
void get(Reader from, node::Configure& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  get_each(from.getLimits(), command.limits, checks);
  get_texts(from.getDropped(), command.dropped, checks);
  command.prune = from.getPrune();
}

// ---- strict takes ----
template <class Builder>
void put(Pen pen, Builder to, const node::StrictTake& take) {
  put(pen, to.initLedger(), take.ledger);
  put_hash(to, take.id);
  to.setIssued(take.issued.count());
  to.setCost(take.cost.micro());
  to.setFloor(take.floor.micro());
  to.setPeek(take.peek);
  to.setReserve(take.reserve);
  to.setHolder(take.holder);
}
template <class Reader>
void get(Reader from, node::StrictTake& take, Checks& checks) {
  get(from.getLedger(), take.ledger, checks);
  take.id = get_hash(from);
  take.issued = checks.span(from.getIssued());
  take.cost = checks.tokens(from.getCost());
  take.floor = checks.tokens(from.getFloor());
  take.peek = from.getPeek();
  take.reserve = from.getReserve();
  take.holder = from.getHolder();
  checks.expect(take.cost >= base::Tokens{}, "a cost is negative");
}

template <class Builder>
void put(Pen pen, Builder to, const node::StrictSettle& settle) {
  put(pen, to.initLedger(), settle.ledger);
  put_hash(to, settle.id);
  to.setActual(settle.actual.micro());
  to.setHolder(settle.holder);
}
template <class Reader>
void get(Reader from, node::StrictSettle& settle, Checks& checks) {
  get(from.getLedger(), settle.ledger, checks);
  settle.id = get_hash(from);
  settle.actual = checks.held(from.getActual());
  settle.holder = from.getHolder();
}

template <class Builder>
void put(Pen pen, Builder to, const node::StrictBatch& command) {
  to.setStamp(command.stamp.count());
  put_each(pen, to.initTakes(size_of(command.takes)), command.takes);
  put_each(pen, to.initSettles(size_of(command.settles)), command.settles);
}
template <class Reader>
void get(Reader from, node::StrictBatch& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  get_each(from.getTakes(), command.takes, checks);
  get_each(from.getSettles(), command.settles, checks);
}

// ---- reservations ----
template <class Builder>
void put(Pen pen, Builder to, const node::Reservation& one) {
  put_hash(to, one.id);
  put(pen, to.initBucket(), one.bucket);
  to.setSince(one.since.count());
  to.setReserved(one.reserved.micro());
  to.setRemaining(one.remaining.micro());
  to.setRefundable(one.refundable.micro());
  to.setHolder(one.holder);
  to.setRepeated(one.repeated);
  to.setSettled(one.settled);
  to.setActual(one.actual.micro());
  to.setRefunded(one.refunded.micro());
}
// Whether its amounts fit together is for node::consistent to say.
template <class Reader>
void get(Reader from, node::Reservation& one, Checks& checks) {
  one.id = get_hash(from);
  get(from.getBucket(), one.bucket, checks);
  one.since = checks.span(from.getSince());
  one.reserved = checks.held(from.getReserved());
  one.remaining = checks.held(from.getRemaining());
  one.refundable = checks.held(from.getRefundable());
  one.holder = from.getHolder();
  one.repeated = from.getRepeated();
  one.settled = from.getSettled();
  one.actual = checks.held(from.getActual());
  one.refunded = checks.held(from.getRefunded());
}

template <class Builder>
void put(Pen, Builder to, const node::Settled& settled) {
  to.setConflict(settled.conflict);
  to.setRefunded(settled.refunded.micro());
}
template <class Reader>
void get(Reader from, node::Settled& settled, Checks& checks) {
  settled.conflict = from.getConflict();
  settled.refunded = checks.held(from.getRefunded());
}

// ---- overrides ----
template <class Builder>
void put(Pen, Builder to, const node::SetOverride& command) {
  to.setLimit(text(command.limit));
  to.setNode(command.node.value());
  to.setHasPin(command.has_pin);
  to.setHasMin(command.has_min);
  to.setHasMax(command.has_max);
  to.setPin(command.pin.micro());
  to.setMin(command.min.micro());
  to.setMax(command.max.micro());
  to.setFreeze(command.freeze);
  to.setNoLend(command.no_lend);
  to.setAuthor(text(command.author));
  to.setReason(text(command.reason));
  to.setExpiresMs(command.expires_ms);
}
template <class Reader>
void get(Reader from, node::SetOverride& command, Checks& checks) {
  command.limit = to_text(from.getLimit());
  command.node = base::NodeId(from.getNode());
  command.has_pin = from.getHasPin();
  command.has_min = from.getHasMin();
  command.has_max = from.getHasMax();
  command.pin = checks.tokens(from.getPin());
  command.min = checks.tokens(from.getMin());
  command.max = checks.tokens(from.getMax());
  command.freeze = from.getFreeze();
  command.no_lend = from.getNoLend();
  command.author = to_text(from.getAuthor());
  command.reason = to_text(from.getReason());
  command.expires_ms = from.getExpiresMs();
}

template <class Builder>
void put(Pen, Builder to, const node::ClearOverride& command) {
  to.setLimit(text(command.limit));
  to.setNode(command.node.value());
  to.setExpiresMs(command.expires_ms);
}
template <class Reader>
void get(Reader from, node::ClearOverride& command, Checks&) {
  command.limit = to_text(from.getLimit());
  command.node = base::NodeId(from.getNode());
  command.expires_ms = from.getExpiresMs();
}

// ---- slow keys ----
template <class Builder>
void put(Pen pen, Builder to, const node::AheadSpend& spend) {
  put(pen, to.initLedger(), spend.ledger);
  to.setImplicitRate(spend.implicit.rate.nano_per_second());
  to.setImplicitSize(spend.implicit.size.micro());
  to.setAmount(spend.amount.micro());
}
template <class Reader>
void get(Reader from, node::AheadSpend& spend, Checks& checks) {
  get(from.getLedger(), spend.ledger, checks);
  spend.implicit.rate = checks.rate(from.getImplicitRate());
  spend.implicit.size = checks.held(from.getImplicitSize());
  spend.amount = checks.tokens(from.getAmount());
}

template <class Builder>
void put(Pen pen, Builder to, const node::SpendAhead& command) {
  to.setStamp(command.stamp.count());
  put_each(pen, to.initSpends(size_of(command.spends)), command.spends);
}
template <class Reader>
void get(Reader from, node::SpendAhead& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  get_each(from.getSpends(), command.spends, checks);
}

// ---- planned rotation ----
template <class Builder>
void put(Pen, Builder to, const node::HandoverSession& session) {
  to.setAccount(session.account.value());
  to.setRemaining(session.remaining.count());
}
template <class Reader>
void get(Reader from, node::HandoverSession& session, Checks& checks) {
  session.account = node::Account(from.getAccount());
  session.remaining = checks.span(from.getRemaining());
}

template <class Builder>
void put(Pen, Builder to, const node::HandoverKey& key) {
  to.setHigh(key.key.high);
  to.setLow(key.key.low);
  to.setLevel(key.level.micro());
}
template <class Reader>
void get(Reader from, node::HandoverKey& key, Checks& checks) {
  key.key = {.high = from.getHigh(), .low = from.getLow()};
  key.level = checks.held(from.getLevel());
}

template <class Builder>
void put(Pen pen, Builder to, const node::HandoverLimit& limit) {
  to.setLimit(text(limit.limit));
  to.setCreated(limit.created.value());
  to.setRate(limit.rate.nano_per_second());
  to.setSize(limit.size.micro());
  to.setGhost(limit.ghost.micro());
  put_each(pen, to.initKeys(size_of(limit.keys)), limit.keys);
}
template <class Reader>
void get(Reader from, node::HandoverLimit& limit, Checks& checks) {
  limit.limit = to_text(from.getLimit());
  limit.created = node::Version(from.getCreated());
  limit.rate = checks.rate(from.getRate());
  limit.size = checks.held(from.getSize());
  limit.ghost = checks.held(from.getGhost());
  checks.expect(limit.rate >= base::Rate{}, "a limit mints backwards");
  get_each(from.getKeys(), limit.keys, checks);
}

template <class Builder>
void put(Pen pen, Builder to, const node::HandoverCredits& credits) {
  to.setLimit(text(credits.limit));
  put_each(pen, to.initKeys(size_of(credits.keys)), credits.keys);
}
template <class Reader>
void get(Reader from, node::HandoverCredits& credits, Checks& checks) {
  credits.limit = to_text(from.getLimit());
  get_each(from.getKeys(), credits.keys, checks);
}

template <class Builder>
void put(Pen pen, Builder to, const node::Handover& command) {
  to.setStamp(command.stamp.count());
  put_each(pen, to.initSessions(size_of(command.sessions)), command.sessions);
  put_each(pen, to.initLimits(size_of(command.limits)), command.limits);
  to.setUnbroken(command.unbroken.count());
  put_each(pen, to.initReservations(size_of(command.reservations)), command.reservations);
  put_each(pen, to.initCredits(size_of(command.credits)), command.credits);
}
template <class Reader>
void get(Reader from, node::Handover& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  get_each(from.getSessions(), command.sessions, checks);
  get_each(from.getLimits(), command.limits, checks);
  command.unbroken = checks.span(from.getUnbroken());
  get_each(from.getReservations(), command.reservations, checks);
  get_each(from.getCredits(), command.credits, checks);
}

// ---- keys with ledgers of their own ----
template <class Builder>
void put(Pen pen, Builder to, const node::OpenLedger& command) {
  to.setStamp(command.stamp.count());
  put(pen, to.initLedger(), command.ledger);
  to.setCreated(command.created.value());
  to.setAccount(command.account.value());
  to.setLevel(command.level.micro());
}
template <class Reader>
void get(Reader from, node::OpenLedger& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  get(from.getLedger(), command.ledger, checks);
  command.created = node::Version(from.getCreated());
  command.account = node::Account(from.getAccount());
  command.level = checks.held(from.getLevel());
}

template <class Builder>
void put(Pen pen, Builder to, const node::CloseLedger& command) {
  to.setStamp(command.stamp.count());
  put(pen, to.initLedger(), command.ledger);
}
template <class Reader>
void get(Reader from, node::CloseLedger& command, Checks& checks) {
  command.stamp = checks.span(from.getStamp());
  get(from.getLedger(), command.ledger, checks);
}

// ---- Command ----
template <class Builder>
struct CommandPut {
  Pen pen;
  Builder to;
  void operator()(const node::OpenSession& c) { put(pen, to.initOpenSession(), c); }
  void operator()(const node::ReturnSession& c) { put(pen, to.initReturnSession(), c); }
  void operator()(const node::ReclaimSession& c) { put(pen, to.initReclaimSession(), c); }
  void operator()(const node::ChangeShares& c) { put(pen, to.initChangeShares(), c); }
  void operator()(const node::Configure& c) { put(pen, to.initConfigure(), c); }
  void operator()(const node::StrictBatch& c) { put(pen, to.initStrictBatch(), c); }
  void operator()(const node::SetOverride& c) { put(pen, to.initSetOverride(), c); }
  void operator()(const node::ClearOverride& c) { put(pen, to.initClearOverride(), c); }
  void operator()(const node::Handover& c) { put(pen, to.initHandover(), c); }
  void operator()(const node::CancelHandover&) { to.setCancelHandover(); }
  void operator()(const node::RemoveNode& c) {
    auto remove = to.initRemoveNode();
    remove.setStamp(c.stamp.count());
    remove.setNode(c.node.value());
    remove.setCertified(c.certified);
  }
  void operator()(const node::OpenLedger& c) { put(pen, to.initOpenLedger(), c); }
  void operator()(const node::CloseLedger& c) { put(pen, to.initCloseLedger(), c); }
  void operator()(const node::SpendAhead& c) { put(pen, to.initSpendAhead(), c); }
};
template <class Builder>
void put(Pen pen, Builder to, const node::Command& command) {
  std::visit(CommandPut<Builder>{pen, to}, command);
}
template <class Reader>
void get(Reader from, node::Command& command, Checks& checks) {
  using Schema = typename Reader::Reads;
  switch (from.which()) {
    case Schema::OPEN_SESSION:
      return get(from.getOpenSession(), command.emplace<node::OpenSession>(), checks);
    case Schema::RETURN_SESSION:
      return get(from.getReturnSession(), command.emplace<node::ReturnSession>(), checks);
    case Schema::RECLAIM_SESSION:
      return get(from.getReclaimSession(), command.emplace<node::ReclaimSession>(), checks);
    case Schema::CHANGE_SHARES:
      return get(from.getChangeShares(), command.emplace<node::ChangeShares>(), checks);
    case Schema::CONFIGURE:
      return get(from.getConfigure(), command.emplace<node::Configure>(), checks);
    case Schema::STRICT_BATCH:
      return get(from.getStrictBatch(), command.emplace<node::StrictBatch>(), checks);
    case Schema::SET_OVERRIDE:
      return get(from.getSetOverride(), command.emplace<node::SetOverride>(), checks);
    case Schema::CLEAR_OVERRIDE:
      return get(from.getClearOverride(), command.emplace<node::ClearOverride>(), checks);
    case Schema::HANDOVER:
      return get(from.getHandover(), command.emplace<node::Handover>(), checks);
    case Schema::CANCEL_HANDOVER:
      command = node::CancelHandover();
      return;
    case Schema::REMOVE_NODE:
      command = node::RemoveNode{.stamp = checks.span(from.getRemoveNode().getStamp()),
                                 .node = base::NodeId(from.getRemoveNode().getNode()),
                                 .certified = from.getRemoveNode().getCertified()};
      return;
    case Schema::OPEN_LEDGER:
      return get(from.getOpenLedger(), command.emplace<node::OpenLedger>(), checks);
    case Schema::CLOSE_LEDGER:
      return get(from.getCloseLedger(), command.emplace<node::CloseLedger>(), checks);
    case Schema::SPEND_AHEAD:
      return get(from.getSpendAhead(), command.emplace<node::SpendAhead>(), checks);
  }
  checks.refuse_unknown("command", from.which());
}

// ---- Outcome ----
template <class Builder>
void put(Pen, Builder to, const node::StrictAnswer& answer) {
  to.setApplied(static_cast<decltype(to.getApplied())>(answer.applied));
  to.setAdmitted(answer.admitted);
  to.setRemaining(answer.remaining.micro());
  to.setRetryAfter(answer.retry_after.count());
}
template <class Reader>
void get(Reader from, node::StrictAnswer& answer, Checks& checks) {
  answer.applied = checks.choice(from.getApplied(), node::Applied::kExpired, "outcome");
  answer.admitted = from.getAdmitted();
  answer.remaining = checks.tokens(from.getRemaining());
  answer.retry_after = checks.wait(from.getRetryAfter());
}

template <class Builder>
void put(Pen pen, Builder to, const node::Outcome& outcome) {
  using Applied = decltype(to.getApplied());
  to.setApplied(static_cast<Applied>(outcome.applied));
  to.setAccount(outcome.account.value());
  auto changes = to.initChanges(size_of(outcome.changes));
  for (unsigned i = 0; i < changes.size(); ++i) {
    changes.set(i, static_cast<Applied>(outcome.changes[i]));
  }
  put_each(pen, to.initAnswers(size_of(outcome.answers)), outcome.answers);
  put_each(pen, to.initSettled(size_of(outcome.settled)), outcome.settled);
  to.setReason(text(outcome.reason));
  to.setVersion(outcome.version.value());
}
template <class Reader>
void get(Reader from, node::Outcome& outcome, Checks& checks) {
  outcome.applied = checks.choice(from.getApplied(), node::Applied::kExpired, "outcome");
  outcome.account = node::Account(from.getAccount());
  const auto changes = from.getChanges();
  const std::size_t count = checks.items(changes.size());
  for (unsigned i = 0; i < count; ++i) {
    outcome.changes.push_back(checks.choice(changes[i], node::Applied::kExpired, "outcome"));
  }
  get_each(from.getAnswers(), outcome.answers, checks);
  get_each(from.getSettled(), outcome.settled, checks);
  outcome.reason = to_text(from.getReason());
  outcome.version = node::Version(from.getVersion());
}

}  // namespace brigade::wire
