#include "bucket/waiting.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

using namespace brigade::bucket;
using namespace brigade::base;

namespace {

constexpr TimePoint kStart{};
constexpr TimePoint kLater = kStart + seconds(1);

Waiting request(std::uint64_t ticket, std::int64_t cost, std::size_t priority = 0,
                TimePoint deadline = kLater) {
  return {Ticket(ticket), Tokens::whole(cost), priority, deadline};
}

std::vector<WaitingClass> classes(std::vector<std::int64_t> weights) {
  std::vector<WaitingClass> result;
  for (const std::int64_t weight : weights) {
    result.push_back({weight, Tokens{}});
  }
  return result;
}

std::uint64_t popped(WaitingQueue& queue, std::int64_t level) {
  const auto got = queue.pop_ready(Tokens::whole(level));
  return got ? got->ticket.value() : 0;
}

}  // namespace

TEST_SUITE("bucket/waiting") {
  TEST_CASE("those who wait only for a loan are taken out together, others keep their turn") {
    WaitingQueue queue(classes({1, 1}), 10);
    for (std::uint64_t ticket = 1; ticket <= 5; ++ticket) {
      Waiting one = request(ticket, 3, ticket % 2);
      one.for_loan = ticket != 2 && ticket != 5;
      REQUIRE(queue.push(one));
    }
    CHECK(queue.for_loan() == 3);
    CHECK(queue.cancel(Ticket(3)));
    CHECK(queue.for_loan() == 2);
    std::vector<Waiting> out;
    queue.give_up_loans(Tokens::whole(3), out);
    CHECK(out.empty());  // as much may still come
    queue.give_up_loans(Tokens::whole(2), out);
    CHECK(out.size() == 2);
    CHECK(queue.for_loan() == 0);
    CHECK(queue.size() == 2);
    CHECK(queue.cost() == Tokens::whole(6));
    queue.check_invariants();
    CHECK(popped(queue, 3) == 2);
    CHECK(popped(queue, 3) == 5);
  }

  TEST_CASE("one class is first come first served, and a large request is not overtaken") {
    WaitingQueue queue(classes({1}), 10);
    CHECK(queue.push(request(1, 1)));
    CHECK(queue.push(request(2, 8)));
    CHECK(queue.push(request(3, 1)));
    CHECK(popped(queue, 5) == 1);
    CHECK(popped(queue, 5) == 0);
    CHECK(queue.front()->ticket == Ticket(2));
    CHECK(popped(queue, 8) == 2);
    CHECK(popped(queue, 8) == 3);
    CHECK(queue.empty());
  }

  TEST_CASE("tokens are gathered first for the class that the least is reserved from") {
    WaitingQueue queue({{1, Tokens::whole(50)}, {1, Tokens{}}}, 10);
    CHECK(queue.least_reserved() == nullptr);
    queue.push(request(1, 1, 0));
    CHECK(queue.least_reserved()->ticket == Ticket(1));
    queue.push(request(2, 3, 1));
    queue.push(request(3, 4, 1));
    CHECK(queue.front()->ticket == Ticket(1));
    CHECK(queue.least_reserved()->ticket == Ticket(2));
    CHECK(queue.cost_up_to(Tokens{}) == Tokens::whole(7));
    CHECK(queue.cost_up_to(Tokens::whole(50)) == queue.cost());
    CHECK(popped(queue, 3) == 2);
    CHECK(queue.cost_up_to(Tokens{}) == Tokens::whole(4));
  }

  TEST_CASE("a full queue refuses") {
    WaitingQueue queue(classes({1}), 2);
    CHECK(queue.push(request(1, 1)));
    CHECK(queue.push(request(2, 1)));
    CHECK_FALSE(queue.push(request(3, 1)));
    CHECK(queue.cancel(Ticket(1)));
    CHECK(queue.push(request(4, 1)));
    CHECK_FALSE(WaitingQueue(classes({1}), 0).push(request(1, 1)));
  }

  TEST_CASE("requests leave at their deadline, earliest first") {
    WaitingQueue queue(classes({1, 1}), 10);
    queue.push(request(1, 1, 0, kStart + milliseconds(30)));
    queue.push(request(2, 1, 1, kStart + milliseconds(10)));
    queue.push(request(3, 1, 0, kStart + milliseconds(20)));
    CHECK(queue.next_deadline() == kStart + milliseconds(10));
    std::vector<Waiting> expired;
    queue.expire(kStart + milliseconds(20), expired);
    REQUIRE(expired.size() == 2);
    CHECK(expired[0].ticket == Ticket(2));
    CHECK(expired[1].ticket == Ticket(3));
    CHECK(popped(queue, 5) == 1);
    CHECK(queue.next_deadline() == kNever);
    CHECK_FALSE(queue.cancel(Ticket(1)));
  }

  TEST_CASE("backlogged classes share tokens by weight, whatever their requests cost") {
    WaitingQueue queue(classes({1, 3, 6}), 20'000);
    Prng prng(1);
    std::uint64_t ticket = 0;
    for (int i = 0; i < 6000; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::int64_t cost = c == 2 ? prng.between(1, 20) : prng.between(1, 4);
        queue.push(request(++ticket, cost, c));
      }
    }
    std::vector<std::int64_t> served(3, 0);
    for (int i = 0; i < 4000; ++i) {
      const auto got = queue.pop_ready(Tokens::whole(100));
      served[got->priority] += got->cost.floor();
    }
    const std::int64_t all = served[0] + served[1] + served[2];
    CHECK(std::abs(served[0] * 10 - all) < all / 50);
    CHECK(std::abs(served[1] * 10 - all * 3) < all / 50);
    CHECK(std::abs(served[2] * 10 - all * 6) < all / 50);
  }

  TEST_CASE("an idle class saves up no turns") {
    WaitingQueue queue(classes({1, 1}), 1000);
    for (std::uint64_t t = 1; t <= 100; ++t) {
      queue.push(request(t, 1, 0));
    }
    for (int i = 0; i < 50; ++i) {
      popped(queue, 10);
    }
    for (std::uint64_t t = 101; t <= 200; ++t) {
      queue.push(request(t, 1, 1));
    }
    int of_first = 0;
    for (int i = 0; i < 20; ++i) {
      of_first += popped(queue, 10) <= 100 ? 1 : 0;
    }
    CHECK(of_first == 10);
  }

  TEST_CASE("a class held up by its reserve is passed only by classes with a smaller one") {
    std::vector<WaitingClass> two{{1, Tokens::whole(5)}, {1, Tokens{}}};
    WaitingQueue queue(two, 10);
    queue.push(request(1, 2, 0));
    queue.push(request(2, 2, 1));
    CHECK(popped(queue, 6) == 2);
    CHECK(popped(queue, 6) == 0);
    CHECK(popped(queue, 7) == 1);
  }

  TEST_CASE("a class that lacks tokens is not passed by a class with a larger reserve") {
    std::vector<WaitingClass> two{{1, Tokens{}}, {1, Tokens::whole(5)}};
    WaitingQueue queue(two, 10);
    queue.push(request(1, 9, 0));
    queue.push(request(2, 1, 1));
    CHECK(popped(queue, 8) == 0);
    CHECK(popped(queue, 9) == 1);
    CHECK(popped(queue, 6) == 2);
  }

  TEST_CASE("a class that was held up by its reserve does not come back with a claim on all") {
    std::vector<WaitingClass> two{{1, Tokens::whole(5)}, {1, Tokens{}}};
    WaitingQueue queue(two, 1000);
    for (std::uint64_t t = 1; t <= 100; ++t) {
      queue.push(request(t, 1, t % 2));
    }
    for (int i = 0; i < 30; ++i) {
      CHECK(popped(queue, 1) % 2 == 1);
    }
    int of_low = 0;
    for (int i = 0; i < 10; ++i) {
      of_low += popped(queue, 50) % 2 == 0 ? 1 : 0;
    }
    CHECK(of_low >= 4);
    CHECK(of_low <= 6);
    queue.set_floors(std::vector<Tokens>{Tokens{}, Tokens{}});
    CHECK(popped(queue, 1) != 0);
  }

  TEST_CASE("free requests pass at any level, in turn") {
    WaitingQueue queue(std::vector<WaitingClass>{{1, Tokens::whole(5)}}, 10);
    queue.push(request(1, 0));
    CHECK(popped(queue, 0) == 1);
  }

  TEST_CASE("random use: nothing is lost, served twice, or out of order within its class") {
    Prng prng(2);
    for (int run = 0; run < 40; ++run) {
      std::vector<WaitingClass> terms(1 + prng.below(4));
      for (WaitingClass& c : terms) {
        c = {prng.between(1, 9), Tokens::whole(prng.between(0, 5))};
      }
      WaitingQueue queue(terms, 30);
      std::map<Ticket, Waiting> model;
      TimePoint now = kStart;
      std::uint64_t ticket = 0;
      for (int i = 0; i < 500; ++i) {
        now += prng.between(Duration(0), milliseconds(5));
        const std::uint64_t what = prng.below(10);
        if (what < 5) {
          const Waiting one = request(++ticket, prng.between(0, 9), prng.below(terms.size()),
                                      now + prng.between(Duration(0), milliseconds(100)));
          if (queue.push(one)) {
            model.emplace(one.ticket, one);
          } else {
            REQUIRE(model.size() == 30);
          }
        } else if (what < 8) {
          const Tokens level = Tokens::whole(prng.between(0, 12));
          if (const auto got = queue.pop_ready(level)) {
            REQUIRE(model.at(got->ticket) == *got);
            REQUIRE((got->cost == Tokens{} || level - got->cost >= terms[got->priority].floor));
            REQUIRE(std::none_of(model.begin(), model.end(), [&](const auto& other) {
              return other.second.priority == got->priority && other.first < got->ticket;
            }));
            model.erase(got->ticket);
          }
        } else if (what == 8) {
          const Ticket any(prng.below(ticket + 1));
          REQUIRE(queue.cancel(any) == (model.erase(any) > 0));
        } else {
          std::vector<Waiting> expired;
          queue.expire(now, expired);
          for (const Waiting& one : expired) {
            REQUIRE(one.deadline <= now);
            REQUIRE(model.erase(one.ticket) == 1);
          }
        }
        REQUIRE(queue.size() == model.size());
        queue.check_invariants();
      }
    }
  }
}
