#include "sim/cluster/virtual_queue.h"

#include <algorithm>

namespace brigade::sim {

void VirtualQueue::State::advance(TimePoint now, base::Rate rate) {
  if (now > at) {
    level = std::max(Tokens{}, level - rate.over(now - at));
    at = now;
  }
}

void VirtualQueue::add(TimePoint at, Tokens cost) {
  close(open(at, cost));
}

VirtualQueue::Entry VirtualQueue::open(TimePoint at, Tokens cost) {
  const Entry entry{.at = at, .number = next_++};
  entries_.emplace(entry, Cost{.cost = cost, .open = true});
  stale_ = true;
  return entry;
}

void VirtualQueue::set(const Entry& entry, Tokens cost) {
  const auto found = entries_.find(entry);
  if (found != entries_.end() && found->second.open && found->second.cost != cost) {
    found->second.cost = cost;
    stale_ = true;
  }
}

void VirtualQueue::close(const Entry& entry) {
  const auto found = entries_.find(entry);
  if (found != entries_.end()) {
    found->second.open = false;
  }
}

Tokens VirtualQueue::level(TimePoint now, base::Rate rate) {
  if (!stale_) {
    now_.advance(now, rate);
    if (entries_.empty() && late_ == Duration::zero()) {
      settled_ = now_;  // drained at the rates of its time, should the limit change
    }
    return now_.level;
  }
  stale_ = false;
  while (!entries_.empty() && !entries_.begin()->second.open &&
         entries_.begin()->first.at <= now - late_) {
    settled_.advance(entries_.begin()->first.at, rate);
    settled_.level += entries_.begin()->second.cost;
    entries_.erase(entries_.begin());
  }
  now_ = settled_;
  for (const auto& [entry, one] : entries_) {
    now_.advance(entry.at, rate);
    now_.level += one.cost;
  }
  now_.advance(now, rate);
  return now_.level;
}

}  // namespace brigade::sim
