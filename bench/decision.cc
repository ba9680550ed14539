// Row 3: what one decision costs in this process, beside an atomic compare-and-swap with a clock
// read. Rounds of each alternate. Prints one JSON object: nanoseconds per operation, by round, and
// how often memory was allocated while decisions were taken.
//
//   bench_decision [ROUNDS [TIMES [NAME]]]    only the contender of this name, to be profiled
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "allocations.h"
#include "api/redis_session.h"
#include "app/front_desk.h"
#include "solo_node.h"

namespace {

using namespace brigade;

constexpr int kPipeline = 16;
// Operations between two turns of the node, which are not measured: authority and session go on.
constexpr int kSlice = 8'000;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Keys that fill up in 10 s are spent in memory, slower ones are logged ahead.
constexpr std::int64_t kKeyRate = 100'000'000;
constexpr std::int64_t kSlowRate = 1000;

bucket::LimitSpec limit(const char* name, bool per_key, std::int64_t rate) {
  bucket::LimitSpec spec;
  spec.name = name;
  spec.rate = base::Rate::per_second(rate);
  spec.burst = base::Tokens::whole(1'000'000'000);
  spec.per_key = per_key;
  return spec;
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench decision: %s\n", what);
  std::exit(1);
}

// What a decision is measured against: the cheapest thing that could limit a rate.
void compare_and_swap(int times) {
  std::atomic<std::int64_t> level{std::int64_t{1} << 60};
  for (int i = 0; i < times; ++i) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    std::int64_t seen = level.load(std::memory_order_relaxed);
    if (!level.compare_exchange_strong(seen, seen - (now > 0 ? 1 : 2))) {
      fail("nobody else takes from this level");
    }
  }
}

// Decisions with one clock reading each: it ends the one before and begins the next.
template <class Decide>
void decide(host::Clock& clock, int times, const Decide& one) {
  base::Instant now = clock.now();
  for (int i = 0; i < times; ++i) {
    const auto decision = one(static_cast<node::Ticket>(i) + 2, now);
    now = clock.now();
    if (!decision || !decision->admitted() || now.fast >= decision->valid_until) {
      fail("a decision was no hit");
    }
  }
}

std::string throttle_commands() {
  std::string commands;
  for (int i = 0; i < kPipeline; ++i) {
    commands +=
        "*6\r\n$11\r\nCL.THROTTLE\r\n$3\r\nhot\r\n$9\r\n900000000\r\n$9\r\n100000000\r\n$1\r\n1\r\n"
        "$1\r\n1\r\n";
  }
  return commands;
}

// From the bytes of a command to those of its answer.
void answer_commands(api::RedisSession& session, const std::string& commands, int times) {
  for (int i = 0; i < times; i += kPipeline) {
    session.feed(commands);
    if (!session.output().starts_with("*5\r\n:0\r\n")) {
      fail("a command was not admitted");
    }
    session.output().clear();
  }
}

struct Contender {
  const char* name;
  std::function<void(int)> run;
};

void print(const std::map<std::string, std::vector<double>>& rounds, std::uint64_t allocated) {
  std::printf("{");
  for (const auto& [name, values] : rounds) {
    std::printf("\"%s\": [", name.c_str());
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::printf("%s%.2f", i == 0 ? "" : ", ", values[i]);
    }
    std::printf("], ");
  }
  std::printf("\"allocations\": %llu}\n", static_cast<unsigned long long>(allocated));
}

// Prints what each contender takes in every round; `turn` is the node's, between two slices.
void measure(const std::vector<Contender>& contenders, int rounds, int times,
             const std::function<void()>& turn) {
  std::map<std::string, std::vector<double>> taken;
  std::uint64_t allocated = 0;
  for (int round = 0; round < rounds; ++round) {
    for (const Contender& contender : contenders) {
      double lasted = 0;
      const int slices = (times + kSlice - 1) / kSlice;
      for (int slice = 0; slice < slices; ++slice) {
        turn();
        const std::uint64_t before = bench::allocations();
        const double begun = seconds_now();
        contender.run(kSlice);
        lasted += seconds_now() - begun;
        allocated += bench::allocations() - before;
      }
      taken[contender.name].push_back(lasted * 1e9 / slices / kSlice);
    }
  }
  print(taken, allocated);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 7;
  const int times = argc > 2 ? std::atoi(argv[2]) : 500'000;
  const std::string only = argc > 3 ? argv[3] : "";
  host::Clock clock;
  bench::SoloNode solo(clock);
  if (!solo.serve({limit("api", false, 1'000'000'000), limit("users", true, kKeyRate),
                   limit("quota", true, kSlowRate)})) {
    fail("the node did not come up");
  }
  node::Node& node = solo.node();
  app::FrontDesk desk(clock, {.touch = [] {},
                              .glance = [](base::TimePoint) {},
                              .sampled = [] { return std::vector<api::SampledFamily>(); }});
  desk.serve(node, {});
  const std::string info;
  api::RedisSession session(desk, info);
  const std::string commands = throttle_commands();
  const node::AcquireRequest shared{.limit = "api"};
  const node::AcquireRequest keyed{.limit = "users", .key = "alice"};
  const node::AcquireRequest slow{.limit = "quota", .key = "alice"};
  const node::ThrottleRequest throttled{.key = "hot", .max_burst = 900'000'000, .count = kKeyRate};
  const node::AcquireRequest half{
      .limit = "users", .key = "alice", .cost = base::Tokens::whole(500'000'000)};
  node::ThrottleRequest half_throttled = throttled;
  half_throttled.quantity = 450'000'000;
  std::vector<Contender> contenders{
      {"cas", [](int n) { compare_and_swap(n); }},
      {"acquire",
       [&](int n) {
         decide(clock, n, [&](auto ticket, auto now) { return node.acquire(shared, ticket, now); });
       }},
      {"keyed",
       [&](int n) {
         decide(clock, n, [&](auto ticket, auto now) { return node.acquire(keyed, ticket, now); });
       }},
      {"slow",
       [&](int n) {
         decide(clock, n, [&](auto ticket, auto now) { return node.acquire(slow, ticket, now); });
       }},
      {"throttle",
       [&](int n) {
         decide(clock, n,
                [&](auto ticket, auto now) { return node.throttle(throttled, ticket, now); });
       }},
      {"command", [&](int n) { answer_commands(session, commands, n); }}};

  // The first decisions on a key wait for its leader's authority; buffers grow to their size.
  const auto warm_until = clock.now() + base::milliseconds(300);
  while (clock.now() < warm_until) {
    (void)node.acquire(keyed, 1, clock.now());
    (void)node.acquire(slow, 1, clock.now());
    (void)node.throttle(throttled, 1, clock.now());
    solo.turn();
  }
  answer_commands(session, commands, kPipeline);

  // A full key is forgotten at the next sweep, and its next decision makes a bucket again.
  const auto turn = [&] {
    (void)node.acquire(half, 1, clock.now());
    (void)node.throttle(half_throttled, 1, clock.now());
    solo.turn();
  };
  if (!only.empty()) {
    std::erase_if(contenders, [&](const Contender& one) { return one.name != only; });
  }
  measure(contenders, rounds, times, turn);
  return 0;
}
