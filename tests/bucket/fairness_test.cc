#include "bucket/fairness.h"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "bucket/karma.h"

using namespace brigade::bucket;
using namespace brigade::base;

namespace {

using Amounts = std::vector<std::int64_t>;

std::int64_t total(const std::vector<Tokens>& parts) {
  std::int64_t sum = 0;
  for (const Tokens part : parts) {
    sum += part.micro();
  }
  return sum;
}

// 32 nodes of equal mean demand, half of them steady and half bursty: what each got in the end.
Amounts divide_bursty_load(bool with_karma) {
  constexpr std::size_t kNodes = 32;
  Prng prng(9);
  KarmaBook book(500);
  Amounts got(kNodes, 0);
  const Tokens capacity = Tokens::whole(100 * kNodes);
  for (int quantum = 0; quantum < 600; ++quantum) {
    std::vector<KarmaBook::Member> members;
    std::vector<Part> parts;
    for (std::size_t i = 0; i < kNodes; ++i) {
      const bool bursty = i % 2 == 1;
      const std::int64_t demand = bursty ? (prng.chance(1, 4) ? 480 : 0) : 120;
      members.push_back({NodeId(i + 1), 1, Tokens::whole(demand)});
      parts.push_back({0, Tokens::whole(demand).micro(), 1});
    }
    if (with_karma) {
      const std::vector<Tokens> mine = book.divide(members, capacity);
      for (std::size_t i = 0; i < kNodes; ++i) {
        got[i] += mine[i].micro();
      }
      book.check_invariants();
    } else {
      const Amounts mine = water_fill(parts, capacity.micro());
      for (std::size_t i = 0; i < kNodes; ++i) {
        got[i] += mine[i];
      }
    }
  }
  return got;
}

}  // namespace

TEST_SUITE("bucket/fairness") {
  TEST_CASE("Jain's index is 1 for equals and 1/n for a monopoly") {
    CHECK(jain(Amounts{}) == 1000);
    CHECK(jain(Amounts{0, 0}) == 1000);
    CHECK(jain(Amounts{7, 7, 7}) == 1000);
    CHECK(jain(Amounts{7, 0, 0, 0}) == 250);
    CHECK(jain(Amounts{1, 2, 3}) == 857);
    const std::int64_t large = std::int64_t{1} << 60;
    CHECK(jain(Amounts(1000, large)) == 1000);
    CHECK(jain(Amounts{large, 0}) == 500);
  }

  TEST_CASE("Jain's index agrees with floating point") {
    Prng prng(1);
    for (int i = 0; i < 5000; ++i) {
      Amounts amounts(1 + prng.below(20));
      double sum = 0;
      double squares = 0;
      for (std::int64_t& amount : amounts) {
        amount = prng.between(0, 1'000'000'000'000'000);
        sum += static_cast<double>(amount);
        squares += static_cast<double>(amount) * static_cast<double>(amount);
      }
      const double expected = 1000 * sum * sum / (squares * static_cast<double>(amounts.size()));
      REQUIRE(std::abs(jain(amounts) - expected) <= 1.001);
    }
  }

  TEST_CASE("the max-min gap is the worst shortfall") {
    const std::vector<Part> parts{{0, 10, 1}, {0, 100, 1}, {0, 100, 1}};
    CHECK(max_min_gap(parts, Amounts{10, 45, 45}, 100) == 0);
    CHECK(max_min_gap(parts, Amounts{10, 60, 30}, 100) == 333);
    CHECK(max_min_gap(parts, Amounts{0, 50, 50}, 100) == 1000);
  }

  TEST_CASE("lend imbalance") {
    CHECK(lend_imbalance({}) == 0);
    CHECK(lend_imbalance({Tokens::whole(5), Tokens::whole(5)}) == 0);
    CHECK(lend_imbalance({Tokens::whole(5), Tokens{}}) == 1000);
    CHECK(lend_imbalance({Tokens::whole(1), Tokens::whole(3)}) == 500);
  }

  TEST_CASE("proportional caps refuse everybody alike and sum to the surplus at most") {
    CHECK(proportional_cap(Tokens::whole(50), {Tokens::whole(40), Tokens::whole(100)}) ==
          Tokens::whole(20));
    CHECK(proportional_cap(Tokens::whole(50), {Tokens::whole(40), Tokens::whole(45)}) ==
          Tokens::whole(40));
    CHECK(proportional_cap(Tokens::whole(50), {Tokens::whole(80), Tokens::whole(10)}) <=
          Tokens::whole(50));
    CHECK(proportional_cap(Tokens{}, {Tokens::whole(80), Tokens::whole(80)}) == Tokens{});
    Prng prng(2);
    for (int i = 0; i < 5000; ++i) {
      std::vector<Tokens> wants(1 + prng.below(8));
      Tokens all;
      for (Tokens& want : wants) {
        want = Tokens::micro(prng.between(0, 1000));
        all += want;
      }
      const Tokens surplus = Tokens::micro(prng.between(0, 3000));
      Tokens given;
      for (const Tokens want : wants) {
        const Tokens cap = proportional_cap(surplus, {want, all});
        REQUIRE(cap <= want);
        given += cap;
      }
      REQUIRE(given <= surplus);
    }
  }
}

TEST_SUITE("bucket/karma") {
  TEST_CASE("pouring fills the lowest first, exactly") {
    CHECK(pour(Amounts{0, 5, 9}, Amounts{10, 10, 10}, 7) == Amounts{6, 1, 0});
    CHECK(pour(Amounts{0, 0}, Amounts{2, 10}, 7) == Amounts{2, 5});
    CHECK(pour(Amounts{-4, 3}, Amounts{10, 10}, 100) == Amounts{10, 10});
    CHECK(pour(Amounts{}, Amounts{}, 5).empty());
    Prng prng(3);
    for (int i = 0; i < 5000; ++i) {
      Amounts levels(1 + prng.below(6));
      Amounts depths(levels.size());
      for (std::size_t j = 0; j < levels.size(); ++j) {
        levels[j] = prng.between(-20, 20);
        depths[j] = prng.between(0, 20);
      }
      const std::int64_t amount = prng.between(0, 100);
      // Naive: one unit at a time into the lowest vessel that is not full, the first of equals.
      Amounts naive(levels.size(), 0);
      for (std::int64_t unit = 0; unit < amount; ++unit) {
        std::size_t lowest = levels.size();
        for (std::size_t j = 0; j < levels.size(); ++j) {
          if (naive[j] < depths[j] &&
              (lowest == levels.size() || levels[j] + naive[j] < levels[lowest] + naive[lowest])) {
            lowest = j;
          }
        }
        if (lowest < levels.size()) {
          ++naive[lowest];
        }
      }
      REQUIRE(pour(levels, depths, amount) == naive);
    }
  }

  TEST_CASE("nothing wanted is left idle, and nobody gets more than it wants") {
    Prng prng(4);
    KarmaBook book(300);
    for (int i = 0; i < 3000; ++i) {
      std::vector<KarmaBook::Member> members;
      std::int64_t wanted = 0;
      const std::uint64_t n = 1 + prng.below(8);
      for (std::uint64_t j = 1; j <= n; ++j) {
        members.push_back({NodeId(j), prng.between(1, 5), Tokens::micro(prng.between(0, 5000))});
        wanted += members.back().demand.micro();
      }
      const Tokens supply = Tokens::micro(prng.between(0, 20'000));
      const std::vector<Tokens> parts = book.divide(members, supply);
      REQUIRE(total(parts) == std::min(wanted, supply.micro()));
      for (std::size_t j = 0; j < members.size(); ++j) {
        REQUIRE(parts[j] <= members[j].demand);
      }
      if (prng.chance(1, 10)) {
        book.leave(NodeId(1 + prng.below(8)));
      }
      book.check_invariants();
    }
  }

  TEST_CASE("who lent first is served first later") {
    KarmaBook book(1000);
    const Tokens capacity = Tokens::whole(20);
    const auto quantum = [&](std::int64_t one, std::int64_t two) {
      return book.divide(std::vector<KarmaBook::Member>{{NodeId(1), 1, Tokens::whole(one)},
                                                        {NodeId(2), 1, Tokens::whole(two)}},
                         capacity);
    };
    quantum(0, 20);  // 1 lends its 10
    CHECK(book.balance(NodeId(1)) == Tokens::whole(10));
    CHECK(book.balance(NodeId(2)) == Tokens::whole(-10));
    CHECK(book.lend_rank(NodeId(1)) == -1000);
    CHECK(book.lend_rank(NodeId(2)) == 1000);
    // A third one donates; the richer borrows it.
    const std::vector<Tokens> parts =
        book.divide(std::vector<KarmaBook::Member>{{NodeId(1), 1, Tokens::whole(20)},
                                                   {NodeId(2), 1, Tokens::whole(20)},
                                                   {NodeId(3), 1, Tokens{}}},
                    Tokens::whole(30));
    CHECK(parts[0] == Tokens::whole(20));
    CHECK(parts[1] == Tokens::whole(10));
  }

  TEST_CASE("newcomers start with the mean, loans move credit between two") {
    KarmaBook book;
    book.join(NodeId(1));
    book.join(NodeId(2));
    book.traded(NodeId(1), Tokens::whole(8), Tokens{});
    book.traded(NodeId(2), Tokens{}, Tokens::whole(8));
    CHECK(book.balance(NodeId(1)) == Tokens::whole(8));
    CHECK(book.balance(NodeId(2)) == Tokens::whole(-8));
    book.leave(NodeId(2));
    book.join(NodeId(3));
    CHECK(book.balance(NodeId(3)) == Tokens::whole(8));
    CHECK(book.balance(NodeId(9)) == Tokens{});
    CHECK(book.lend_rank(NodeId(9)) == 0);
    book.check_invariants();
  }

  TEST_CASE("over time bursty nodes get as much as steady ones, unlike by max-min alone") {
    const Amounts max_min = divide_bursty_load(false);
    const Amounts karma = divide_bursty_load(true);
    const auto sum_of = [](const Amounts& got) {
      return std::accumulate(got.begin(), got.end(), std::int64_t{0});
    };
    CHECK(sum_of(karma) >= sum_of(max_min));
    CHECK(jain(karma) > jain(max_min));
    CHECK(jain(karma) >= 998);
  }
}
