// Bytes that no correct peer sends: an error or a value, never a crash, never much memory.
#include <doctest/doctest.h>

#include "base/endian.h"
#include "tests/wire/samples.h"
#include "wire/founding_codec.h"
#include "wire/gossip_codec.h"
#include "wire/peer_codec.h"
#include "wire/publish_codec.h"
#include "wire/store_codec.h"

using namespace brigade;
using namespace brigade::wire;

namespace {

std::string error_of(std::string_view bytes) {
  const auto frame = decode_frame(bytes);
  return frame ? "" : frame.error().message;
}

bool says(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// Decodes a message cut at every byte, and with every bit flipped. What still decodes is used, by
// `again`.
template <class Decode, class Again>
void mistreat(const std::string& bytes, const Decode& decoded, const Again& again) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // In a block of its own, so that a look beyond its end is noticed.
    const std::string cut(bytes, 0, size);
    const auto value = decoded(cut);
    CHECK_FALSE(value.has_value());
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    if (const auto value = decoded(bad)) {
      again(*value);
    } else {
      CHECK_FALSE(value.error().message.empty());
    }
  }
}

void use_frame(const PeerFrame& frame) {
  std::visit([](const auto& message) { CHECK_FALSE(encode(message).empty()); }, frame);
}

// The discriminant of a frame: behind the segment table, the root pointer and the shard.
constexpr std::size_t kFrameKindAt = 20;

std::string survey_ask() {
  return encode(node::PeerMessage(node::SurveyAsk{.ticket = 7}));
}

}  // namespace

TEST_SUITE("wire/hostile") {
  TEST_CASE("any message of a node may be cut or damaged anywhere") {
    for (std::size_t kind = 0; kind < std::variant_size_v<node::PeerMessage>; ++kind) {
      Sampler sampler(kind);
      mistreat(encode(sampler.make_alternative<node::PeerMessage>(kind)), decode_frame, use_frame);
    }
  }

  TEST_CASE("any Raft message may be cut or damaged anywhere") {
    for (std::size_t kind = 0; kind < std::variant_size_v<raft::Body>; ++kind) {
      Sampler sampler(100 + kind);
      ShardMessage message;
      message.message.body = sampler.make_alternative<raft::Body>(kind);
      mistreat(encode(message), decode_frame, use_frame);
    }
  }

  TEST_CASE("any command or record may be cut or damaged anywhere") {
    const StoreCodec codec;
    for (std::size_t kind = 0; kind < std::variant_size_v<node::Command>; ++kind) {
      Sampler sampler(200 + kind);
      mistreat(codec.encode(sampler.make_alternative<node::Command>(kind)), decode_command,
               [&codec](const node::Command& command) { (void)codec.encode(command); });
    }
    for (std::size_t kind = 0; kind < std::variant_size_v<node::StateRecord>; ++kind) {
      Sampler sampler(300 + kind);
      mistreat(codec.encode(sampler.make_alternative<node::StateRecord>(kind)), decode_record,
               [&codec](const node::StateRecord& record) { (void)codec.encode(record); });
    }
  }

  TEST_CASE("any membership message may be cut or damaged anywhere") {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      Sampler sampler(seed);
      mistreat(encode(sampler.make<gossip::Datagram>()), decode_datagram,
               [](const gossip::Datagram& datagram) { CHECK(gossip::well_formed(datagram)); });
      mistreat(encode(sampler.make<gossip::StreamMessage>()), decode_stream,
               [](const gossip::StreamMessage& message) { CHECK(gossip::well_formed(message)); });
      mistreat(encode(sampler.make<gossip::FoundingMessage>()), decode_founding,
               [](const gossip::FoundingMessage& message) { (void)encode(message); });
      mistreat(std::string(encode(sampler.make<node::NodeDigest>()).view()), decode_digest,
               [](const node::NodeDigest& digest) { (void)encode(digest); });
      mistreat(std::string(encode(sampler.make<node::MemberMeta>())->view()), decode_meta,
               [](const node::MemberMeta& meta) { (void)encode(meta); });
    }
  }

  TEST_CASE("random words are refused or read, and so are random packed bytes") {
    base::Prng dice(9);
    const StoreCodec codec;
    for (int round = 0; round < 20'000; ++round) {
      std::string bytes;
      for (std::uint64_t size = 8 * (1 + dice.below(12)); size > 0; --size) {
        bytes.push_back(static_cast<char>(dice.chance(2, 3) ? dice.below(4) : dice.below(256)));
      }
      node::Command command;
      (void)codec.decode(bytes, command);
      bytes.replace(0, 4, 4, '\0');  // one segment
      bytes[4] = static_cast<char>(bytes.size() / 8 - 1);
      bytes.replace(5, 3, 3, '\0');
      if (const auto frame = decode_frame(bytes)) {
        use_frame(*frame);
      }
    }
  }

  TEST_CASE("bytes at odd addresses are read alike") {
    const std::string bytes = survey_ask();
    for (std::size_t shift = 0; shift < 8; ++shift) {
      const std::string shifted = std::string(shift, 'x') + bytes;
      CHECK(decode_frame(std::string_view(shifted).substr(shift)).has_value());
    }
  }

  TEST_CASE("an unknown kind of message is refused by name") {
    std::string bytes = survey_ask();
    REQUIRE(base::load_le<std::uint16_t>(bytes, kFrameKindAt) ==
            node::PeerMessage(node::SurveyAsk()).index() + 1);
    bytes[kFrameKindAt] = static_cast<char>(0xe7);
    bytes[kFrameKindAt + 1] = 3;
    CHECK(says(error_of(bytes), "unknown kind of message 999"));
    CHECK(says(error_of(bytes), "newer version"));
  }

  TEST_CASE("no message at all, half a word and trailing bytes are refused") {
    CHECK(error_of("") != "");
    CHECK(error_of("abc") != "");
    CHECK(error_of(std::string(8, '\xff')) != "");  // 2^32 segments would be none
    CHECK(error_of(survey_ask() + std::string(8, '\0')) != "");
    CHECK_FALSE(decode_command("").has_value());
    CHECK_FALSE(decode_command(StoreCodec().encode(node::Command()) + std::string(4, '\0')));
  }

  TEST_CASE("packed bytes that stand for very much are refused before they are unpacked") {
    std::string bomb;
    for (int i = 0; i < 40'000; ++i) {
      bomb += std::string("\0\xff", 2);
    }
    const auto command = decode_command(bomb);
    REQUIRE_FALSE(command.has_value());
    CHECK(says(command.error().message, "too large"));
  }

  TEST_CASE("amounts, rates and times out of range are refused") {
    node::Borrow borrow{.ledger = {.limit = "l", .key = {}},
                        .want = base::Tokens::micro(base::Tokens::kMaxMicro + 1)};
    CHECK(says(error_of(encode(node::PeerMessage(borrow))), "an amount is out of range"));
    borrow.want = base::Tokens::micro(-1);
    CHECK(says(error_of(encode(node::PeerMessage(borrow))), "a wish is negative"));
    node::RenewAnswer renewed;
    renewed.tau = base::Duration(-1);
    CHECK(says(error_of(encode(node::PeerMessage(renewed))), "a time is out of range"));
    renewed.tau = base::seconds(100'000);
    CHECK(says(error_of(encode(node::PeerMessage(renewed))), "tau is out of range"));
    renewed.tau = base::seconds(3);
    renewed.drift_ppm = 1'000'000;
    CHECK(says(error_of(encode(node::PeerMessage(renewed))), "a drift is out of range"));
    node::DemandReport report;
    report.offered = base::Rate::nano_per_second(base::Rate::kMaxNano + 1);
    node::Renew renew;
    renew.demands.push_back(report);
    CHECK(says(error_of(encode(node::PeerMessage(renew))), "a rate is out of range"));
    node::Ask ask;
    ask.cost = base::Tokens::micro(-1);
    CHECK(says(error_of(encode(node::PeerMessage(ask))), "a cost is negative"));
    ask.cost = base::Tokens::whole(1);
    bucket::LimitSpec implicit;
    implicit.name = "no rate";
    ask.implicit = std::make_shared<const bucket::LimitSpec>(implicit);
    CHECK(says(error_of(encode(node::PeerMessage(ask))), "implicit limit is senseless"));
    node::AskBatch batch{.asks = {ask}};
    CHECK(says(error_of(encode(node::PeerMessage(batch))), "implicit limit is senseless"));
    batch.asks[0].implicit = nullptr;
    batch.asks[0].cost = base::Tokens::micro(-1);
    CHECK(says(error_of(encode(node::PeerMessage(batch))), "an amount is negative"));
  }

  TEST_CASE("a batch whose asks would copy a long name, or are too many, is refused") {
    node::AskBatch batch;
    batch.asks.resize(node::AskBatch::kMost);
    CHECK(decode_frame(encode(node::PeerMessage(batch))).has_value());
    batch.asks[0].ledger.limit = std::string(257, 'x');
    CHECK(says(error_of(encode(node::PeerMessage(batch))), "too many or too long"));
    batch.asks[0].ledger.limit = "x";
    batch.asks.emplace_back();
    CHECK(says(error_of(encode(node::PeerMessage(batch))), "a batch is too long"));
    const node::ToldBatch tolds{.tolds = std::vector<node::Told>(node::AskBatch::kMost + 1)};
    CHECK(says(error_of(encode(node::PeerMessage(tolds))), "a batch is too long"));
  }

  TEST_CASE("a wait may be for ever") {
    const node::Told told{.retry_after = base::Duration::max()};
    const auto frame = decode_frame(encode(node::PeerMessage(told)));
    REQUIRE(frame.has_value());
    const auto& back = std::get<node::Told>(std::get<node::PeerMessage>(*frame));
    CHECK(back.retry_after == base::Duration::max());
  }

  TEST_CASE("an append whose entries do not follow each other is refused") {
    Sampler sampler(1);
    raft::Append append;
    append.prev = {.term = raft::Term(2), .index = raft::Index(5)};
    append.entries.resize(2);
    append.entries[0].id = {.term = raft::Term(2), .index = raft::Index(6)};
    append.entries[1].id = {.term = raft::Term(3), .index = raft::Index(7)};
    ShardMessage message;
    message.message.body = append;
    CHECK(error_of(encode(message)).empty());
    SUBCASE("a gap") {
      append.entries[1].id.index = raft::Index(8);
    }
    SUBCASE("a falling term") {
      append.entries[1].id.term = raft::Term(1);
    }
    SUBCASE("not behind the predecessor") {
      append.prev.index = raft::Index(4);
    }
    message.message.body = append;
    CHECK(says(error_of(encode(message)), "out of sequence"));
  }

  TEST_CASE("terms and indices after which there is no next one are refused") {
    constexpr std::uint64_t kLast = ~std::uint64_t{0};
    const raft::EntryId late{.term = raft::Term(2), .index = raft::Index(kLast)};
    ShardMessage message;
    SUBCASE("of a snapshot") {
      message.message.body = raft::InstallSnapshot{
          .snapshot = std::make_shared<raft::Snapshot>(raft::Snapshot{.last = late})};
    }
    SUBCASE("of an append") {
      message.message.body = raft::Append{.prev = late};
    }
    SUBCASE("of a message's term") {
      message.message.term = raft::Term(kLast);
    }
    SUBCASE("of a commit") {
      message.message.body = raft::Heartbeat{.commit = raft::Index(kLast)};
    }
    CHECK(says(error_of(encode(message)), "out of range"));
  }

  TEST_CASE("an account with two shares is refused") {
    const StoreCodec codec;
    node::LedgerRecord record{.id = {.limit = "l", .key = {}}, .ledger = {}};
    node::Ledger::Shares shares;
    shares[node::Account(0x1111)] = {};
    shares[node::Account(0x1113)] = {};
    record.ledger = node::Ledger(base::Rate(), base::Tokens(), {}, shares);
    std::string bytes = codec.encode(node::StateRecord(record));
    const auto at = bytes.find("\x13\x11");
    REQUIRE(at != std::string::npos);
    bytes[at] = 0x11;
    const auto back = decode_record(bytes);
    REQUIRE_FALSE(back.has_value());
    CHECK(says(back.error().message, "two shares"));
  }
}
