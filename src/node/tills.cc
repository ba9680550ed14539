#include "node/tills.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coverage.h"
#include "node/home_desk.h"

namespace brigade::node {
namespace {

// What a till has beyond this many times what it wants goes back.
constexpr std::int64_t kPlenty = 4;

bool lendable(const bucket::LimitSpec& spec) {
  return spec.lend.enabled && spec.rate.time_for(spec.burst) <= Tills::kSlowest;
}

}  // namespace

// ---- spending ----

std::optional<Tills::Taken> Tills::take(const KeyHash& key, Tokens cost, Instant now) {
  const auto found = tills_.find(key);
  if (found == tills_.end()) {
    return std::nullopt;
  }
  Till& till = found->second;
  till.demand.offer(cost, now.slow);
  till.offered += cost;
  till.unit = cost;
  till.used = now.slow;
  if (!till.holds() || now.fast >= till.valid_until || cost > till.level()) {
    look_again(std::max(now.slow, till.ask_at));
    return std::nullopt;
  }
  till.spent += cost;
  if (till.level() <= till.low) {
    look_again(std::max(now.slow, till.ask_at));
  }
  return Taken{.remaining = till.level(), .valid_until = till.valid_until};
}

void Tills::forwarded(const KeyWish& wish, Instant now) {
  if (tills_.contains(wish.key) || !lendable(wish.spec) || !heat_.asked(wish.key, now.slow) ||
      tills_.size() >= kMax) {
    return;
  }
  COVERED("a key gets a till");
  Till till{
      .ledger = {.limit = wish.spec.name, .key = wish.key},
      .shard = wish.shard,
      .implicit = wish.implicit ? std::make_shared<const bucket::LimitSpec>(wish.spec) : nullptr,
      .name = ++last_name_,
      .ask_at = now.slow,
      .renew_at = now.slow,
      .demand = bucket::DemandMeter(now.slow),
      .unit = wish.cost,
      .used = now.slow};
  till.demand.offer(wish.cost, now.slow);
  till.offered = wish.cost;
  tills_.emplace(wish.key, std::move(till));
  look_again(now.slow);
}

Tills::Taken Tills::holding(const KeyHash& key) const {
  const auto found = tills_.find(key);
  return found == tills_.end()
             ? Taken{}
             : Taken{.remaining = found->second.level(), .valid_until = found->second.valid_until};
}

Tokens Tills::would_add(const Quantum& quantum, Instant now) const {
  const auto open = asks_.find(quantum.ticket);
  if (open == asks_.end()) {
    return Tokens{};
  }
  const Till& till = tills_.at(open->second);
  const bool over = now.fast >= (till.holds() ? till.valid_until : till.asked.fast + quantum.lasts);
  return over ? Tokens{} : std::max(Tokens{}, quantum.granted - till.granted);
}

// ---- asking ----

void Tills::close_ask(Till& till) {
  asks_.erase(till.open);
  till.open = 0;
}

// Nothing more of its hold is spent or adopted, so what comes next must have a name of its own.
void Tills::begin_anew(Till& till) {
  close_ask(till);
  if (plant_ != Plant::kTillNameKept) {
    till.name = ++last_name_;
  }
  till.hold = HoldId{};
  till.granted = till.spent = Tokens{};
  till.valid_until = TimePoint::min();
  till.recalled = false;
}

void Tills::pause(Till& till, TimePoint now) {
  till.ask_at = now + till.pause;
  till.pause = std::min(2 * till.pause, kPauseMax);
}

QuantumAsk Tills::ask_of(const Till& till) {
  return {.shard = till.shard,
          .ticket = till.open,
          .ledger = till.ledger,
          .till = till.name,
          .hold = till.hold,
          .spent = till.spent,
          .implicit = till.implicit};
}

// What is asked for in kAhead, in whole requests.
Tokens Tills::wanted(const Till& till, TimePoint now) {
  const std::int64_t ahead = std::max(till.demand.surge(now).over(kAhead), till.offered).micro();
  const std::int64_t unit = till.unit.micro();
  const std::int64_t requests = std::max<std::int64_t>(1, (ahead + unit - 1) / unit);
  return Tokens::micro(std::min(requests * unit, KeyLoans::kGrantedMax.micro()));
}

bool Tills::step(Till& till, Instant now, std::vector<QuantumAsk>& out) {
  if (till.open != 0 && now.slow - till.asked.slow >= kPatience) {
    COVERED("an ask for a quantum is given up");
    close_ask(till);
    pause(till, now.slow);
  }
  if (over(till, now)) {
    begin_anew(till);
  }
  const bool idle = now.slow - till.used >= kIdle;
  const Tokens want = wanted(till, now.slow);
  const bool plenty = till.level() > Tokens::micro(want.micro() * kPlenty);
  if (idle || till.recalled || plenty) {
    if (till.holds() || till.open != 0) {
      QuantumAsk closing = ask_of(till);
      closing.ticket = 0;
      closing.closing = true;
      out.push_back(std::move(closing));
    }
    till.ask_at = till.recalled ? now.slow + kPauseMax : now.slow;
    begin_anew(till);
  }
  if (idle) {
    return false;
  }
  const bool low = till.level() <= till.low;
  if (till.open == 0 && now.slow >= till.ask_at && (low || now.slow >= till.renew_at)) {
    till.open = ++last_name_;
    asks_.emplace(till.open, till.ledger.key);
    till.asked = now;
    till.low = want.scaled(1, 2);
    till.offered = Tokens{};
    out.push_back(ask_of(till));
    out.back().want = want;
    out.back().least = till.unit;
  }
  look_again(till.used + kIdle);
  look_again(till.open != 0 ? till.asked.slow + kPatience
             : low          ? till.ask_at
                            : std::max(till.ask_at, till.renew_at));
  return true;
}

void Tills::turn(Instant now, std::vector<QuantumAsk>& out) {
  if (now.slow < look_at_) {
    return;
  }
  look_at_ = base::kNever;
  for (auto it = tills_.begin(); it != tills_.end();) {
    it = step(it->second, now, out) ? std::next(it) : tills_.erase(it);
  }
}

void Tills::on(const Quantum& quantum, Instant now) {
  const auto open = asks_.find(quantum.ticket);
  if (open == asks_.end()) {
    return;  // closed: lost tokens, never doubled ones
  }
  Till& till = tills_.at(open->second);
  close_ask(till);
  look_again(now.slow);
  if (over(till, now)) {
    COVERED("an answer that comes after a till's end revives nothing");
    begin_anew(till);
  } else if (quantum.hold == HoldId{} || (till.holds() && !(till.hold == quantum.hold))) {
    if (till.holds()) {
      COVERED("a leader that knows nothing of a till's hold");
      begin_anew(till);
    }
    pause(till, now.slow);
  } else {
    adopt(till, quantum, now);
  }
}

void Tills::adopt(Till& till, const Quantum& quantum, Instant now) {
  const Duration lasts = std::min(quantum.lasts, HomeDesk::kTauHome);
  const Instant from = plant_ == Plant::kQuantumFromReceipt ? now : till.asked;
  const TimePoint ends = from.fast + lasts;
  if (!till.holds() && now.fast >= ends) {
    pause(till, now.slow);  // over before it came; its leader has it for the same name still
    return;
  }
  till.hold = quantum.hold;
  till.granted = std::max(till.granted, quantum.granted);
  till.valid_until = std::max(till.valid_until, ends);
  till.recalled = quantum.recalled;
  till.renew_at = till.asked.slow + lasts / 2;
  if (till.level() > till.low) {
    till.pause = kPauseMin;
    till.ask_at = now.slow;
  } else {
    pause(till, now.slow);
  }
}

void Tills::check_invariants() const {
  BRIGADE_CHECK(tills_.size() <= kMax);
  for (const auto& [key, till] : tills_) {
    BRIGADE_CHECK(till.spent >= Tokens{} && till.spent <= till.granted);
    BRIGADE_CHECK(till.open == 0 || asks_.at(till.open) == key);
  }
  BRIGADE_CHECK(asks_.size() <= tills_.size());
}

}  // namespace brigade::node
