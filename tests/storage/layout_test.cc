#include "storage/layout.h"

#include <doctest/doctest.h>

#include "base/hex.h"
#include "base/prng.h"

using namespace brigade;
using namespace brigade::storage;

namespace {

raft::Entry change_entry() {
  return {.id = {.term = raft::Term(3), .index = raft::Index(7)},
          .kind = raft::EntryKind::kChange,
          .data = {},
          .change = {
              .transition = raft::Transition::kJointImplicit,
              .changes = {{.kind = raft::ChangeKind::kAddVoter, .replica = raft::ReplicaId(0x0102)},
                          {.kind = raft::ChangeKind::kRemove, .replica = raft::ReplicaId(5)}}}};
}

}  // namespace

TEST_SUITE("storage/layout") {
  TEST_CASE("keys of a log sort as their groups and indices do") {
    const base::ShardId one(1);
    const base::ShardId two(2);
    CHECK(log_key(one, raft::Index(255)) < log_key(one, raft::Index(256)));
    CHECK(log_key(one, raft::Index(~std::uint64_t{0})) < group_end(one));
    CHECK(group_end(one) <= log_key(two, raft::Index(0)));
    CHECK(state_key(one, std::string(200, '\xff')) < group_end(one));
  }

  TEST_CASE("golden bytes of keys and values") {
    CHECK(base::hex(group_key(kHardTag, base::ShardId(258))) == "6800000102");
    CHECK(base::hex(log_key(base::ShardId(1), raft::Index(2))) == "000000010000000000000002");
    CHECK(base::hex(encode(raft::HardState{
              .term = raft::Term(1), .vote = raft::ReplicaId(2), .commit = raft::Index(3)})) ==
          "010000000000000002000000000000000300000000000000");
    CHECK(base::hex(encode(change_entry())) ==
          "03000000000000000201"
          "000201000000000000"
          "020500000000000000");
    SnapshotMark mark{.last = {.term = raft::Term(4), .index = raft::Index(9)}, .conf = {}};
    mark.conf.voters = {raft::ReplicaId(1)};
    mark.conf.auto_leave = true;
    CHECK(base::hex(encode(mark)) ==
          "0400000000000000090000000000000001"
          "010000000100000000000000000000000000000000000000");
    CHECK(base::hex(seal("key", "value")) ==
          "76616c7565"
          "8312a75e298fad51");
  }

  TEST_CASE("a mark whose replicas are out of order or there twice is damaged") {
    SnapshotMark mark;
    mark.conf.voters = {raft::ReplicaId(1), raft::ReplicaId(2)};
    std::string bytes = encode(mark);
    CHECK(decode_mark(bytes).has_value());
    const std::size_t second = bytes.find('\2', bytes.find('\1'));
    bytes[second] = '\1';
    CHECK_FALSE(decode_mark(bytes).has_value());
    bytes[second] = '\0';
    CHECK_FALSE(decode_mark(bytes).has_value());
  }

  TEST_CASE("values survive a round trip") {
    const raft::Entry entry = change_entry();
    CHECK(decode_entry(entry.id.index, encode(entry)) == entry);
    raft::Entry command;
    command.id = {.term = raft::Term(1), .index = raft::Index(1)};
    CHECK(decode_entry(command.id.index, encode(command)) == command);
    command.data = base::Bytes(std::string("\0\xff data", 7));
    CHECK(decode_entry(command.id.index, encode(command)) == command);
  }

  TEST_CASE("a sealed value with any bit flipped, or under another key, is not believed") {
    const std::string sealed = seal("a key", "some value");
    CHECK(unseal("a key", sealed) == "some value");
    CHECK_FALSE(unseal("another key", sealed));
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      std::string bad = sealed;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      CHECK_FALSE(unseal("a key", bad));
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      CHECK_FALSE(unseal("a key", std::string_view(sealed).substr(0, size)));
    }
  }

  TEST_CASE("decoding any bytes ends, and what decodes encodes alike") {
    base::Prng dice(5);
    for (int round = 0; round < 20'000; ++round) {
      std::string bytes;
      for (std::uint64_t size = dice.below(48); size > 0; --size) {
        bytes.push_back(static_cast<char>(dice.chance(1, 2) ? dice.below(4) : dice.below(256)));
      }
      if (const auto entry = decode_entry(raft::Index(1), bytes)) {
        CHECK(encode(*entry) == bytes);
      }
      if (const auto mark = decode_mark(bytes)) {
        CHECK(encode(*mark) == bytes);
      }
      if (const auto hard = decode_hard(bytes)) {
        CHECK(encode(*hard) == bytes);
      }
    }
  }
}
