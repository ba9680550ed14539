// What is kept from priority classes: whoever may not spend the part f of every bucket gets at most
// (1 - f) x burst + rate x time of a shared limit in any time (semantics 6).
//
// The same potential as W, of the classes from which f or more is kept: V of what they were
// admitted, and Phi of what they could still spend. Room and tokens are looked at together: a part
// of the limit that holds x tokens in room for B has x - f x B for them. What is divided evenly and
// put together in any way has never more. A class that borrows out of what is kept from others
// borrows no more than is kept from them where it is, so there the room held for it counts as full
// of tokens as soon as it asks.
#include <algorithm>
#include <vector>

#include "sim/cluster/machine.h"
#include "sim/cluster/world.h"

namespace brigade::sim {
namespace {

constexpr bucket::Permille kOne = 1000;

}  // namespace

void World::note_borrow(node::NodeId from, const node::Borrow& ask) {
  const bucket::LimitSpec* spec = spec_of(ask.ledger.limit);
  if (spec == nullptr || !bucket::reserves(*spec)) {
    return;
  }
  const bool named = ask.priority > 0 && ask.priority <= spec->priorities.size();
  borrows_as_[{.borrower = from, .ledger = ask.ledger, .account = ask.account, .seq = ask.seq}] =
      named ? spec->priorities[ask.priority - 1U].reserved : 0;
}

void World::spent_by(const std::string& priority, const Bucket& bucket, Tokens cost) {
  spent(bucket, cost);
  const bucket::LimitSpec* spec = spec_of(bucket.limit);
  if (spec == nullptr || spec->reserved(priority) == 0) {
    return;
  }
  for (const bucket::PrioritySpec& one : spec->priorities) {
    if (one.reserved > 0 && one.reserved <= spec->reserved(priority)) {
      kept_from_.try_emplace({bucket, one.name}).first->second.add(now_, cost);
      totals_.reserved_from += one.name == priority ? cost : Tokens{};
    }
  }
}

// Into the bucket of a machine, as those see it from whom `reserved` is kept.
Tokens World::coming_to(const Machine& machine, const node::SharedLimit& limit,
                        bucket::Permille reserved) const {
  const auto& borrow = limit.purse().borrow();
  const auto as = !borrow ? borrows_as_.end()
                          : borrows_as_.find({.borrower = machine.id,
                                              .ledger = limit.ledger(),
                                              .account = limit.purse().account(),
                                              .seq = borrow->seq});
  const bool from_kept = as != borrows_as_.end() && as->second < reserved;
  return from_kept ? borrow->held : coming(machine, limit);
}

// The limit in parts: the pool, every bucket, and what goes from one to the other.
Tokens World::free_for(const Watched& one, bucket::Permille reserved) const {
  Tokens sum;
  const auto add = [&](Tokens tokens, Tokens size) {
    sum += std::max(Tokens{}, tokens - std::max(Tokens{}, size).scaled(reserved, kOne));
  };
  if (one.ledger != nullptr) {
    add(one.ledger->pool().level, one.ledger->pool().size);
  }
  for (const auto& machine : machines_) {
    const node::SharedLimit* limit = machine->sights[one.number].limit;
    const Instant now = clock(*machine);
    if (limit == nullptr || !limit->purse().valid(now)) {
      continue;
    }
    const node::Purse& purse = limit->purse();
    const Tokens size = purse.bucket().size();
    add(purse.level_at(now) + purse.refundable() + coming_to(*machine, *limit, reserved), size);
    const auto share = one.ledger == nullptr ? node::Ledger::Shares::const_iterator{}
                                             : one.ledger->shares().find(purse.account());
    if (one.ledger == nullptr || share == one.ledger->shares().end()) {
      continue;
    }
    const node::Share& held = share->second;
    if (purse.shrunk() && held.shrinking && held.epoch == purse.shrunk()->epoch) {
      add(purse.shrunk()->surplus, held.size - held.shrinking->size);
    } else {
      add(held.granted - purse.granted_seen(), held.size - size);
    }
  }
  return sum;
}

void World::check_classes(const Watched& one) {
  const bucket::LimitSpec& spec = specs_[one.spec];
  if (spec.per_key || spec.mode == bucket::Mode::kStrict) {
    return;
  }
  for (const bucket::PrioritySpec& priority : spec.priorities) {
    if (priority.reserved == 0) {
      continue;
    }
    const Tokens queue =
        kept_from_.try_emplace({one.bucket, priority.name}).first->second.level(now_, spec.rate);
    const Tokens most = spec.largest_cost(priority.name);
    const Tokens w = queue + free_for(one, priority.reserved);
    totals_.worst_class = std::max(totals_.worst_class, w - most);
    // A micro-token may be lost at each division and event, as in W.
    const Tokens slack = Tokens::micro(static_cast<std::int64_t>(totals_.events) + 16);
    if (w > most + slack) {
      fail("class " + priority.name + " of " + spec.name + " passes its part by " +
           std::to_string((w - most).as_double()) + " tokens (queue " +
           std::to_string(queue.as_double()) + ") at " +
           std::to_string((now_.time_since_epoch() - base::seconds(1000)).count() / 1000) + " us");
    }
  }
}

}  // namespace brigade::sim
