#include <doctest/doctest.h>

#include "tests/wire/samples.h"
#include "wire/founding_codec.h"
#include "wire/gossip_codec.h"
#include "wire/peer_codec.h"
#include "wire/publish_codec.h"
#include "wire/store_codec.h"

using namespace brigade;
using namespace brigade::wire;

namespace {

constexpr std::uint64_t kRounds = 300;

// A value comes back field by field, and encodes alike again.
template <class Value, class Encode, class Decode>
void check(const Value& value, const Encode& encoded, const Decode& decoded) {
  const auto bytes = encoded(value);
  const auto back = decoded(std::string_view(bytes));
  REQUIRE_MESSAGE(back.has_value(), back.error().message);
  REQUIRE(same(*back, value));
  REQUIRE(encoded(*back) == bytes);
}

template <class Variant, class Encode, class Decode>
void check_alternatives(const Encode& encoded, const Decode& decoded) {
  for (std::size_t kind = 0; kind < std::variant_size_v<Variant>; ++kind) {
    CAPTURE(kind);
    for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
      CAPTURE(seed);
      Sampler sampler(seed * 64 + kind);
      check(sampler.make_alternative<Variant>(kind), encoded, decoded);
    }
  }
}

}  // namespace

TEST_SUITE("wire/round_trip") {
  TEST_CASE("fields are counted right") {
    CHECK(kFields<node::Borrow> == 8);
    CHECK(kFields<node::DemandReport> == 8);
    CHECK(kFields<node::LedgerId> == 2);
    CHECK(kFields<bucket::LimitSpec> == 13);
    CHECK(kFields<raft::TimeoutNow> == 1);
  }

  TEST_CASE("sameness sees every field") {
    Sampler sampler(1);
    const auto borrow = sampler.make<node::Borrow>();
    CHECK(same(borrow, borrow));
    node::Borrow other = borrow;
    other.by_hand = !other.by_hand;
    CHECK_FALSE(same(borrow, other));
    CHECK_FALSE(same(node::PeerMessage(borrow), node::PeerMessage(other)));
  }

  TEST_CASE("every message of a node comes back as it was") {
    check_alternatives<node::PeerMessage>(
        [](const node::PeerMessage& message) { return encode(message); },
        [](std::string_view bytes) -> base::Result<node::PeerMessage> {
          auto frame = decode_frame(bytes);
          if (!frame) {
            return frame.error();
          }
          REQUIRE(std::holds_alternative<node::PeerMessage>(*frame));
          return std::get<node::PeerMessage>(*frame);
        });
  }

  TEST_CASE("every Raft message comes back as it was, with its shard") {
    check_alternatives<raft::Body>(
        [](const raft::Body& body) {
          return encode(ShardMessage{.shard = base::ShardId(7),
                                     .message = {.from = raft::ReplicaId(1),
                                                 .to = raft::ReplicaId(2),
                                                 .term = raft::Term(3),
                                                 .body = body}});
        },
        [](std::string_view bytes) -> base::Result<raft::Body> {
          auto frame = decode_frame(bytes);
          if (!frame) {
            return frame.error();
          }
          const auto* message = std::get_if<ShardMessage>(&*frame);
          REQUIRE(message != nullptr);
          REQUIRE(message->shard == base::ShardId(7));
          REQUIRE(message->message.from == raft::ReplicaId(1));
          REQUIRE(message->message.to == raft::ReplicaId(2));
          REQUIRE(message->message.term == raft::Term(3));
          return message->message.body;
        });
  }

  TEST_CASE("every command and every record comes back as it was") {
    const StoreCodec codec;
    check_alternatives<node::Command>(
        [&codec](const node::Command& command) { return codec.encode(command); }, decode_command);
    check_alternatives<node::StateRecord>(
        [&codec](const node::StateRecord& record) { return codec.encode(record); }, decode_record);
    node::Command command;
    CHECK(codec.decode(codec.encode(node::Command(node::CancelHandover())), command));
    CHECK(std::holds_alternative<node::CancelHandover>(command));
    CHECK_FALSE(codec.decode("junk", command));
    node::StateRecord record;
    CHECK_FALSE(codec.decode("junk", record));
  }

  TEST_CASE("every membership message comes back as it was, within its bound") {
    using DatagramBody = decltype(gossip::Datagram::body);
    for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
      CAPTURE(seed);
      Sampler sampler(seed);
      auto datagram = sampler.make<gossip::Datagram>();
      datagram.body = sampler.make_alternative<DatagramBody>(seed % 5);
      check(datagram, [](const gossip::Datagram& d) { return encode(d); }, decode_datagram);
      CHECK(encode(datagram).size() <= gossip::size_bound(datagram));
      auto stream = sampler.make<gossip::StreamMessage>();
      check(stream, [](const gossip::StreamMessage& m) { return encode(m); }, decode_stream);
      auto founding = sampler.make<gossip::FoundingMessage>();
      check(founding, [](const gossip::FoundingMessage& m) { return encode(m); }, decode_founding);
      check(
          sampler.make<gossip::Charter>(), [](const gossip::Charter& c) { return encode(c); },
          decode_charter);
      check(
          sampler.make<gossip::Vote>(), [](const gossip::Vote& v) { return encode(v); },
          decode_vote);
      check(
          sampler.make<gossip::Ballot>(), [](const gossip::Ballot& b) { return encode(b); },
          decode_ballot);
    }
  }

  TEST_CASE("what a node publishes comes back as it was") {
    for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
      CAPTURE(seed);
      Sampler sampler(seed);
      const auto meta = sampler.make<node::MemberMeta>();
      const auto meta_bytes = encode(meta);
      REQUIRE(meta_bytes.has_value());
      const auto meta_back = decode_meta(meta_bytes->view());
      REQUIRE(meta_back.has_value());
      CHECK(same(*meta_back, meta));
      const auto digest = sampler.make<node::NodeDigest>();
      const auto digest_back = decode_digest(encode(digest).view());
      REQUIRE(digest_back.has_value());
      CHECK(same(*digest_back, digest));
    }
  }

  TEST_CASE("a digest that is too large leaves out what matters least") {
    node::NodeDigest digest;
    digest.draining = true;
    for (std::uint32_t i = 0; i < 64; ++i) {
      digest.leads.push_back({.shard = base::ShardId(i), .term = i % 7});
      digest.configs.push_back(node::Version(123'456 + i));
    }
    digest.free.resize(node::NodeDigest::kMaxFreeReports);
    Sampler sampler(3);
    for (node::FreeReport& free : digest.free) {
      free = sampler.make<node::FreeReport>();
    }
    const base::Bytes bytes = encode(digest);
    CHECK(bytes.size() <= gossip::kDigestMax);
    const auto back = decode_digest(bytes.view());
    REQUIRE(back.has_value());
    CHECK(back->draining);
    CHECK(back->configs == digest.configs);
    CHECK(back->free.size() < digest.free.size());
  }

  TEST_CASE("a description of a node that is too long is refused with a reason") {
    node::MemberMeta meta;
    meta.region = std::string(600, 'r');
    const auto bytes = encode(meta);
    REQUIRE_FALSE(bytes.has_value());
    CHECK(bytes.error().message.find("too long") != std::string::npos);
  }
}
