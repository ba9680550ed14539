#include "node/reservations.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

const LedgerId kBucket{.limit = "tokens", .key = {1, 2}};

Tokens whole(std::int64_t tokens) {
  return Tokens::whole(tokens);
}
KeyHash id(std::uint64_t number) {
  return {number, 7};
}

class Book {
 public:
  explicit Book(std::size_t most = 10) : all(most, true, Plant::kNone) {}
  void reserve(std::uint64_t number, std::int64_t cost, std::int64_t ms = 0) {
    all.add({.id = id(number),
             .bucket = kBucket,
             .since = base::milliseconds(ms),
             .reserved = whole(cost),
             .refundable = whole(cost)});
    all.check_invariants();
  }
  // The bucket's size less its level.
  void room(std::int64_t tokens) {
    all.cut(kBucket.limit, kBucket.key, whole(tokens));
    all.check_invariants();
  }
  Reservations::Settlement settle(std::uint64_t number, std::int64_t actual) {
    const auto settled = all.settle(id(number), whole(actual));
    all.check_invariants();
    return settled;
  }
  [[nodiscard]] Tokens refundable() const { return all.refundable(kBucket.limit, kBucket.key); }

  Reservations all;
};

TEST_CASE("what was not used is refunded, at most what was reserved") {
  Book book;
  book.reserve(1, 10);
  book.reserve(2, 5);
  CHECK(book.refundable() == whole(15));
  CHECK(book.settle(1, 4).back == whole(6));
  CHECK(book.settle(2, 9).back == Tokens{});
  CHECK(book.refundable() == Tokens{});
}

TEST_CASE(
    "a settlement that is repeated is told the same and moves nothing; another is a conflict") {
  Book book;
  book.reserve(1, 10);
  CHECK(book.settle(1, 4).told == Settled{.conflict = false, .refunded = whole(6)});
  const auto again = book.settle(1, 4);
  CHECK(again.told == Settled{.conflict = false, .refunded = whole(6)});
  CHECK(again.back == Tokens{});
  CHECK(book.settle(1, 3).told.conflict);
  CHECK(book.settle(1, 3).back == Tokens{});
}

TEST_CASE("a bucket that fills up eats into the oldest reservation first") {
  Book book;
  book.reserve(1, 10, 5);
  book.reserve(2, 10, 6);
  book.room(12);
  CHECK(book.all.find(id(1))->refundable == whole(2));
  CHECK(book.all.find(id(2))->refundable == whole(10));
  book.room(7);
  CHECK(book.settle(1, 0).back == Tokens{});
  CHECK(book.settle(2, 0).back == whole(7));
}

TEST_CASE("a bucket beyond its size leaves nothing refundable") {
  Book book;
  book.reserve(1, 10);
  book.room(-3);
  CHECK(book.refundable() == Tokens{});
  CHECK(book.settle(1, 0).told == Settled{});
}

TEST_CASE("other buckets' reservations are not touched") {
  Book book;
  book.reserve(1, 10);
  book.all.cut("tokens", {1, 3}, Tokens{});
  book.all.cut("token", {1, 2}, Tokens{});
  CHECK(book.refundable() == whole(10));
  CHECK(book.all.keys_of("tokens") == std::vector<KeyHash>{kBucket.key});
  CHECK(book.all.keys_of("token").empty());
}

TEST_CASE("beyond the bound the oldest is forgotten, and so is what is older than the window") {
  Book book(2);
  book.reserve(1, 10, 1);
  book.reserve(2, 10, 2);
  book.reserve(3, 10, 3);
  CHECK(book.all.find(id(1)) == nullptr);
  CHECK(book.refundable() == whole(20));
  book.all.expire(Reservations::kWindow + base::milliseconds(3));
  CHECK(book.all.find(id(2)) == nullptr);
  CHECK(book.all.find(id(3)) != nullptr);
  book.all.check_invariants();
}

TEST_CASE("one that was called off stays so") {
  Book book;
  book.all.call_off(id(1), kBucket, whole(3), base::seconds(1));
  book.reserve(1, 10, 2000);
  CHECK(book.refundable() == Tokens{});
  CHECK(book.all.find(id(1))->reserved == Tokens{});
  CHECK(book.settle(1, 3).told == Settled{});
}

TEST_CASE("a deleted limit takes its reservations with it") {
  Book book;
  book.reserve(1, 10);
  book.all.forget_limit("tokens");
  CHECK(book.all.empty());
  CHECK(book.refundable() == Tokens{});
}

TEST_CASE("every change can be written down") {
  Book book;
  book.reserve(1, 10);
  book.room(8);
  book.settle(1, 5);
  book.all.forget(id(1));
  const auto changes = book.all.take_changes();
  REQUIRE(changes.size() == 4);
  CHECK(changes[1].reservation.refundable == whole(8));
  CHECK(changes[2].reservation.settled);
  CHECK(changes[3].dropped);
  CHECK(book.all.take_changes().empty());
}

TEST_CASE("what cannot be is told from what can") {
  Reservation one{.reserved = whole(1), .refundable = whole(1)};
  CHECK(consistent(one));
  one.settled = true;
  CHECK_FALSE(consistent(one));
  CHECK_FALSE(consistent({.reserved = whole(1), .refundable = whole(2)}));
}

}  // namespace
}  // namespace brigade::node
