// schema/peer.capnp, second part: loans, decisions taken elsewhere, the control plane.
#pragma once

#include <memory>
#include <utility>

#include "node/messages.h"
#include "wire/command_fields.h"

namespace brigade::wire {

// ---- loans ----
template <class Builder>
void put(Pen pen, Builder to, const node::Borrow& message) {
  put(pen, to.initLedger(), message.ledger);
  to.setVersion(message.version.value());
  to.setAccount(message.account.value());
  to.setSeq(message.seq);
  to.setWant(message.want.micro());
  to.setMin(message.min.micro());
  to.setPriority(message.priority);
  to.setByHand(message.by_hand);
}
template <class Reader>
void get(Reader from, node::Borrow& message, Checks& checks) {
  get(from.getLedger(), message.ledger, checks);
  message.version = node::Version(from.getVersion());
  message.account = node::Account(from.getAccount());
  message.seq = from.getSeq();
  message.want = checks.tokens(from.getWant());
  message.min = checks.tokens(from.getMin());
  message.priority = from.getPriority();
  message.by_hand = from.getByHand();
  checks.expect(message.want >= base::Tokens{} && message.min >= base::Tokens{},
                "a wish is negative");
}

template <class Builder>
void put(Pen, Builder to, const node::Lender& lender) {
  to.setNode(lender.node.value());
  to.setFree(lender.free.micro());
}
template <class Reader>
void get(Reader from, node::Lender& lender, Checks& checks) {
  lender.node = base::NodeId(from.getNode());
  lender.free = checks.tokens(from.getFree());
}

template <class Builder>
void put(Pen pen, Builder to, const node::Loan& message) {
  put(pen, to.initLedger(), message.ledger);
  to.setAccount(message.account.value());
  to.setSeq(message.seq);
  to.setGranted(message.granted.micro());
  to.setFreeAfter(message.free_after.micro());
  put_each(pen, to.initOthers(size_of(message.others)), message.others);
}
template <class Reader>
void get(Reader from, node::Loan& message, Checks& checks) {
  get(from.getLedger(), message.ledger, checks);
  message.account = node::Account(from.getAccount());
  message.seq = from.getSeq();
  message.granted = checks.tokens(from.getGranted());
  message.free_after = checks.tokens(from.getFreeAfter());
  get_each(from.getOthers(), message.others, checks);
  checks.expect(message.granted >= base::Tokens{}, "a loan is negative");
}

// ---- decisions taken elsewhere ----
// The limit that CL.THROTTLE's name stands for, if any.
template <class Builder>
void put_implicit(Pen pen, Builder to, const std::shared_ptr<const bucket::LimitSpec>& implicit) {
  if (implicit) {
    put(pen, to.initImplicit(), *implicit);
  }
}
template <class Reader>
std::shared_ptr<const bucket::LimitSpec> get_implicit(Reader from, Checks& checks) {
  if (!from.hasImplicit()) {
    return nullptr;
  }
  bucket::LimitSpec implicit;
  get(from.getImplicit(), implicit, checks);
  checks.expect(bucket::validate(implicit).has_value(), "an implicit limit is senseless");
  return std::make_shared<const bucket::LimitSpec>(std::move(implicit));
}

// Whose answer it is, and where to ask instead.
template <class Builder, class Message>
void put_redirection(Builder to, const Message& message) {
  to.setTicket(message.ticket);
  to.setElsewhere(message.elsewhere);
  to.setUnknown(message.unknown);
  to.setLeader(message.leader.value());
}
template <class Reader, class Message>
void get_redirection(Reader from, Message& message) {
  message.ticket = from.getTicket();
  message.elsewhere = from.getElsewhere();
  message.unknown = from.getUnknown();
  message.leader = base::NodeId(from.getLeader());
}

template <class Builder>
void put(Pen pen, Builder to, const node::Ask& message) {
  to.setShard(message.shard.value());
  to.setTicket(message.ticket);
  put(pen, to.initLedger(), message.ledger);
  to.setCost(message.cost.micro());
  to.setPriority(text(message.priority));
  to.setWait(message.wait.count());
  to.setPeek(message.peek);
  put_hash(to, message.id);
  to.setReserve(message.reserve);
  put_implicit(pen, to, message.implicit);
}
template <class Reader>
void get(Reader from, node::Ask& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.ticket = from.getTicket();
  get(from.getLedger(), message.ledger, checks);
  message.cost = checks.tokens(from.getCost());
  message.priority = to_text(from.getPriority());
  message.wait = checks.span(from.getWait());
  message.peek = from.getPeek();
  message.id = get_hash(from);
  message.reserve = from.getReserve();
  message.implicit = get_implicit(from, checks);
  checks.expect(message.cost >= base::Tokens{}, "a cost is negative");
}

template <class Builder>
void put(Pen, Builder to, const node::Told& message) {
  put_redirection(to, message);
  to.setLedger(message.ledger);
  to.setVerdict(static_cast<decltype(to.getVerdict())>(message.verdict));
  to.setRemaining(message.remaining.micro());
  to.setRetryAfter(message.retry_after.count());
  to.setAgain(message.again);
}
template <class Reader>
void get(Reader from, node::Told& message, Checks& checks) {
  get_redirection(from, message);
  message.ledger = from.getLedger();
  message.verdict = checks.choice(from.getVerdict(), node::Verdict::kTooManyWaiting, "verdict");
  message.remaining = checks.tokens(from.getRemaining());
  message.retry_after = checks.wait(from.getRetryAfter());
  message.again = from.getAgain();
}

template <class Builder>
void put(Pen pen, Builder to, const node::SettleAsk& message) {
  to.setShard(message.shard.value());
  to.setTicket(message.ticket);
  put(pen, to.initLedger(), message.ledger);
  put_hash(to, message.id);
  to.setActual(message.actual.micro());
  to.setHolder(message.holder);
}
template <class Reader>
void get(Reader from, node::SettleAsk& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.ticket = from.getTicket();
  get(from.getLedger(), message.ledger, checks);
  message.id = get_hash(from);
  message.actual = checks.held(from.getActual());
  message.holder = from.getHolder();
}

template <class Builder>
void put(Pen pen, Builder to, const node::SettleTold& message) {
  put_redirection(to, message);
  put(pen, to.initSettled(), message.settled);
}
template <class Reader>
void get(Reader from, node::SettleTold& message, Checks& checks) {
  get_redirection(from, message);
  get(from.getSettled(), message.settled, checks);
}

// ---- control plane ----
template <class Builder>
void put(Pen pen, Builder to, const node::Submit& message) {
  to.setShard(message.shard.value());
  to.setTicket(message.ticket);
  put(pen, to.initCommand(), message.command);
}
template <class Reader>
void get(Reader from, node::Submit& message, Checks& checks) {
  message.shard = base::ShardId(from.getShard());
  message.ticket = from.getTicket();
  get(from.getCommand(), message.command, checks);
}

template <class Builder>
void put(Pen pen, Builder to, const node::Submitted& message) {
  put_redirection(to, message);
  put(pen, to.initOutcome(), message.outcome);
}
template <class Reader>
void get(Reader from, node::Submitted& message, Checks& checks) {
  get_redirection(from, message);
  get(from.getOutcome(), message.outcome, checks);
}

template <class Builder>
void put(Pen, Builder to, const node::PullAsk& message) {
  to.setTicket(message.ticket);
  to.setLimit(text(message.limit));
  to.setFrom(message.from.value());
  to.setAmount(message.amount.micro());
}
template <class Reader>
void get(Reader from, node::PullAsk& message, Checks& checks) {
  message.ticket = from.getTicket();
  message.limit = to_text(from.getLimit());
  message.from = base::NodeId(from.getFrom());
  message.amount = checks.tokens(from.getAmount());
  checks.expect(message.amount >= base::Tokens{}, "an amount is negative");
}

template <class Builder>
void put(Pen, Builder to, const node::PullAnswer& message) {
  to.setTicket(message.ticket);
  to.setAmount(message.amount.micro());
  to.setReason(text(message.reason));
}
template <class Reader>
void get(Reader from, node::PullAnswer& message, Checks& checks) {
  message.ticket = from.getTicket();
  message.amount = checks.tokens(from.getAmount());
  message.reason = to_text(from.getReason());
}

template <class Builder>
void put(Pen, Builder to, const node::SurveyAsk& message) {
  to.setTicket(message.ticket);
}
template <class Reader>
void get(Reader from, node::SurveyAsk& message, Checks&) {
  message.ticket = from.getTicket();
}

template <class Builder>
void put(Pen pen, Builder to, const node::BucketReport& report) {
  put(pen, to.initLedger(), report.ledger);
  to.setRate(report.rate.nano_per_second());
  to.setSize(report.size.micro());
  to.setLevel(report.level.micro());
  to.setLent(report.lent.micro());
  to.setBorrowed(report.borrowed.micro());
  to.setAdmitted(report.admitted.micro());
  to.setRefused(report.refused.micro());
  to.setOffered(report.offered.nano_per_second());
}
template <class Reader>
void get(Reader from, node::BucketReport& report, Checks& checks) {
  get(from.getLedger(), report.ledger, checks);
  report.rate = checks.rate(from.getRate());
  report.size = checks.tokens(from.getSize());
  report.level = checks.tokens(from.getLevel());
  // Totals since a start: they only ever grow, and are only shown.
  report.lent = base::Tokens::micro(from.getLent());
  report.borrowed = base::Tokens::micro(from.getBorrowed());
  report.admitted = base::Tokens::micro(from.getAdmitted());
  report.refused = base::Tokens::micro(from.getRefused());
  report.offered = checks.rate(from.getOffered());
}

template <class Builder>
void put(Pen, Builder to, const node::ReplicaReport& report) {
  to.setShard(report.shard.value());
  to.setTerm(report.term);
  to.setLeads(report.leads);
  to.setCommit(report.commit);
  to.setApplied(report.applied);
  to.setLeaderFor(report.leader_for.count());
  put_ids(to.initVoters(size_of(report.voters)), report.voters);
  put_ids(to.initOutgoing(size_of(report.outgoing)), report.outgoing);
  put_ids(to.initLearners(size_of(report.learners)), report.learners);
}
template <class Reader>
void get(Reader from, node::ReplicaReport& report, Checks& checks) {
  report.shard = base::ShardId(from.getShard());
  report.term = from.getTerm();
  report.leads = from.getLeads();
  report.commit = from.getCommit();
  report.applied = from.getApplied();
  report.leader_for = checks.span(from.getLeaderFor());
  get_ids(from.getVoters(), report.voters, checks);
  get_ids(from.getOutgoing(), report.outgoing, checks);
  get_ids(from.getLearners(), report.learners, checks);
}

template <class Builder>
void put(Pen pen, Builder to, const node::PoolReport& report) {
  put(pen, to.initLedger(), report.ledger);
  to.setRate(report.rate.nano_per_second());
  to.setSize(report.size.micro());
  to.setLevel(report.level.micro());
  to.setEffectiveRate(report.effective_rate.nano_per_second());
  to.setEffectiveBurst(report.effective_burst.micro());
  to.setJain(report.jain);
  to.setMaxMinGap(report.max_min_gap);
}
template <class Reader>
void get(Reader from, node::PoolReport& report, Checks& checks) {
  get(from.getLedger(), report.ledger, checks);
  report.rate = checks.rate(from.getRate());
  report.size = checks.tokens(from.getSize());
  report.level = checks.tokens(from.getLevel());
  report.effective_rate = checks.rate(from.getEffectiveRate());
  report.effective_burst = checks.tokens(from.getEffectiveBurst());
  report.jain = from.getJain();
  report.max_min_gap = from.getMaxMinGap();
}

template <class Builder>
void put(Pen pen, Builder to, const node::SurveyAnswer& message) {
  to.setTicket(message.ticket);
  put_each(pen, to.initBuckets(size_of(message.buckets)), message.buckets);
  put_each(pen, to.initReplicas(size_of(message.replicas)), message.replicas);
  put_each(pen, to.initPools(size_of(message.pools)), message.pools);
  put_each(pen, to.initOverrides(size_of(message.overrides)), message.overrides);
}
template <class Reader>
void get(Reader from, node::SurveyAnswer& message, Checks& checks) {
  message.ticket = from.getTicket();
  get_each(from.getBuckets(), message.buckets, checks);
  get_each(from.getReplicas(), message.replicas, checks);
  get_each(from.getPools(), message.pools, checks);
  get_each(from.getOverrides(), message.overrides, checks);
}

}  // namespace brigade::wire
