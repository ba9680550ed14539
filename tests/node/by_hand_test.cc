// Overrides and transfers that mean nothing are refused with words.
#include "node/by_hand.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

using Kind = Refusal::Kind;

constexpr NodeId kA(1);
constexpr NodeId kB(2);

struct Limits {
  bucket::LimitSpec shared{.name = "api", .burst = bucket::LimitSpec::kFewTokens};
  bucket::LimitSpec few{.name = "mails", .burst = Tokens::whole(5)};
  bucket::LimitSpec keyed{.name = "clients", .per_key = true};
  bucket::LimitSpec strict{.name = "deploys", .mode = bucket::Mode::kStrict};
};

bool refused(const std::optional<Refusal>& refusal, Kind kind, const char* word) {
  return refusal && refusal->kind == kind && refusal->message.find(word) != std::string::npos;
}

TEST_CASE("only a limit that all share has members' buckets to override") {
  const Limits limits;
  const auto on = [](const bucket::LimitSpec& spec) {
    return mistake_in(Override{.limit = spec.name, .node = "n1", .freeze = true}, &spec, kA);
  };
  CHECK_FALSE(on(limits.shared));
  CHECK(refused(on(limits.keyed), Kind::kBadRequest, "clients has a bucket for each key"));
  CHECK(refused(on(limits.few), Kind::kBadRequest, "mails has few tokens"));
  CHECK(refused(on(limits.strict), Kind::kBadRequest, "deploys is strict"));
}

TEST_CASE("an override is of a limit and a member that exist, also when it is cleared") {
  const Limits limits;
  const Override set{.limit = "api", .node = "n1", .freeze = true};
  CHECK(refused(mistake_in(set, nullptr, kA), Kind::kNotFound, "no limit is named api"));
  CHECK(refused(mistake_in(set, &limits.shared, NodeId()), Kind::kNotFound, "named n1"));
  const DeleteOverride clear{.limit = "api", .node = "n1"};
  CHECK(refused(mistake_in(clear, nullptr, kA), Kind::kNotFound, "no limit is named api"));
  CHECK(refused(mistake_in(clear, &limits.shared, NodeId()), Kind::kNotFound, "named n1"));
  // What was set before the limit got keys can still be cleared.
  CHECK_FALSE(mistake_in(clear, &limits.keyed, kA));
  CHECK(refused(not_there(clear), Kind::kNotFound, "no override of api on n1"));
}

TEST_CASE("a transfer is between two members' buckets of a limit that all share") {
  const Limits limits;
  const Transfer move{.limit = "x", .from = "n1", .to = "n2", .amount = Tokens::whole(1)};
  CHECK_FALSE(mistake_in(move, &limits.shared, kA, kB));
  CHECK(refused(mistake_in(move, nullptr, kA, kB), Kind::kNotFound, "no limit is named x"));
  CHECK(refused(mistake_in(move, &limits.shared, NodeId(), kB), Kind::kNotFound, "named n1"));
  CHECK(refused(mistake_in(move, &limits.shared, kA, NodeId()), Kind::kNotFound, "named n2"));
  CHECK(refused(mistake_in(move, &limits.shared, kA, kA), Kind::kBadRequest, "two members"));
  CHECK(refused(mistake_in(move, &limits.keyed, kA, kB), Kind::kBadRequest, "each key"));
  CHECK(refused(mistake_in(move, &limits.strict, kA, kB), Kind::kBadRequest, "strict"));
}

TEST_CASE("what is set is what is shown") {
  const Override set{.limit = "api",
                     .node = "n1",
                     .pin = Tokens::whole(5),
                     .no_lend = true,
                     .author = "ann",
                     .reason = "a test",
                     .expires_ms = 7};
  const Override seen = view_of(command_of(set, kA), "n1");
  CHECK(seen.pin == set.pin);
  CHECK_FALSE(seen.min);
  CHECK_FALSE(seen.freeze);
  CHECK(seen.no_lend);
  CHECK(seen.author + seen.reason == "anna test");
  CHECK(seen.expires_ms == 7);
}

}  // namespace
}  // namespace brigade::node
