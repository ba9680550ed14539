#include "node/ledger.h"

#include <algorithm>
#include <utility>

namespace brigade::node {

Rights Share::rights(const LedgerId& ledger) const {
  return {.ledger = ledger,
          .rate = shrinking ? shrinking->rate : rate,
          .size = shrinking ? shrinking->size : size,
          .granted = granted,
          .epoch = epoch,
          .keep = keep && (!shrinking || shrinking->keep)};
}

Ledger::Ledger(Rate rate, Tokens burst, Tokens level, Stamp now)
    : rate_(rate),
      burst_(burst),
      pool_{.rate = rate, .size = burst, .level = level, .refilled = now} {}

Ledger::Ledger(Rate rate, Tokens burst, Pool pool, Shares shares)
    : rate_(rate), burst_(burst), pool_(pool), shares_(std::move(shares)) {}

void Ledger::refill(Stamp now) {
  if (now > pool_.refilled) {
    pool_.level = level_at(now);
    pool_.refilled = now;
  }
}

Tokens Ledger::level_at(Stamp now) const {
  if (now <= pool_.refilled || pool_.rate <= Rate{}) {
    return pool_.level;
  }
  // A mint below one micro-token is lost here: the pool is settled a few times a second.
  const Tokens minted = pool_.rate.over(now - pool_.refilled);
  return std::max(pool_.level, std::min(pool_.level + minted, pool_.size));
}

void Ledger::credit(Tokens tokens) {
  const Tokens room = std::max(Tokens{}, pool_.size - pool_.level);
  pool_.level += std::clamp(tokens, Tokens{}, room);
}

bool Ledger::shrink(const ShrinkShare& change, Epoch epoch) {
  const auto found = shares_.find(change.account);
  if (found == shares_.end() || found->second.shrinking) {
    return false;
  }
  Share& share = found->second;
  if (change.rate < Rate{} || change.size < Tokens{} || change.rate > share.rate ||
      change.size > share.size) {
    return false;
  }
  share.shrinking = Shrinking{.rate = change.rate, .size = change.size, .keep = change.keep};
  share.epoch = epoch;
  return true;
}

bool Ledger::acknowledge(const AckShrink& change, Stamp now) {
  const auto found = shares_.find(change.account);
  if (found == shares_.end() || !found->second.shrinking || found->second.epoch != change.epoch ||
      change.surplus < Tokens{}) {
    return false;
  }
  refill(now);
  Share& share = found->second;
  const Tokens freed = share.size - share.shrinking->size;
  pool_.rate += share.rate - share.shrinking->rate;
  pool_.size += freed;
  share.keep = share.keep && share.shrinking->keep;
  share.rate = share.shrinking->rate;
  share.size = share.shrinking->size;
  share.shrinking.reset();
  if (burst_ == Tokens{} && share.rate == Rate{} && share.size == Tokens{}) {
    shares_.erase(found);  // a deleted limit is gone when every account is
  }
  // What was cut came out of the freed room, so more than that cannot be true.
  credit(std::min(change.surplus, freed));
  return true;
}

bool Ledger::grow(const GrowShare& change, Epoch epoch, Stamp now, Filling filling) {
  refill(now);
  if (change.more_rate < Rate{} || change.more_size < Tokens{} || change.tokens < Tokens{} ||
      change.tokens > change.more_size || change.more_rate > pool_.rate ||
      change.more_size > pool_.size || change.tokens > pool_.level) {
    return false;
  }
  const auto found = shares_.find(change.account);
  if (found != shares_.end() && found->second.shrinking) {
    return false;
  }
  const bool evenly = filling == Filling::kEvenly && pool_.size > Tokens{};
  const Tokens tokens =
      evenly ? pool_.level.scaled(change.more_size.micro(), pool_.size.micro()) : change.tokens;
  Share& share = shares_[change.account];
  pool_.rate -= change.more_rate;
  pool_.size -= change.more_size;
  pool_.level = std::min(pool_.level - tokens, pool_.size);
  share.rate += change.more_rate;
  share.size += change.more_size;
  share.granted += tokens;
  share.keep = share.keep || change.keep;  // ends only by an acknowledged shrink
  share.epoch = epoch;
  return true;
}

bool Ledger::unkeep(Account account) {
  const auto found = shares_.find(account);
  if (found == shares_.end() || !found->second.keep) {
    return false;
  }
  found->second.keep = false;
  return true;
}

bool Ledger::release(Account account, Tokens tokens, Stamp now) {
  const auto found = shares_.find(account);
  if (found == shares_.end()) {
    return false;
  }
  refill(now);
  const Share share = found->second;
  shares_.erase(found);
  pool_.rate += share.rate;
  pool_.size += share.size;
  credit(std::clamp(tokens, Tokens{}, share.size));
  return true;
}

void Ledger::configure(Rate rate, Tokens burst, Stamp now) {
  refill(now);
  pool_.rate += rate - rate_;
  pool_.size += burst - burst_;
  rate_ = rate;
  burst_ = burst;
  pool_.level = std::min(pool_.level, std::max(Tokens{}, pool_.size));
  if (burst_ == Tokens{}) {
    // Nobody will be asked to give back what is nothing.
    std::erase_if(shares_, [](const auto& entry) {
      const Share& share = entry.second;
      return share.rate == Rate{} && share.size == Tokens{} && !share.shrinking && !share.keep;
    });
  }
}

Rate Ledger::effective_rate() const {
  return std::max(rate_, rate_ - pool_.rate);
}

Tokens Ledger::effective_burst() const {
  return std::max(burst_, burst_ - pool_.size);
}

bool Ledger::consistent() const {
  Rate rate = pool_.rate;
  Tokens size = pool_.size;
  for (const auto& [account, share] : shares_) {
    if (share.rate < Rate{} || share.size < Tokens{} || share.granted < Tokens{}) {
      return false;
    }
    if (share.shrinking &&
        (share.shrinking->rate < Rate{} || share.shrinking->rate > share.rate ||
         share.shrinking->size < Tokens{} || share.shrinking->size > share.size)) {
      return false;
    }
    rate += share.rate;
    size += share.size;
  }
  return rate == rate_ && size == burst_ && pool_.level >= Tokens{} &&
         pool_.level <= std::max(Tokens{}, pool_.size);
}

}  // namespace brigade::node
