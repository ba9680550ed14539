#include "node/borrowers.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

using bucket::Fairness;
const base::TimePoint kNow{base::seconds(5)};
const NodeId kA(1);
const NodeId kB(2);
const NodeId kC(3);

Borrowers three() {
  Borrowers borrowers;
  borrowers.asked(kA, {.want = Tokens::whole(10)}, kNow);
  borrowers.asked(kB, {.want = Tokens::whole(30)}, kNow);
  borrowers.asked(kC, {.want = Tokens::whole(60)}, kNow);
  return borrowers;
}

TEST_CASE("alone, a borrower may have the whole surplus") {
  Borrowers borrowers;
  borrowers.asked(kA, {.want = Tokens::whole(80)}, kNow);
  for (const Fairness fairness : {Fairness::kProportional, Fairness::kMaxMin, Fairness::kKarma}) {
    CHECK(borrowers.part(kA, Tokens::whole(50), fairness, kNow) == Tokens::whole(50));
  }
}

TEST_CASE("proportional parts refuse everybody the same fraction") {
  const Borrowers borrowers = three();
  const auto part = [&](NodeId id) {
    return borrowers.part(id, Tokens::whole(50), Fairness::kProportional, kNow);
  };
  CHECK(part(kA) == Tokens::whole(5));
  CHECK(part(kB) == Tokens::whole(15));
  CHECK(part(kC) == Tokens::whole(30));
}

TEST_CASE("max-min parts are equal as far as they are wanted") {
  const Borrowers borrowers = three();
  const auto part = [&](NodeId id) {
    return borrowers.part(id, Tokens::whole(50), Fairness::kMaxMin, kNow);
  };
  CHECK(part(kA) == Tokens::whole(10));
  CHECK(part(kB) == Tokens::whole(20));
  CHECK(part(kC) == Tokens::whole(20));
}

TEST_CASE("karma gives those with credit more") {
  Borrowers borrowers;
  borrowers.asked(kA, {.want = Tokens::whole(50), .rank = -500}, kNow);
  borrowers.asked(kB, {.want = Tokens::whole(50), .rank = 500}, kNow);
  const Tokens rich = borrowers.part(kA, Tokens::whole(50), Fairness::kKarma, kNow);
  const Tokens poor = borrowers.part(kB, Tokens::whole(50), Fairness::kKarma, kNow);
  CHECK(rich > poor);
  CHECK(rich + poor <= Tokens::whole(50));
}

TEST_CASE("who asked long ago wants nothing any more") {
  Borrowers borrowers = three();
  const auto later = kNow + Borrowers::kWindow + base::milliseconds(1);
  borrowers.asked(kC, {.want = Tokens::whole(60)}, later);
  CHECK(borrowers.part(kC, Tokens::whole(50), Fairness::kProportional, later) == Tokens::whole(50));
}

TEST_CASE("more borrowers than are remembered are served as they come") {
  Borrowers borrowers;
  for (std::uint64_t i = 1; i <= Borrowers::kMax + 1; ++i) {
    borrowers.asked(NodeId(i), {.want = Tokens::micro(Tokens::kMaxMicro)}, kNow);
  }
  const NodeId last(Borrowers::kMax + 1);
  CHECK(borrowers.part(last, Tokens::whole(64), Fairness::kMaxMin, kNow) == Tokens::whole(64));
  CHECK(borrowers.part(kA, Tokens::whole(64), Fairness::kMaxMin, kNow) == Tokens::whole(1));
  CHECK(borrowers.part(kA, Tokens::whole(64), Fairness::kProportional, kNow) <= Tokens::whole(64));
}

}  // namespace
}  // namespace brigade::node
