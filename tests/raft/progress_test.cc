#include "raft/progress.h"

#include <doctest/doctest.h>

namespace brigade::raft {
namespace {

Progress probing(std::uint64_t next) {
  return {Index(next), Inflights(2, 100), false};
}

TEST_CASE("a window is full by number or by bytes, and frees what is acknowledged") {
  Inflights window(2, 100);
  window.add(Index(1), 10);
  CHECK_FALSE(window.full());
  window.add(Index(5), 90);
  CHECK(window.full());
  window.free_through(Index(4));
  CHECK(window.count() == 1);
  CHECK_FALSE(window.full());
  window.add(Index(6), 20);
  CHECK(window.full());
  window.reset();
  CHECK_FALSE(window.full());
  window.add(Index(7), 99);
  CHECK_FALSE(window.full());  // no bytes leaked over the reset
}

TEST_CASE("a probe is one message at a time until it is answered") {
  Progress progress = probing(10);
  progress.sent_entries(1, 10);
  CHECK(progress.paused());
  CHECK_FALSE(progress.decrease(Index(4), Index(3)));  // another probe's answer
  CHECK(progress.paused());
  CHECK(progress.decrease(Index(9), Index(5)));
  CHECK(progress.next() == Index(6));
  CHECK_FALSE(progress.paused());
}

TEST_CASE("a stream falls back to what is known to match when it is refused") {
  Progress progress = probing(10);
  CHECK(progress.update(Index(9)));
  progress.become_replicate();
  progress.sent_entries(5, 10);
  CHECK(progress.next() == Index(15));
  CHECK_FALSE(progress.decrease(Index(9), Index(0)));  // stale: it matches that already
  CHECK(progress.decrease(Index(14), Index(9)));
  CHECK(progress.next() == Index(10));
}

TEST_CASE("old acknowledgements move nothing back") {
  Progress progress = probing(10);
  CHECK(progress.update(Index(9)));
  CHECK_FALSE(progress.update(Index(7)));
  CHECK(progress.match() == Index(9));
  CHECK(progress.next() == Index(10));
}

TEST_CASE("a snapshot under way pauses everything; a failed one starts from what matches") {
  const base::TimePoint now{base::seconds(7)};
  Progress progress = probing(10);
  progress.update(Index(3));
  progress.become_snapshot(Index(50), now);
  CHECK(progress.paused());
  CHECK(progress.snapshot_since() == now);
  CHECK(progress.next() == Index(51));
  Progress failed = progress;
  failed.snapshot_failed();
  CHECK(failed.next() == Index(4));
  progress.become_probe();  // delivered: probe right after it
  CHECK(progress.next() == Index(51));
}

TEST_CASE("read rounds are acknowledged forwards only") {
  Progress progress = probing(1);
  progress.ack_read(7);
  progress.ack_read(5);
  CHECK(progress.read_acked() == 7);
}

}  // namespace
}  // namespace brigade::raft
