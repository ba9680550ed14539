// schema/peer.capnp, fourth part: what one turn asks and answers. Asks name their limits by
// position in a list, so that a limit travels once, not with each of its keys.
#pragma once

#include <algorithm>
#include <vector>

#include "node/messages.h"
#include "wire/trade_fields.h"

namespace brigade::wire {

// Every ask copies its limit's name: no name may be long.
constexpr std::size_t kAskedNameMax = 256;

// Which entry of `limits` (asks that were the first of their limit) this ask's limit is, if any.
inline std::size_t find_limit(const std::vector<const node::Ask*>& limits, const node::Ask& ask) {
  constexpr std::ptrdiff_t kLooked = 8;
  const auto same = [&](const node::Ask* one) {
    return one->ledger.limit == ask.ledger.limit && one->implicit == ask.implicit;
  };
  const auto from = limits.end() - std::min(kLooked, std::ssize(limits));
  return static_cast<std::size_t>(std::find_if(from, limits.end(), same) - limits.begin());
}

template <class Builder>
void put(Pen pen, Builder to, const node::AskBatch& message) {
  std::vector<const node::Ask*> limits;
  auto asks = to.initAsks(size_of(message.asks));
  for (unsigned i = 0; i < asks.size(); ++i) {
    const node::Ask& ask = message.asks[i];
    const std::size_t limit = find_limit(limits, ask);
    if (limit == limits.size()) {
      limits.push_back(&ask);
    }
    auto one = asks[i];
    one.setTicket(ask.ticket);
    one.setKeyHigh(ask.ledger.key.high);
    one.setKeyLow(ask.ledger.key.low);
    one.setCost(ask.cost.micro());
    one.setWait(ask.wait.count());
    put_hash(one, ask.id);
    one.setLimit(static_cast<std::uint32_t>(limit));
    one.setShard(ask.shard.value());
    one.setPeek(ask.peek);
    one.setReserve(ask.reserve);
    if (!ask.priority.empty()) {
      one.setPriority(text(ask.priority));
    }
  }
  auto list = to.initLimits(size_of(limits));
  for (unsigned i = 0; i < list.size(); ++i) {
    auto limit = list[i];
    limit.setName(text(limits[i]->ledger.limit));
    put_implicit(pen, limit, limits[i]->implicit);
  }
}

template <class Reader>
void get(Reader from, node::AskBatch& message, Checks& checks) {
  struct Limit {
    std::string name;
    std::shared_ptr<const bucket::LimitSpec> implicit;
  };
  std::vector<Limit> limits;
  for (const auto limit : from.getLimits()) {
    if (!checks.ok() || limit.getName().size() > kAskedNameMax ||
        limits.size() >= node::AskBatch::kMost) {
      checks.refuse("a batch's limits are too many or too long");
      return;
    }
    limits.push_back({.name = to_text(limit.getName()), .implicit = get_implicit(limit, checks)});
  }
  checks.expect(from.getAsks().size() <= node::AskBatch::kMost, "a batch is too long");
  for (const auto one : from.getAsks()) {
    checks.expect(one.getLimit() < limits.size(), "an ask names no limit of its batch");
    if (!checks.ok()) {
      return;
    }
    const Limit& limit = limits[one.getLimit()];
    node::Ask& ask = message.asks.emplace_back();
    ask.shard = base::ShardId(one.getShard());
    ask.ticket = one.getTicket();
    ask.ledger = {.limit = limit.name, .key = {.high = one.getKeyHigh(), .low = one.getKeyLow()}};
    ask.cost = checks.held(one.getCost());
    ask.priority = to_text(one.getPriority());
    ask.wait = checks.span(one.getWait());
    ask.peek = one.getPeek();
    ask.id = get_hash(one);
    ask.implicit = limit.implicit;
    ask.reserve = one.getReserve();
  }
}

template <class Builder>
void put(Pen pen, Builder to, const node::ToldBatch& message) {
  put_each(pen, to.initTolds(size_of(message.tolds)), message.tolds);
}
template <class Reader>
void get(Reader from, node::ToldBatch& message, Checks& checks) {
  checks.expect(from.getTolds().size() <= node::AskBatch::kMost, "a batch is too long");
  if (checks.ok()) {
    get_each(from.getTolds(), message.tolds, checks);
  }
}

}  // namespace brigade::wire
