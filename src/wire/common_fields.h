// schema/common.capnp: what several schemas share.
//
// Functions here are templates over the schema's builders and readers, so that this header needs no
// generated code.
#pragma once

#include "bucket/limit_spec.h"
#include "node/rights.h"
#include "wire/envelope.h"

namespace brigade::wire {

// ---- ids that lie flat in their struct ----
template <class Builder>
void put_boot(Builder to, const base::Boot& boot) {
  to.setBootHigh(boot.high);
  to.setBootLow(boot.low);
}
template <class Reader>
base::Boot get_boot(Reader from) {
  return {.high = from.getBootHigh(), .low = from.getBootLow()};
}
template <class Builder>
void put_cluster(Builder to, const base::ClusterId& cluster) {
  to.setClusterHigh(cluster.high);
  to.setClusterLow(cluster.low);
}
template <class Reader>
base::ClusterId get_cluster(Reader from) {
  return {.high = from.getClusterHigh(), .low = from.getClusterLow()};
}
// A strict decision's id.
template <class Builder>
void put_hash(Builder to, const base::KeyHash& id) {
  to.setIdHigh(id.high);
  to.setIdLow(id.low);
}
template <class Reader>
base::KeyHash get_hash(Reader from) {
  return {.high = from.getIdHigh(), .low = from.getIdLow()};
}

// ---- LedgerId ----
template <class Builder>
void put(Pen, Builder to, const node::LedgerId& id) {
  to.setLimit(text(id.limit));
  to.setKeyHigh(id.key.high);
  to.setKeyLow(id.key.low);
}
template <class Reader>
void get(Reader from, node::LedgerId& id, Checks&) {
  id.limit = to_text(from.getLimit());
  id.key = {.high = from.getKeyHigh(), .low = from.getKeyLow()};
}

// ---- Rights ----
template <class Builder>
void put(Pen pen, Builder to, const node::Rights& rights) {
  put(pen, to.initLedger(), rights.ledger);
  to.setRate(rights.rate.nano_per_second());
  to.setSize(rights.size.micro());
  to.setGranted(rights.granted.micro());
  to.setEpoch(rights.epoch.value());
  to.setKeep(rights.keep);
}
template <class Reader>
void get(Reader from, node::Rights& rights, Checks& checks) {
  get(from.getLedger(), rights.ledger, checks);
  rights.rate = checks.rate(from.getRate());
  rights.size = checks.tokens(from.getSize());
  rights.granted = checks.tokens(from.getGranted());
  rights.epoch = node::Epoch(from.getEpoch());
  rights.keep = from.getKeep();
}

// ---- LimitSpec; whether it makes sense is for bucket::validate to say ----
template <class Builder>
void put(Pen, Builder to, const bucket::SizingSpec& sizing) {
  to.setMin(sizing.min.micro());
  to.setMax(sizing.max.micro());
  to.setThresholdHigh(sizing.threshold_high);
  to.setThresholdLow(sizing.threshold_low);
  to.setGrowth(sizing.growth);
  to.setShrink(sizing.shrink);
}
template <class Reader>
void get(Reader from, bucket::SizingSpec& sizing, Checks& checks) {
  sizing.min = checks.tokens(from.getMin());
  sizing.max = checks.tokens(from.getMax());
  sizing.threshold_high = from.getThresholdHigh();
  sizing.threshold_low = from.getThresholdLow();
  sizing.growth = from.getGrowth();
  sizing.shrink = from.getShrink();
}
template <class Builder>
void put(Pen, Builder to, const bucket::LendSpec& lend) {
  to.setEnabled(lend.enabled);
  to.setMaxShare(lend.max_share);
  to.setReserve(lend.reserve.micro());
}
template <class Reader>
void get(Reader from, bucket::LendSpec& lend, Checks& checks) {
  lend.enabled = from.getEnabled();
  lend.max_share = from.getMaxShare();
  lend.reserve = checks.tokens(from.getReserve());
}
template <class Builder>
void put(Pen, Builder to, const bucket::PrioritySpec& priority) {
  to.setName(text(priority.name));
  to.setReserved(priority.reserved);
}
template <class Reader>
void get(Reader from, bucket::PrioritySpec& priority, Checks&) {
  priority.name = to_text(from.getName());
  priority.reserved = from.getReserved();
}

template <class Builder>
void put(Pen pen, Builder to, const bucket::LimitSpec& spec) {
  to.setName(text(spec.name));
  to.setRate(spec.rate.nano_per_second());
  to.setBurst(spec.burst.micro());
  to.setPerKey(spec.per_key);
  to.setMode(static_cast<decltype(to.getMode())>(spec.mode));
  put(pen, to.initSizing(), spec.sizing);
  put(pen, to.initLend(), spec.lend);
  to.setFairness(static_cast<decltype(to.getFairness())>(spec.fairness));
  put_each(pen, to.initPriorities(size_of(spec.priorities)), spec.priorities);
  to.setMaxWait(spec.queue.max_wait.count());
  to.setMaxWaiting(spec.queue.max_waiting);
  to.setOnIsolated(static_cast<decltype(to.getOnIsolated())>(spec.on_isolated));
  to.setShadow(spec.shadow);
  to.setMaxKeys(spec.max_keys);
}
template <class Reader>
void get(Reader from, bucket::LimitSpec& spec, Checks& checks) {
  spec.name = to_text(from.getName());
  spec.rate = checks.rate(from.getRate());
  spec.burst = checks.tokens(from.getBurst());
  spec.per_key = from.getPerKey();
  spec.mode = checks.choice(from.getMode(), bucket::Mode::kStrict, "mode");
  get(from.getSizing(), spec.sizing, checks);
  get(from.getLend(), spec.lend, checks);
  spec.fairness = checks.choice(from.getFairness(), bucket::Fairness::kKarma, "fairness");
  get_each(from.getPriorities(), spec.priorities, checks);
  spec.queue.max_wait = checks.span(from.getMaxWait());
  spec.queue.max_waiting = from.getMaxWaiting();
  spec.on_isolated =
      checks.choice(from.getOnIsolated(), bucket::OnIsolated::kKeep, "isolation policy");
  spec.shadow = from.getShadow();
  spec.max_keys = from.getMaxKeys();
}

}  // namespace brigade::wire
