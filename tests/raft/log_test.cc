#include "raft/log.h"

#include <doctest/doctest.h>

namespace brigade::raft {
namespace {

Entry entry(std::uint64_t term, std::uint64_t index) {
  return {.id = {.term = Term(term), .index = Index(index)}, .data = base::Bytes("x")};
}
EntryId id(std::uint64_t term, std::uint64_t index) {
  return {.term = Term(term), .index = Index(index)};
}
Snapshot snapshot(std::uint64_t term, std::uint64_t index) {
  return {.last = id(term, index), .conf = {}, .state = {}};
}
// Snapshot up to 1/2, then 1/3, 1/4, 2/5; committed and applied up to 3.
Log three() {
  return {snapshot(1, 2), {entry(1, 3), entry(1, 4), entry(2, 5)}, Index(3), Index(3)};
}

TEST_CASE("a log knows the terms of what it keeps and of the entry before") {
  const Log log = three();
  CHECK(log.first() == Index(3));
  CHECK(log.last() == Index(5));
  CHECK_FALSE(log.term(Index(1)));
  CHECK(log.term(Index(2)) == Term(1));
  CHECK(log.term(Index(5)) == Term(2));
  CHECK_FALSE(log.term(Index(6)));
}

TEST_CASE("a log is good enough by term first, then by length") {
  const Log log = three();
  CHECK(log.up_to_date(id(3, 1)));
  CHECK(log.up_to_date(id(2, 5)));
  CHECK_FALSE(log.up_to_date(id(2, 4)));
  CHECK_FALSE(log.up_to_date(id(1, 99)));
}

TEST_CASE("an append that does not meet the log changes nothing") {
  Log log = three();
  CHECK_FALSE(log.try_append(id(2, 6), {entry(2, 7)}, false));
  CHECK_FALSE(log.try_append(id(1, 5), {entry(3, 6)}, false));
  CHECK(log.last() == Index(5));
}

TEST_CASE("entries that are there already truncate nothing") {
  Log log = three();
  CHECK(log.try_append(id(1, 3), {entry(1, 4)}, false));
  CHECK(log.last() == Index(5));  // 2/5 stays, though the message ended at 4
}

TEST_CASE("a conflict truncates from the first entry that differs, and forgets its durability") {
  Log log = three();
  CHECK(log.durable() == Index(5));
  CHECK(log.try_append(id(1, 3), {entry(1, 4), entry(3, 5), entry(3, 6)}, false));
  CHECK(log.last_id() == id(3, 6));
  CHECK(log.durable() == Index(4));
  const auto offered = log.take_unoffered();
  REQUIRE(offered.size() == 2);
  CHECK(offered[0].id == id(3, 5));
}

TEST_CASE("a late report about overwritten entries makes nothing durable") {
  Log log = three();
  REQUIRE(log.try_append(id(1, 4), {entry(3, 5)}, false));
  (void)log.take_unoffered();
  log.durable_to(id(2, 5));
  CHECK(log.durable() == Index(4));
  log.durable_to(id(3, 5));
  CHECK(log.durable() == Index(5));
}

TEST_CASE("a hint skips a whole conflicting term") {
  const Log log(snapshot(1, 1), {entry(1, 2), entry(2, 3), entry(2, 4), entry(2, 5)}, Index(1),
                Index(1));
  CHECK(log.conflict_hint(Index(5), Term(1)) == id(1, 2));
  CHECK(log.conflict_hint(Index(5), Term(2)) == id(2, 5));
}

TEST_CASE("a slice holds at least one entry and no more bytes than asked for") {
  const Log log = three();
  CHECK(log.slice(Index(3), Index(5), 2).size() == 2);
  CHECK(log.slice(Index(3), Index(5), 0).size() == 1);
  CHECK(log.slice(Index(6), Index(9), 10).empty());
}

TEST_CASE("compaction keeps the term of the last entry dropped") {
  Log log = three();
  log.snapshot_taken(std::make_shared<const Snapshot>(snapshot(1, 3)));
  log.compact(Index(3));
  CHECK(log.first() == Index(4));
  CHECK(log.matches(id(1, 3)));
  log.compact(Index(2));  // already gone
  CHECK(log.first() == Index(4));
  log.check_invariants();
}

TEST_CASE("a received snapshot replaces the log, and is current once it is durable") {
  Log log = three();
  log.restore(std::make_shared<const Snapshot>(snapshot(4, 90)));
  CHECK(log.last() == Index(90));
  CHECK(log.committed() == Index(90));
  CHECK(log.has_incoming_snapshot());
  REQUIRE(log.take_unoffered_snapshot());
  CHECK_FALSE(log.take_unoffered_snapshot());  // handed over once
  CHECK(log.snapshot()->last == id(1, 2));
  log.snapshot_durable(Index(90));
  CHECK(log.snapshot()->last == id(4, 90));
  CHECK_FALSE(log.has_incoming_snapshot());
}

}  // namespace
}  // namespace brigade::raft
