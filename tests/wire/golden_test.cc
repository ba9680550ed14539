// The bytes themselves: what one version wrote, the next must read. A change here breaks clusters
// that are upgraded node by node, and data directories.
#include <doctest/doctest.h>

#include "base/hex.h"
#include "tests/wire/reflection.h"
#include "wire/gossip_codec.h"
#include "wire/peer_codec.h"
#include "wire/publish_codec.h"
#include "wire/store_codec.h"

using namespace brigade;
using namespace brigade::wire;

TEST_SUITE("wire/golden") {
  TEST_CASE("a command") {
    const node::Command command = node::ChangeShares{
        .stamp = base::Duration(258),
        .changes = {node::GrowShare{.ledger = {.limit = "api", .key = {.high = 1, .low = 2}},
                                    .account = node::Account(3),
                                    .more_rate = base::Rate::nano_per_second(4),
                                    .more_size = base::Tokens::micro(5),
                                    .tokens = base::Tokens::micro(6)}}};
    CHECK(base::hex(StoreCodec().encode(command)) ==
          "1010500101010350010103020111013751040501010301040105010201065002"
          "010101010211012207617069");
  }

  TEST_CASE("a record") {
    const node::StateRecord record = node::LedgerRecord{
        .id = {.limit = "api", .key = {}},
        .ledger = node::Ledger(
            base::Rate::nano_per_second(100), base::Tokens::micro(50),
            node::Pool{.rate = base::Rate::nano_per_second(-1), .size = base::Tokens::micro(2)},
            {{node::Account(7), node::Share{.rate = base::Rate::nano_per_second(101),
                                            .size = base::Tokens::micro(48),
                                            .granted = base::Tokens::micro(9),
                                            .epoch = node::Epoch(8)}}})};
    CHECK(base::hex(StoreCodec().encode(record)) ==
          "1018500101010450060201640132ffffffffffffffffff000102000151040201"
          "111147000111012207617069110408010701650130010901080002");
  }

  TEST_CASE("a message of a node") {
    const node::PeerMessage message =
        node::Borrow{.ledger = {.limit = "api", .key = {.high = 7, .low = 8}},
                     .version = node::Version(1),
                     .account = node::Account(2),
                     .seq = 3,
                     .want = base::Tokens::micro(4),
                     .min = base::Tokens::micro(5),
                     .priority = 6,
                     .by_hand = true};
    CHECK(base::hex(encode(message)) ==
          "000000000e000000000000000100010000000000090000000000000006000100"
          "0100000000000000020000000000000003000000000000000400000000000000"
          "0500000000000000060100000000000000000000020001000700000000000000"
          "080000000000000001000000220000006170690000000000");
  }

  TEST_CASE("tokens in advance") {
    CHECK(base::hex(encode(node::PeerMessage(
              node::QuantumAsk{.shard = base::ShardId(1),
                               .ticket = 2,
                               .ledger = {.limit = "api", .key = {.high = 3, .low = 4}},
                               .till = 5,
                               .hold = {.term = 6, .number = 7},
                               .spent = base::Tokens::micro(8),
                               .want = base::Tokens::micro(9),
                               .least = base::Tokens::micro(10),
                               .closing = true}))) ==
          "0000000011000000000000000100010000000000180000000000000008000200"
          "0100000001000000020000000000000005000000000000000600000000000000"
          "0700000000000000080000000000000009000000000000000a00000000000000"
          "0400000002000100000000000000000003000000000000000400000000000000"
          "01000000220000006170690000000000");
    CHECK(base::hex(encode(node::PeerMessage(node::Quantum{.ticket = 1,
                                                           .hold = {.term = 2, .number = 3},
                                                           .granted = base::Tokens::micro(4),
                                                           .lasts = base::Duration(5),
                                                           .recalled = true}))) ==
          "0000000009000000000000000100010000000000190000000000000006000000"
          "0100000000000000020000000000000003000000000000000400000000000000"
          "05000000000000000100000000000000");
  }

  TEST_CASE("a part of a snapshot") {
    node::SnapshotPart part{.shard = base::ShardId(9),
                            .from = raft::ReplicaId(4),
                            .to = raft::ReplicaId(5),
                            .term = raft::Term(6),
                            .last = {.term = raft::Term(2), .index = raft::Index(3)},
                            .size = 8,
                            .offset = 4,
                            .bytes = base::Bytes("data")};
    part.conf.voters = {raft::ReplicaId(4)};
    part.conf.learners = {raft::ReplicaId(5)};
    CHECK(base::hex(encode(node::PeerMessage(part))) ==
          "0000000016000000000000000100010000000000140000000000000006000300"
          "0900000000000000040000000000000005000000000000000600000000000000"
          "0800000000000000040000000000000008000000020000000c00000001000400"
          "2500000022000000020000000000000003000000000000000000000000000000"
          "0d0000000d0000000d00000005000000090000000d0000000900000005000000"
          "040000000000000005000000000000006461746100000000");
  }

  TEST_CASE("a reservation and its settlement") {
    CHECK(base::hex(StoreCodec().encode(node::StateRecord(
              node::Reservation{.id = {.high = 1, .low = 2},
                                .bucket = {.limit = "api", .key = {.high = 3, .low = 4}},
                                .since = base::Duration(5),
                                .reserved = base::Tokens::micro(6),
                                .remaining = base::Tokens::micro(7),
                                .refundable = base::Tokens::micro(8),
                                .holder = 9,
                                .repeated = true,
                                .settled = true,
                                .actual = base::Tokens::micro(10),
                                .refunded = base::Tokens::micro(11)}))) ==
          "10125001010109500a010101010201050106010701080103010a010b01095002"
          "010103010411012207617069");
    CHECK(base::hex(StoreCodec().encode(node::Command(node::StrictBatch{
              .stamp = base::Duration(1),
              .takes = {},
              .settles = {{.ledger = {.limit = "api", .key = {.high = 1, .low = 2}},
                           .id = {.high = 3, .low = 4},
                           .actual = base::Tokens::micro(5),
                           .holder = 6}}}))) ==
          "10115001010105500102010111050711052f5007015104040101030104010501"
          "065002010101010211012207617069");
    CHECK(base::hex(encode(node::PeerMessage(
              node::SettleAsk{.shard = base::ShardId(1),
                              .ticket = 2,
                              .ledger = {.limit = "api", .key = {.high = 3, .low = 4}},
                              .id = {.high = 5, .low = 6},
                              .actual = base::Tokens::micro(7),
                              .holder = 8}))) ==
          "000000000e000000000000000100010000000000160000000000000006000100"
          "0100000000000000020000000000000005000000000000000600000000000000"
          "0700000000000000080000000000000000000000020001000300000000000000"
          "040000000000000001000000220000006170690000000000");
    CHECK(base::hex(encode(node::PeerMessage(node::SettleTold{
              .ticket = 1,
              .unknown = true,
              .leader = base::NodeId(2),
              .settled = {.conflict = true, .refunded = base::Tokens::micro(3)}}))) ==
          "0000000009000000000000000100010000000000170000000000000003000100"
          "0100000000000000020000000000000002000000000000000000000002000000"
          "01000000000000000300000000000000");
  }

  TEST_CASE("a node that was removed") {
    CHECK(base::hex(StoreCodec().encode(node::Command(node::RemoveNode{
              .node = base::NodeId(1), .certified = true}))) == "1006500101010a1003010101010000");
    CHECK(base::hex(StoreCodec().encode(node::StateRecord(
              node::NodeRecord{.node = base::NodeId(1), .generation = 2, .removed = true}))) ==
          "1005500101010810020101050201");
  }

  TEST_CASE("what is spent ahead of slow keys") {
    const node::AheadTerms terms{.rate = base::Rate::nano_per_second(3),
                                 .size = base::Tokens::micro(4)};
    const node::LedgerId id{.limit = "api", .key = {.high = 1, .low = 2}};
    CHECK(base::hex(StoreCodec().encode(node::Command(node::SpendAhead{
              .stamp = base::Duration(5),
              .spends = {{.ledger = id, .implicit = terms, .amount = base::Tokens::micro(6)}}}))) ==
          "100e500101010d5001010105110127510403010103010401065002010101010211012207617069");
    CHECK(base::hex(StoreCodec().encode(node::StateRecord(node::AheadLimitRecord{
              .limit = "api",
              .terms = terms,
              .fresh = {.level = base::Tokens::micro(2), .refilled = base::Duration(5)},
              .implicit = true}))) == "100a500101010a5005010103010401020105010111012207617069");
    CHECK(base::hex(StoreCodec().encode(node::StateRecord(node::AheadKeyRecord{
              .id = id,
              .level = {.level = base::Tokens::micro(2), .refilled = base::Duration(5)}}))) ==
          "100a500101010b500201010201055002010101010211012207617069");
  }

  TEST_CASE("a Raft message") {
    raft::Append append;
    append.prev = {.term = raft::Term(1), .index = raft::Index(2)};
    append.commit = raft::Index(2);
    append.entries.push_back({.id = {.term = raft::Term(1), .index = raft::Index(3)},
                              .kind = raft::EntryKind::kCommand,
                              .data = base::Bytes("data"),
                              .change = {}});
    const ShardMessage message{.shard = base::ShardId(9),
                               .message = {.from = raft::ReplicaId(4),
                                           .to = raft::ReplicaId(5),
                                           .term = raft::Term(6),
                                           .body = append}};
    CHECK(base::hex(encode(message)) ==
          "0000000013000000000000000100010009000000000000000000000005000100"
          "0400000000000000050000000000000006000000000000000200000000000000"
          "0000000000000000000000000300010001000000000000000200000000000000"
          "0200000000000000010000002700000004000000030001000100000000000000"
          "0300000000000000000000000000000001000000220000006461746100000000");
  }

  TEST_CASE("a datagram") {
    gossip::Datagram datagram;
    datagram.cluster = {.high = 1, .low = 2};
    datagram.from = base::NodeId(3);
    datagram.incarnation = gossip::Incarnation(4);
    datagram.body = gossip::Ping{.seq = gossip::ProbeSeq(5), .target = base::NodeId(6)};
    datagram.updates.emplace_back(gossip::Alive{.id = base::NodeId(7),
                                                .name = "n7",
                                                .address = "h:1",
                                                .meta = base::Bytes("m"),
                                                .incarnation = gossip::Incarnation(8)});
    CHECK(base::hex(encode(datagram)) ==
          "0000000016000000000000000700030001000000000000000200000000000000"
          "0300000000000000040000000000000001000000000000000500000000000000"
          "06000000000000000000000000000000050000003f0000000000000000000000"
          "0400000004000300000000000000000007000000000000000800000000000000"
          "0000000000000000090000001a0000000900000022000000090000000a000000"
          "6e37000000000000683a3100000000006d00000000000000");
  }

  TEST_CASE("what a node publishes") {
    node::NodeDigest digest;
    digest.load = {.cpu_permille = 1, .memory_bytes = 2, .pressed = true};
    digest.draining = true;
    digest.leads = {{.shard = base::ShardId(3), .term = 4}};
    digest.configs = {node::Version(5)};
    digest.free = {{.limit = 6, .free = base::Tokens::micro(7), .starving = true}};
    CHECK(base::hex(encode(digest).view()) ==
          "10185001040101110c0a11311711390d11391f11010101020007110402010301"
          "040105110403010601070101");
    const auto meta = encode(node::MemberMeta{.redis = "r:1", .region = "eu"});
    REQUIRE(meta.has_value());
    CHECK(base::hex(meta->view()) ==
          "100d400611152211150a11150a11151a11150a11150a07723a31000103657500"
          "01");
  }
}
