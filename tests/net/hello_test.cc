#include "net/hello.h"

#include <doctest/doctest.h>

#include "base/hex.h"
#include "base/prng.h"

using namespace brigade;
using namespace brigade::net;

namespace {

Hello example() {
  return {.purpose = Purpose::kBulk,
          .cluster = base::ClusterId{0x0102030405060708, 0x090a0b0c0d0e0f10},
          .node = base::NodeId(0xa1b2c3),
          .boot = {5, 6},
          .name = "n1",
          .advertised = "10.0.0.1:7420"};
}

Hello other() {
  Hello hello = example();
  hello.node = base::NodeId(7);
  hello.boot = {8, 9};
  hello.name = "n2";
  return hello;
}

}  // namespace

TEST_SUITE("net/hello") {
  TEST_CASE("golden bytes: a greeting never changes its layout") {
    CHECK(base::hex(encode(example())) ==
          "42524744"                          // magic
          "01000100"                          // protocols
          "0201"                              // purpose, flags
          "0807060504030201100f0e0d0c0b0a09"  // cluster
          "c3b2a10000000000"                  // node
          "05000000000000000600000000000000"  // boot
          "02000d00"                          // sizes
          "6e31"
          "31302e302e302e313a37343230");
    CHECK(base::hex(encode(Refused{Refusal::kCluster, "no"})) == "036e6f");
  }

  TEST_CASE("greetings and refusals survive the wire") {
    CHECK(decode_hello(encode(example())) == example());
    Hello founder = example();
    founder.cluster.reset();
    founder.name.clear();
    CHECK(decode_hello(encode(founder)) == founder);
    const auto refused = decode_refused(encode(Refused{Refusal::kBusy, "later"}));
    REQUIRE(refused);
    CHECK(refused->code == Refusal::kBusy);
    CHECK(refused->reason == "later");
  }

  TEST_CASE("what later versions append is ignored") {
    CHECK(decode_hello(encode(example()) + "more") == example());
  }

  TEST_CASE("a greeting cut anywhere is refused") {
    const std::string bytes = encode(example());
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      CHECK_FALSE(decode_hello(bytes.substr(0, n)));
    }
  }

  TEST_CASE("senseless greetings are refused") {
    const auto refuses = [](auto change) {
      Hello hello = example();
      change(hello);
      return !decode_hello(encode(hello));
    };
    CHECK(refuses([](Hello& h) { h.node = base::NodeId(); }));
    CHECK(refuses([](Hello& h) { h.oldest = 9; }));
    CHECK(refuses([](Hello& h) { h.purpose = static_cast<Purpose>(4); }));
    CHECK(refuses([](Hello& h) { h.name = "a\x1b[2J"; }));
    CHECK_FALSE(decode_refused(""));
    CHECK_FALSE(decode_refused(std::string("\x0a", 1)));
  }

  TEST_CASE("reasons cannot steer a terminal") {
    const auto refused = decode_refused(encode(Refused{Refusal::kBusy, "a\x1b[2J\nb"}));
    CHECK(refused->reason == "a?[2J?b");
  }

  TEST_CASE("random bytes never crash the decoders") {
    base::Prng dice(3);
    const std::string good = encode(example());
    for (int i = 0; i < 20'000; ++i) {
      std::string bytes = good;
      for (int flips = 0; flips < 3; ++flips) {
        bytes[dice.below(bytes.size())] = static_cast<char>(dice.next());
      }
      bytes.resize(dice.below(bytes.size() + 1));
      decode_hello(bytes);
      decode_refused(bytes);
    }
  }

  TEST_CASE("members of one cluster and newcomers go on with each other") {
    CHECK_FALSE(judge(example(), other(), base::NodeId()));
    CHECK_FALSE(judge(example(), other(), other().node));
    Hello newcomer = other();
    newcomer.cluster.reset();
    CHECK_FALSE(judge(example(), newcomer, base::NodeId()));
    CHECK_FALSE(judge(newcomer, example(), base::NodeId()));
  }

  TEST_CASE("another cluster is refused and both ids are named") {
    Hello stranger = other();
    stranger.cluster = base::ClusterId{1, 2};
    const auto refused = judge(example(), stranger, base::NodeId());
    REQUIRE(refused);
    CHECK(refused->code == Refusal::kCluster);
    CHECK(refused->reason.find(base::text(*stranger.cluster)) != std::string::npos);
    CHECK(refused->reason.find(base::text(*example().cluster)) != std::string::npos);
  }

  TEST_CASE("this node's own id is refused, as itself or as a copy") {
    const auto self = judge(example(), example(), base::NodeId());
    REQUIRE(self);
    CHECK(self->code == Refusal::kItself);
    CHECK(self->reason.find("itself") != std::string::npos);
    Hello copy = example();
    copy.boot = {1, 1};
    copy.name = "n9";
    const auto copied = judge(example(), copy, base::NodeId());
    REQUIRE(copied);
    CHECK(copied->code == Refusal::kSameNode);
    CHECK(copied->reason.find("data directory") != std::string::npos);
  }

  TEST_CASE("whoever moved into a peer's address is not taken for the peer") {
    const auto refused = judge(example(), other(), base::NodeId(1234));
    REQUIRE(refused);
    CHECK(refused->code == Refusal::kOtherNode);
  }

  TEST_CASE("protocols without a common version are refused") {
    Hello future = other();
    future.oldest = 2;
    future.newest = 5;
    const auto refused = judge(example(), future, base::NodeId());
    REQUIRE(refused);
    CHECK(refused->code == Refusal::kProtocol);
    future.oldest = 1;
    CHECK_FALSE(judge(example(), future, base::NodeId()));
  }
}
