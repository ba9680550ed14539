// schema/peer.capnp, third part: tokens of home keys in advance.
#pragma once

#include "node/messages.h"
#include "wire/trade_fields.h"

namespace brigade::wire {

template <class Builder>
void put(Pen pen, Builder to, const node::QuantumAsk& message) {
  to.setShard(message.shard.value());
  to.setTicket(message.ticket);
  put(pen, to.initLedger(), message.ledger);
  to.setTill(message.till);
  to.setTerm(message.hold.term);
  to.setNumber(message.hold.number);
  to.setSpent(message.spent.micro());
  to.setWant(message.want.micro());
  to.setLeast(message.least.micro());
  to.setClosing(message.closing);
  put_implicit(pen, to, message.implicit);
}
template <class Reader>
void get(Reader from, node::QuantumAsk& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.ticket = from.getTicket();
  get(from.getLedger(), message.ledger, checks);
  message.till = from.getTill();
  message.hold = {.term = from.getTerm(), .number = from.getNumber()};
  message.spent = checks.held(from.getSpent());
  message.want = checks.held(from.getWant());
  message.least = checks.held(from.getLeast());
  message.closing = from.getClosing();
  message.implicit = get_implicit(from, checks);
}

template <class Builder>
void put(Pen, Builder to, const node::Quantum& message) {
  to.setTicket(message.ticket);
  to.setTerm(message.hold.term);
  to.setNumber(message.hold.number);
  to.setGranted(message.granted.micro());
  to.setLasts(message.lasts.count());
  to.setRecalled(message.recalled);
}
template <class Reader>
void get(Reader from, node::Quantum& message, Checks& checks) {
  message.ticket = from.getTicket();
  message.hold = {.term = from.getTerm(), .number = from.getNumber()};
  message.granted = checks.held(from.getGranted());
  message.lasts = checks.span(from.getLasts());
  message.recalled = from.getRecalled();
}

}  // namespace brigade::wire
