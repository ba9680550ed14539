#include "node/batches.h"

#include <variant>

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr NodeId kA(1);
constexpr NodeId kB(2);
constexpr base::TimePoint kSoon{base::seconds(5)};

Send ask(NodeId to, Ticket ticket) {
  return {.to = to, .message = Ask{.ticket = ticket}};
}
Send told(NodeId to, Ticket ticket, base::TimePoint expires) {
  return {.to = to, .message = Told{.ticket = ticket}, .expires = expires};
}

TEST_CASE("asks to one node leave together, in order; others stay as they are") {
  std::vector<Send> sends;
  sends.push_back(ask(kA, 1));
  sends.push_back(ask(kB, 2));
  sends.push_back({.to = kA, .message = SurveyAsk{.ticket = 9}});
  sends.push_back(ask(kA, 3));
  sends.push_back(ask(kA, 4));
  gather(sends);
  REQUIRE(sends.size() == 3);
  const auto& batch = std::get<AskBatch>(sends[0].message);
  CHECK(sends[0].to == kA);
  REQUIRE(batch.asks.size() == 3);
  CHECK(batch.asks[0].ticket == 1);
  CHECK(batch.asks[1].ticket == 3);
  CHECK(batch.asks[2].ticket == 4);
  CHECK(std::get<Ask>(sends[1].message).ticket == 2);
  CHECK(std::get<SurveyAsk>(sends[2].message).ticket == 9);
}

TEST_CASE("answers that are void at different times do not leave together") {
  std::vector<Send> sends;
  sends.push_back(told(kA, 1, kSoon));
  sends.push_back(told(kA, 2, base::kNever));
  sends.push_back(told(kA, 3, kSoon));
  gather(sends);
  REQUIRE(sends.size() == 2);
  CHECK(std::get<ToldBatch>(sends[0].message).tolds.size() == 2);
  CHECK(sends[0].expires == kSoon);
  CHECK(std::get<Told>(sends[1].message).ticket == 2);
}

TEST_CASE("a batch has a bounded size") {
  std::vector<Send> sends;
  for (Ticket ticket = 0; ticket < 2 * AskBatch::kMost + 1; ++ticket) {
    sends.push_back(ask(kA, ticket));
  }
  gather(sends);
  REQUIRE(sends.size() == 3);
  CHECK(std::get<AskBatch>(sends[1].message).asks.size() == AskBatch::kMost);
  CHECK(std::get<Ask>(sends[2].message).ticket == 2 * AskBatch::kMost);
}

}  // namespace
}  // namespace brigade::node
