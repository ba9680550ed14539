// What a node believes of its peers: lenders in the peer book, leaders in the directory.
#include <doctest/doctest.h>

#include "node/directory.h"
#include "node/peer_book.h"

namespace brigade::node {
namespace {

base::TimePoint at(std::int64_t ms) {
  return base::TimePoint(base::milliseconds(ms));
}

TEST_CASE("lenders are those that said lately that they have something, most first") {
  PeerBook book({});
  const std::uint64_t limit = PeerBook::hash_of({.limit = "api", .key = {}});
  for (std::uint64_t peer = 1; peer <= 7; ++peer) {
    book.joined(NodeId(peer), {});
    book.free_tokens(NodeId(peer), limit, Tokens::whole(static_cast<std::int64_t>(peer)), at(0));
  }
  book.free_tokens(NodeId(7), limit, Tokens{}, at(10));
  const auto top = book.top_lenders(limit, NodeId(5), at(20));
  REQUIRE(top.size() == 4);
  CHECK(top[0].node == NodeId(6));
  CHECK(top[1].node == NodeId(4));  // 5 is who asks
  CHECK(book.top_lenders(limit, NodeId(), at(5000)).empty());
  CHECK(
      book.top_lenders(PeerBook::hash_of({.limit = "other", .key = {}}), NodeId(), at(20)).empty());
}

TEST_CASE("what a peer said itself lately is better than what others say of it") {
  PeerBook book({});
  const std::uint64_t limit = PeerBook::hash_of({.limit = "api", .key = {}});
  const auto free = [&](std::int64_t ms) {
    return book.candidates(limit, Tokens::whole(3), at(ms)).front().free;
  };
  book.joined(NodeId(1), {});
  CHECK(free(0) == Tokens::whole(3));  // presumed
  book.hearsay(NodeId(1), limit, Tokens::whole(50), at(0));
  CHECK(free(0) == Tokens::whole(50));
  book.free_tokens(NodeId(1), limit, Tokens::whole(20), at(10));
  book.hearsay(NodeId(1), limit, Tokens::whole(50), at(100));
  CHECK(free(100) == Tokens::whole(20));
  book.hearsay(NodeId(1), limit, Tokens::whole(60), at(500));
  CHECK(free(500) == Tokens::whole(60));
}

TEST_CASE("what peers may lend together is what they said lately and what was minted since") {
  PeerBook book({});
  const std::uint64_t limit = PeerBook::hash_of({.limit = "api", .key = {}});
  const Tokens anything = Tokens::micro(Tokens::kMaxMicro);
  const auto free = [&](std::int64_t now, std::int64_t more = 0) {
    return book.free_together(limit, Rate::per_second(10), at(now), at(now + more));
  };
  CHECK(free(0) == Tokens{});
  book.joined(NodeId(1), {});
  CHECK(free(0) == anything);  // nobody knows
  book.free_tokens(NodeId(1), limit, Tokens::whole(2), at(0));
  CHECK(free(0) == Tokens::whole(2));
  CHECK(free(100) == Tokens::whole(3));
  CHECK(free(100, 200) == Tokens::whole(5));
  CHECK(free(1000) == anything);
  book.joined(NodeId(2), {});
  book.free_tokens(NodeId(1), limit, Tokens::whole(3), at(1000));
  book.free_tokens(NodeId(2), limit, anything, at(1000));
  CHECK(free(1001) == anything);
  for (int i = 0; i < 5; ++i) {
    CHECK(book.admit(NodeId(2), at(1001)));
    book.failed(NodeId(2), at(1001));
  }
  CHECK(free(1100) == Tokens::whole(4));
}

TEST_CASE("what changed hands is summed up by peer") {
  PeerBook book({});
  book.joined(NodeId(1), {});
  book.lent(NodeId(1), Tokens::whole(5));
  book.lent(NodeId(1), Tokens::whole(2));
  book.borrowed(NodeId(1), Tokens::whole(3));
  book.lent(NodeId(2), Tokens::whole(9));  // a stranger
  CHECK(book.traded(NodeId(1)).lent == Tokens::whole(7));
  CHECK(book.traded(NodeId(1)).borrowed == Tokens::whole(3));
  CHECK(book.traded(NodeId(2)).lent == Tokens{});
}

TEST_CASE("news of strangers is ignored, and who left is forgotten") {
  PeerBook book({});
  const std::uint64_t limit = PeerBook::hash_of({.limit = "api", .key = {}});
  book.free_tokens(NodeId(1), limit, Tokens::whole(5), at(0));
  CHECK(book.empty());
  book.joined(NodeId(1), {});
  book.free_tokens(NodeId(1), limit, Tokens::whole(5), at(0));
  book.left(NodeId(1));
  CHECK(book.top_lenders(limit, NodeId(), at(0)).empty());
  CHECK_FALSE(book.admit(NodeId(1), at(0)));
}

TEST_CASE("what is kept of one peer is bounded by the limits heard of last") {
  PeerBook book({});
  book.joined(NodeId(1), {});
  for (std::uint64_t limit = 0; limit < 2 * PeerBook::kMaxLimitsPerPeer; ++limit) {
    book.free_tokens(NodeId(1), limit, Tokens::whole(1), at(static_cast<std::int64_t>(limit)));
  }
  const auto now = at(2 * PeerBook::kMaxLimitsPerPeer);
  CHECK(book.top_lenders(0, NodeId(), now).empty());
  CHECK(book.top_lenders(2 * PeerBook::kMaxLimitsPerPeer - 1, NodeId(), now).size() == 1);
}

TEST_CASE("a peer that fails five times in a row is not asked for a while") {
  PeerBook book({});
  book.joined(NodeId(1), {});
  for (int i = 0; i < 5; ++i) {
    CHECK(book.admit(NodeId(1), at(i)));
    book.failed(NodeId(1), at(i));
  }
  CHECK_FALSE(book.admit(NodeId(1), at(6)));
}

TEST_CASE("round trips are believed within bounds") {
  PeerBook book({});
  CHECK(book.rtt_p99() == std::chrono::microseconds(200));
  book.joined(NodeId(1), {});
  for (int i = 0; i < 100; ++i) {
    book.answered(NodeId(1), base::seconds(20), at(i));
  }
  CHECK(book.rtt_p99() <= base::milliseconds(500));
}

TEST_CASE("the directory believes the leader of the newest term and doubts on request") {
  Directory directory(2);
  CHECK_FALSE(directory.leader(ShardId(0)));
  CHECK(directory.heard(ShardId(0), NodeId(1), 5));
  CHECK_FALSE(directory.heard(ShardId(0), NodeId(2), 4));  // old news
  CHECK_FALSE(directory.heard(ShardId(0), NodeId(1), 5));  // no news
  CHECK(directory.leader(ShardId(0)) == NodeId(1));
  directory.doubt(ShardId(0), NodeId(2));  // not whom we believe in
  CHECK(directory.leader(ShardId(0)) == NodeId(1));
  directory.doubt(ShardId(0), NodeId(1));
  CHECK_FALSE(directory.leader(ShardId(0)));
  directory.heard(ShardId(0), NodeId(1), 5);
  CHECK(directory.leader(ShardId(0)) == NodeId(1));
  directory.left(NodeId(1));
  CHECK_FALSE(directory.leader(ShardId(0)));
}

TEST_CASE("a shard that does not exist changes nothing") {
  Directory directory(2);
  CHECK_FALSE(directory.heard(ShardId(2), NodeId(1), 5));
  directory.doubt(ShardId(9), NodeId(1));
  CHECK_FALSE(directory.leader(ShardId(9)));
}

TEST_CASE("who is not the leader is doubted, and whom it names is asked next") {
  Directory directory(2);
  directory.heard(ShardId(1), NodeId(1), 4);
  CHECK_FALSE(directory.redirected(ShardId(1), NodeId(1), NodeId(1)));
  CHECK(directory.leader(ShardId(1)) == NodeId());
  CHECK_FALSE(directory.redirected(ShardId(1), NodeId(1), NodeId()));
  CHECK(directory.redirected(ShardId(1), NodeId(1), NodeId(2)));
  CHECK(directory.leader(ShardId(1)) == NodeId(2));
  CHECK_FALSE(directory.redirected(ShardId(7), NodeId(1), NodeId(2)));  // no such shard
}

}  // namespace
}  // namespace brigade::node
