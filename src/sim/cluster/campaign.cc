#include "sim/cluster/campaign.h"

#include <array>
#include <utility>

#include "sim/cluster/recovery.h"
#include "wire/store_codec.h"

namespace brigade::sim {
namespace {

constexpr std::size_t kMachines = 5;
constexpr std::int64_t kRate = 1000;
constexpr std::int64_t kKeyRate = 20;
constexpr std::int64_t kKeyBurst = 40;
// Keys that are asked for so much that nodes get tokens of them in advance.
constexpr std::int64_t kBusyRate = 100;
constexpr std::int64_t kBusyBurst = 100;
// One that gets a ledger of its own.
constexpr std::int64_t kTenantRate = 200;

// Some of everything; every second seed has answers that take longer than a session lasts, and
// disks that keep a commit waiting. There Raft's own messages are in time: where nobody leads,
// nothing is admitted and nothing can be broken.
Faults all_faults(std::uint64_t seed) {
  if (seed % 2 == 0) {
    return {.loss_permille = 30,
            .double_permille = 20,
            .slow_permille = 100,
            .slow_max = base::seconds(8),
            .slow_raft = false,
            .crash_every = base::seconds(15),
            .partition_every = base::seconds(10),
            .pause_every = base::seconds(8),
            .disk_max = base::milliseconds(60)};
  }
  return {.loss_permille = 20,
          .double_permille = 20,
          .slow_permille = 20,
          .crash_every = base::seconds(8),
          .partition_every = base::seconds(8),
          .pause_every = base::seconds(8)};
}

constexpr std::array kPlants{
    std::pair{"takeover-reclaims", node::Plant::kTakeoverReclaims},
    std::pair{"renew-after-reclaim", node::Plant::kRenewAfterReclaim},
    std::pair{"grant-added-twice", node::Plant::kGrantAddedTwice},
    std::pair{"ack-without-adopting", node::Plant::kAckWithoutAdopting},
    std::pair{"reclaim-early", node::Plant::kReclaimEarly},
    std::pair{"late-answer-revives", node::Plant::kLateAnswerRevives},
    std::pair{"valid-from-receipt", node::Plant::kValidFromReceipt},
    std::pair{"grow-before-ack", node::Plant::kGrowBeforeAck},
    std::pair{"lend-without-taking", node::Plant::kLendWithoutTaking},
    std::pair{"credit-closed", node::Plant::kCreditClosed},
    std::pair{"reclaim-gives-tokens", node::Plant::kReclaimGivesTokens},
    std::pair{"reclaim-kept", node::Plant::kReclaimKept},
    std::pair{"stale-handover", node::Plant::kStaleHandover},
    std::pair{"resume-uncancelled", node::Plant::kResumeUncancelled},
    std::pair{"takeover-full", node::Plant::kTakeoverFull},
    std::pair{"home-from-receipt", node::Plant::kHomeFromReceipt},
    std::pair{"quantum-not-deducted", node::Plant::kQuantumNotDeducted},
    std::pair{"quantum-from-receipt", node::Plant::kQuantumFromReceipt},
    std::pair{"quantum-uncut", node::Plant::kQuantumUncut},
    std::pair{"quantum-returned-twice", node::Plant::kQuantumReturnedTwice},
    std::pair{"till-name-kept", node::Plant::kTillNameKept},
    std::pair{"handover-around-quanta", node::Plant::kHandoverAroundQuanta},
    std::pair{"let-go-and-spent", node::Plant::kLetGoAndSpent},
    std::pair{"refund-twice", node::Plant::kRefundTwice},
    std::pair{"refund-uncapped", node::Plant::kRefundUncapped},
    std::pair{"refund-used", node::Plant::kRefundUsed},
    std::pair{"spend-before-logged", node::Plant::kSpendBeforeLogged},
    std::pair{"credit-uncut", node::Plant::kCreditUncut},
    std::pair{"slow-from-full", node::Plant::kSlowFromFull},
    std::pair{"credits-kept", node::Plant::kCreditsKept},
    std::pair{"spent-while-changing", node::Plant::kSpentWhileChanging},
    std::pair{"slow-forgotten", node::Plant::kSlowForgotten},
    std::pair{"parts-still-out", node::Plant::kPartsStillOut},
    std::pair{"shrink-keeps-tokens", node::Plant::kShrinkKeepsTokens},
    std::pair{"grow-from-the-top", node::Plant::kGrowFromTheTop},
    std::pair{"borrow-above-kept", node::Plant::kBorrowAboveKept},
};

// Zipf over the machines: the first has the most clients.
double part_of(std::size_t machine) {
  double sum = 0;
  for (std::size_t i = 0; i < kMachines; ++i) {
    sum += 1.0 / static_cast<double>(i + 1);
  }
  return 1.0 / static_cast<double>(machine + 1) / sum;
}

bucket::LimitSpec per_key(const char* name, std::int64_t rate, std::int64_t burst) {
  bucket::LimitSpec spec;
  spec.name = name;
  spec.per_key = true;
  spec.rate = base::Rate::per_second(rate);
  spec.burst = Tokens::whole(burst);
  return spec;
}

void load_keys(World& world, const Trial& trial, TimePoint begin) {
  world.declare(per_key("users", kKeyRate, kKeyBurst));
  world.declare(per_key("busy", kBusyRate, kBusyBurst));
  world.declare(per_key("tenants", kTenantRate, kTenantRate));
  const auto load = [&](std::size_t machine, const char* limit, const char* key, double rate) {
    world.load({.machine = machine,
                .limit = limit,
                .key = key,
                .per_second = rate,
                .from = begin,
                .until = begin + trial.lasts});
  };
  for (std::size_t i = 0; i < kMachines; ++i) {
    for (const char* key : {"user0", "user1"}) {
      load(i, "users", key, kKeyRate * trial.overload / kMachines);
    }
    load(i, "busy", "hot", kBusyRate * trial.overload * part_of(i));
    // Never short: whoever spends of it while others mint it full is seen.
    if (i < 2) {
      load(i, "busy", "warm", kBusyRate * 0.3);
    }
    // It has a ledger of its own when the pause begins, and none when it ends.
    for (const auto& [from, until] : {std::pair{0, 8}, std::pair{22, 60}}) {
      world.load({.machine = i,
                  .limit = "tenants",
                  .key = "acme",
                  .per_second = kTenantRate * trial.overload / kMachines,
                  .from = begin + base::seconds(from),
                  .until = begin + std::min<Duration>(base::seconds(until), trial.lasts)});
    }
  }
}

constexpr const char* kUsers = "users";
constexpr const char* kBusy = "busy";
constexpr const char* kTokens = "tokens";  // shared
constexpr const char* kDaily = "daily";    // strict
constexpr const char* kMails = "mails";    // of few tokens

// Of few tokens, kept together or divided.
bucket::LimitSpec mails(bool divided) {
  bucket::LimitSpec spec = per_key(kMails, 12, 12);
  spec.per_key = false;
  spec.lend.max_share = divided ? 400 : bucket::LendSpec().max_share;
  return spec;
}

// Every kind of limit is reserved, alone and with others; the keys are also spent in the plain way.
void load_reserving(World& world, const Trial& trial, TimePoint begin) {
  bucket::LimitSpec tokens;
  tokens.name = kTokens;
  tokens.rate = base::Rate::per_second(10 * kKeyRate);
  tokens.burst = Tokens::whole(10 * kKeyBurst);
  world.declare(tokens);
  world.declare(per_key(kUsers, kKeyRate, kKeyBurst));
  world.declare(per_key(kBusy, kBusyRate, kBusyBurst));
  bucket::LimitSpec daily;
  daily.name = kDaily;
  daily.mode = bucket::Mode::kStrict;
  daily.rate = base::Rate::per_second(kKeyRate);
  daily.burst = Tokens::whole(kKeyBurst);
  world.declare(daily);
  world.declare(mails(false));
  for (std::size_t i = 0; i < kMachines; ++i) {
    const auto load = [&](World::Demand demand, double share) {
      demand.machine = i;
      demand.from = begin;
      demand.until = begin + trial.lasts;
      demand.reserve = share < 1;
      demand.per_second = share * trial.overload * kKeyRate / kMachines;
      world.load(demand);
    };
    load({.limit = kTokens, .cost = Tokens::whole(30)}, 0.3);
    load({.limit = kDaily, .cost = Tokens::whole(7)}, 0.1);
    load({.limit = kMails, .cost = Tokens::whole(4)}, 0.08);
    // Nodes get tokens of this key in advance.
    load({.limit = kBusy, .key = "hot"}, 4);
    load({.limit = kBusy, .key = "hot", .cost = Tokens::whole(12)}, 0.1);
    for (std::size_t k = 0; k < 2; ++k) {
      const std::string key = "user" + std::to_string(k);
      load({.limit = kUsers, .key = key}, 1);
      load({.limit = kUsers, .key = key, .cost = Tokens::whole(9)}, 0.08);
      World::Demand together{.limit = kUsers, .key = key, .cost = Tokens::whole(5)};
      together.with = {{.limit = kDaily, .cost = Tokens::whole(3)},
                       {.limit = kMails, .reserve = k == 1},
                       {.limit = kTokens, .cost = Tokens::whole(20), .reserve = k == 0}};
      load(together, 0.05);
    }
  }
}

// Everybody's high requests and a flood of low ones, that comes from one machine after the other;
// at times there are only those. High ones come in bursts, too.
void load_classes(World& world, const Trial& trial, TimePoint begin) {
  bucket::LimitSpec ranked;
  ranked.name = "ranked";
  ranked.rate = base::Rate::per_second(kKeyRate * 5);
  ranked.burst = Tokens::whole(kRate);
  ranked.priorities = {
      {.name = "high"}, {.name = "mid", .reserved = 200}, {.name = "low", .reserved = 500}};
  world.declare(ranked);
  const auto load = [&](std::size_t machine, const char* priority, double rate, Duration from,
                        Duration lasts) {
    world.load({.machine = machine % kMachines,
                .limit = ranked.name,
                .priority = priority,
                .per_second = rate,
                .from = begin + from,
                .until = begin + std::min(trial.lasts, from + lasts)});
  };
  constexpr Duration kTurn = base::seconds(5);
  std::size_t turn = 0;
  for (Duration from{0}; from < trial.lasts; from += kTurn, ++turn) {
    load(turn, "low", 600 * trial.overload, from, kTurn * 3 / 5);
    load(turn + 1, "high", 500 * trial.overload, from + kTurn * 2 / 5, kTurn / 5);
    load(turn + 2, "mid", 300 * trial.overload, from + kTurn / 5, kTurn * 2 / 5);
    load(turn + 3, "low", 200 * trial.overload, from, kTurn);
  }
  for (std::size_t i = 0; i < kMachines; ++i) {
    load(i, "high", 8, Duration{0}, trial.lasts);
  }
}

// A limit whose keys are logged ahead: one with more clients than tokens, one that stays nearly
// full.
bucket::LimitSpec slow_limit() {
  return per_key("slow", 5, 60);
}

void load_slow(World& world, TimePoint begin, Duration lasts) {
  world.declare(slow_limit());
  world.declare(mails(false));
  for (std::size_t i = 0; i < kMachines; ++i) {
    world.load(
        {.machine = i, .limit = kMails, .per_second = 2, .from = begin, .until = begin + lasts});
    for (const auto& [key, per_second] : {std::pair{"hot", 3.0}, {"warm", 1.2}, {"cool", 0.2}}) {
      world.load({.machine = i,
                  .limit = "slow",
                  .key = key,
                  .per_second = per_second,
                  .from = begin,
                  .until = begin + lasts});
    }
  }
}

// It stops being slow, is so again, is deleted and declared anew; few tokens are divided, kept
// together and divided again.
void change_slow(World& world, TimePoint begin, Duration lasts) {
  bucket::LimitSpec fast = slow_limit();
  fast.rate = base::Rate::per_second(20);
  if (world.run(begin + lasts * 2 / 8)) {
    world.change(mails(true));
  }
  if (world.run(begin + lasts * 3 / 8)) {
    world.change(fast);
  }
  if (world.run(begin + lasts * 4 / 8)) {
    world.change(mails(false));
  }
  if (world.run(begin + lasts * 5 / 8)) {
    world.change(slow_limit());
  }
  if (world.run(begin + lasts * 6 / 8)) {
    world.change(mails(true));
  }
  if (world.run(begin + lasts * 7 / 8)) {
    world.forget("slow");
  }
  if (world.run(begin + lasts * 7 / 8 + base::seconds(1))) {
    world.change(slow_limit());
  }
}

}  // namespace

Verdict try_cluster(const Trial& trial) {
  const wire::StoreCodec codec;
  WorldConfig config{.machines = kMachines + (trial.members ? 2 : 0),
                     .seed = trial.seed,
                     .bms_term = trial.bms_term,
                     .plant = trial.plant};
  if (trial.faults) {
    config.faults = all_faults(trial.seed);
  }
  World world(config, codec);
  bucket::LimitSpec limit;
  limit.name = "api";
  limit.rate = base::Rate::per_second(kRate);
  limit.burst = Tokens::whole(kRate);
  limit.on_isolated = trial.keep ? bucket::OnIsolated::kKeep : bucket::OnIsolated::kDeny;
  world.declare(limit);
  const TimePoint begin = world.now() + base::seconds(4);
  if (trial.reserve) {
    load_reserving(world, trial, begin);
  } else if (trial.classes) {
    load_classes(world, trial, begin);
  } else {
    load_keys(world, trial, begin);
  }
  for (std::size_t i = 0; i < kMachines && !trial.reserve && !trial.classes; ++i) {
    world.load({.machine = i,
                .limit = limit.name,
                .per_second = kRate * trial.overload * part_of(i),
                .from = begin,
                .until = begin + trial.lasts});
  }
  if (trial.slow) {
    load_slow(world, begin, trial.lasts);
    change_slow(world, begin, trial.lasts);
  }
  if (trial.members && world.run(begin + trial.lasts / 6)) {
    world.destroy(1);
    world.remove(1);
    if (world.run(begin + trial.lasts / 2)) {
      world.leave(2);
    }
  }
  Verdict verdict;
  if (world.run(begin + trial.lasts + base::seconds(2)) && trial.faults) {
    verdict.stalled = stalled_after_faults(world, limit);
  }
  verdict.broken = world.broken();
  verdict.held = verdict.broken.empty();
  verdict.totals = world.totals();
  return verdict;
}

std::optional<node::Plant> plant_named(const std::string& name) {
  for (const auto& [known, plant] : kPlants) {
    if (name == known) {
      return plant;
    }
  }
  return std::nullopt;
}

std::string plant_names() {
  std::string names;
  for (const auto& [name, plant] : kPlants) {
    names += names.empty() ? std::string(name) : ", " + std::string(name);
  }
  return names;
}

}  // namespace brigade::sim
