// The leader of slow keys: what it spends in memory, what waits for the log, what is lost with it.
#include "node/ahead_desk.h"

#include <doctest/doctest.h>

namespace brigade::node {
namespace {

constexpr KeyHash kAlice{.high = 1, .low = 2};
constexpr base::Drift kNoDrift{.ppm = 0};

bucket::LimitSpec hourly() {
  bucket::LimitSpec spec;
  spec.name = "hourly";
  spec.per_key = true;
  spec.rate = Rate::of(Tokens::whole(3600), base::seconds(3600));
  spec.burst = Tokens::whole(1000);  // a chunk is 50
  return spec;
}

// A store, its leader's desk, and a log that applies when the test says so.
class Office {
 public:
  explicit Office(bucket::LimitSpec spec = hourly(), Plant plant = Plant::kNone)
      : spec_(std::move(spec)), plant_(plant) {
    configure(spec_);
    elect();
  }

  void configure(const bucket::LimitSpec& spec) {
    spec_ = spec;
    store_.apply(++index_, Configure{.stamp = {}, .limits = {spec}});
    if (desk_) {
      desk_->follow();
    }
  }
  // A new leader; what the old one had in memory is gone.
  void elect() { desk_.emplace(store_, kNoDrift, plant_, now()); }
  void pass(base::Duration time) { time_ += time; }

  std::optional<Told> take(std::int64_t cost, bool peek = false, std::string_view priority = {}) {
    return desk_->decide({.limit = base::HashedName(spec_.name),
                          .key = kAlice,
                          .cost = Tokens::whole(cost),
                          .priority = priority,
                          .peek = peek},
                         spec_, now());
  }
  void wait(Ticket ticket, std::int64_t cost) {
    desk_->hold({.from = NodeId(1),
                 .ask = {.ticket = ticket,
                         .ledger = {.limit = spec_.name, .key = kAlice},
                         .cost = Tokens::whole(cost)},
                 .rounds = 0,
                 .since = now().slow});
  }
  // Logs what the desk wants logged; whole tokens of the key that were taken, -1: nothing to log.
  std::int64_t log(std::vector<AheadDesk::Waiting>* again = nullptr) {
    const auto command = desk_->flush(now());
    if (!command) {
      return -1;
    }
    return apply(*command, again);
  }
  std::int64_t apply(const SpendAhead& command, std::vector<AheadDesk::Waiting>* again = nullptr) {
    const Outcome outcome = store_.apply(++index_, command);
    auto waited = desk_->applied(command, outcome, now());
    if (again != nullptr) {
      *again = std::move(waited);
    }
    return command.spends.empty() ? 0 : command.spends.front().amount.floor();
  }
  // An ask that waits for its chunk and is decided then.
  Told taken(std::int64_t cost) {
    auto told = take(cost);
    if (!told) {
      wait(7, cost);
      std::vector<AheadDesk::Waiting> again;
      log(&again);
      REQUIRE(again.size() == 1);
      told = take(cost);
    }
    REQUIRE(told);
    return *told;
  }
  [[nodiscard]] Tokens credit() const { return desk_->credit(id(), now()); }
  [[nodiscard]] Tokens total() const { return desk_->spendable(id(), now()); }
  [[nodiscard]] LedgerId id() const { return {.limit = spec_.name, .key = kAlice}; }
  [[nodiscard]] Instant now() const { return {.slow = time_, .fast = time_}; }
  AheadDesk& desk() { return *desk_; }
  TokenStore& store() { return store_; }

 private:
  bucket::LimitSpec spec_;
  Plant plant_;
  TokenStore store_{ShardId(0), 1};
  std::optional<AheadDesk> desk_;
  std::uint64_t index_ = 0;
  base::TimePoint time_{base::seconds(1000)};
};

TEST_SUITE("node/ahead_desk") {
  TEST_CASE("the first take waits for a chunk, the next ones do not") {
    Office office;
    CHECK_FALSE(office.take(1));
    CHECK(office.total() == Tokens::whole(1000));
    office.wait(1, 1);
    std::vector<AheadDesk::Waiting> again;
    CHECK(office.log(&again) == 50);
    REQUIRE(again.size() == 1);
    CHECK(again.front().ask.ticket == 1);
    for (int i = 1; i <= 50; ++i) {
      const auto told = office.take(1);
      REQUIRE(told);
      CHECK(told->verdict == Verdict::kAdmitted);
      CHECK(told->remaining == Tokens::whole(1000 - i));
    }
    CHECK_FALSE(office.take(1));
  }

  TEST_CASE("steady traffic has its next chunk before it needs it") {
    Office office;
    office.taken(50);
    office.taken(2);  // the second chunk
    int waited = 0;
    for (int i = 0; i < 500; ++i) {
      waited += office.take(1) ? 0 : 1;
      office.log();
    }
    CHECK(waited == 0);
    CHECK(office.credit() <= Tokens::whole(50));
    CHECK(office.total() == Tokens::whole(1000 - 552));
  }

  TEST_CASE("a cost above a chunk takes what it needs and nothing beyond") {
    Office office;
    CHECK(office.taken(300).verdict == Verdict::kAdmitted);
    CHECK(office.credit() == Tokens::whole(1));  // what a second mints
    CHECK(office.total() == Tokens::whole(700));
  }

  TEST_CASE("who cannot have it is refused at once, with the time it takes") {
    Office office;
    office.taken(990);
    const auto told = office.take(15);
    REQUIRE(told);
    CHECK(told->verdict == Verdict::kRefused);
    CHECK(told->remaining == Tokens::whole(10));
    CHECK(told->retry_after == base::seconds(5));
    office.pass(told->retry_after);
    CHECK(office.taken(15).verdict == Verdict::kAdmitted);
    const auto never = office.take(1001);
    REQUIRE(never);
    CHECK(never->retry_after == base::Duration::max());
  }

  TEST_CASE("credit counts as much as level where they together suffice") {
    Office office;
    office.taken(949);  // level 51
    office.taken(1);    // a chunk: level 1, credit 49
    CHECK(office.total() == Tokens::whole(50));
    CHECK(office.taken(50).verdict == Verdict::kAdmitted);
    CHECK(office.total() == Tokens{});
  }

  TEST_CASE("a look shows level and credit, and takes neither") {
    Office office;
    office.taken(1);
    CHECK(office.credit() == Tokens::whole(49));
    const auto told = office.take(900, true);
    REQUIRE(told);
    CHECK(told->verdict == Verdict::kAdmitted);
    CHECK(told->remaining == Tokens::whole(99));
    CHECK(office.total() == Tokens::whole(999));
    CHECK(office.take(0)->remaining == Tokens::whole(999));
  }

  TEST_CASE("a class leaves its reserve, of level and credit together") {
    bucket::LimitSpec spec = hourly();
    spec.priorities = {{.name = "batch", .reserved = 500}};
    Office office(spec);
    office.taken(400);
    const auto told = office.take(101, false, "batch");
    REQUIRE(told);
    CHECK(told->verdict == Verdict::kRefused);
    CHECK(told->retry_after == base::seconds(1));
    CHECK_FALSE(office.take(100, false, "batch"));
    CHECK_FALSE(office.take(600));
  }

  TEST_CASE("credit is cut as the bucket fills up") {
    Office office;
    office.taken(1);
    CHECK(office.credit() == Tokens::whole(49));
    office.pass(base::seconds(40));  // level 990
    CHECK(office.credit() == Tokens::whole(10));
    CHECK(office.total() == Tokens::whole(1000));
    office.pass(base::seconds(3600));
    CHECK(office.credit() == Tokens{});
    CHECK(office.total() == Tokens::whole(1000));
  }

  TEST_CASE("planted: credit that is not cut is more than the burst") {
    Office office(hourly(), Plant::kCreditUncut);
    office.taken(1);
    office.pass(base::seconds(3600));
    CHECK(office.total() > Tokens::whole(1000));
  }

  TEST_CASE("a chunk that is applied late is cut to what still fits") {
    Office office;
    office.wait(1, 1);
    const auto command = office.desk().flush(office.now());
    REQUIRE(command);
    office.pass(base::seconds(30));
    office.apply(*command);
    CHECK(office.total() == Tokens::whole(1000));
    CHECK(office.credit() == Tokens::whole(20));
  }

  TEST_CASE("a cost of the whole burst is admitted, however the bucket mints meanwhile") {
    bucket::LimitSpec tiny = hourly();
    tiny.burst = Tokens::whole(1);
    tiny.rate = Rate::of(Tokens::whole(1), base::seconds(60));
    Office office(tiny);
    office.wait(1, 1);
    const auto command = office.desk().flush(office.now());
    REQUIRE(command);
    office.pass(base::milliseconds(999));
    office.apply(*command);
    const auto told = office.take(1);
    REQUIRE(told);
    CHECK(told->verdict == Verdict::kAdmitted);
    CHECK(told->remaining == Tokens{});
    CHECK(office.take(1)->verdict == Verdict::kRefused);
  }

  TEST_CASE("a new leader goes on from the log: at most a chunk is lost") {
    Office office;
    for (int i = 0; i < 300; ++i) {
      office.taken(1);
      office.log();
    }
    CHECK(office.total() == Tokens::whole(700));
    office.elect();
    CHECK(office.total() <= Tokens::whole(700));
    CHECK(office.total() >= Tokens::whole(650));
    CHECK(office.credit() == Tokens{});
  }

  TEST_CASE("planted: what is spent before it is logged is there again under the next leader") {
    Office office(hourly(), Plant::kSpendBeforeLogged);
    CHECK(office.take(1)->verdict == Verdict::kAdmitted);
    CHECK(office.log() == 50);
    CHECK(office.take(300)->verdict == Verdict::kAdmitted);
    CHECK(office.total() == Tokens::whole(700));
    office.elect();
    CHECK(office.total() > Tokens::whole(700));
  }

  TEST_CASE("a handover gives credits back, and whoever gave them spends them no more") {
    Office office;
    office.taken(1);
    Handover handover;
    office.desk().hand_over(handover, 10, office.now());
    CHECK(office.credit() == Tokens{});
    office.store().apply(50, handover);
    CHECK(office.total() == Tokens::whole(999));
    office.elect();
    CHECK(office.total() == Tokens::whole(999));
  }

  TEST_CASE("a handover without room loses credits, never doubles them") {
    Office office;
    office.taken(1);
    Handover handover;
    office.desk().hand_over(handover, 0, office.now());
    CHECK(handover.credits.empty());
    office.store().apply(50, handover);
    CHECK(office.total() == Tokens::whole(950));
  }

  TEST_CASE("several asks of one key share one chunk, and are decided once each") {
    Office office;
    for (Ticket ticket = 1; ticket <= 3; ++ticket) {
      office.wait(ticket, 40);
    }
    office.wait(2, 40);  // repeated by its asker
    std::vector<AheadDesk::Waiting> again;
    CHECK(office.log(&again) == 121);
    CHECK(again.size() == 3);
    CHECK(office.desk().failed().empty());
  }

  TEST_CASE("an ask that is decided elsewhere waits no more") {
    Office office;
    office.wait(1, 40);
    office.desk().release(NodeId(1), 1);
    CHECK(office.log() == -1);
  }

  TEST_CASE("who asks while a chunk is on its way waits for the next one") {
    Office office;
    office.wait(1, 1);
    const auto first = office.desk().flush(office.now());
    REQUIRE(first);
    office.wait(2, 1);
    CHECK_FALSE(office.desk().flush(office.now()));
    std::vector<AheadDesk::Waiting> again;
    office.apply(*first, &again);
    CHECK(again.size() == 2);  // of the same key: the chunk serves both
  }

  TEST_CASE("who waited too long is forgotten: its asker has given up or asks again") {
    Office office;
    office.wait(1, 1);
    const auto command = office.desk().flush(office.now());
    office.pass(AheadDesk::kPatience);
    std::vector<AheadDesk::Waiting> again;
    office.apply(*command, &again);
    CHECK(again.empty());
  }

  TEST_CASE("nothing waits for ever: after some chunks it is dropped") {
    Office office;
    office.desk().hold({.from = NodeId(1),
                        .ask = {.ticket = 1, .ledger = office.id(), .cost = Tokens::whole(1)},
                        .rounds = AheadDesk::kRoundsMax,
                        .since = office.now().slow});
    CHECK(office.log() == -1);
  }

  TEST_CASE("a refund goes back into the bucket, and whoever needs it meanwhile waits for that") {
    Office office;
    office.taken(900);
    office.desk().refund(office.id(), Tokens::whole(500), office.now());
    CHECK(office.total() == Tokens::whole(600));
    const auto command = office.desk().flush(office.now());
    REQUIRE(command);
    CHECK(command->spends.front().amount < Tokens{});
    CHECK(office.total() == Tokens::whole(600));
    CHECK_FALSE(office.take(590));
    office.wait(3, 590);
    std::vector<AheadDesk::Waiting> again;
    office.apply(*command, &again);
    CHECK(again.size() == 1);
    CHECK(office.total() == Tokens::whole(600));
    CHECK(office.credit() <= Tokens::whole(50));
    CHECK(office.taken(590).verdict == Verdict::kAdmitted);
    CHECK(office.take(11)->verdict == Verdict::kRefused);
  }

  TEST_CASE("a changed limit ends credits: at most a chunk is lost") {
    Office office;
    office.taken(1);
    bucket::LimitSpec raised = hourly();
    raised.burst = Tokens::whole(2000);
    office.configure(raised);
    CHECK(office.credit() == Tokens{});
    CHECK(office.total() == Tokens::whole(950));
  }

  TEST_CASE("a chunk that was on its way when the limit was deleted credits nobody") {
    Office office;
    office.wait(1, 1);
    const auto command = office.desk().flush(office.now());
    REQUIRE(command);
    office.store().apply(50, Configure{.stamp = {}, .dropped = {"hourly"}});
    office.desk().follow();
    std::vector<AheadDesk::Waiting> again;
    office.apply(*command, &again);
    CHECK(again.size() == 1);
    CHECK(office.credit() == Tokens{});
    CHECK(office.take(1)->verdict == Verdict::kUnknownLimit);
  }

  TEST_CASE("new keys are refused where the node's memory has no room") {
    Office office;
    office.desk().allow(0);
    const auto told = office.take(1);
    REQUIRE(told);
    CHECK(told->verdict == Verdict::kTooManyKeys);
    CHECK(told->remaining == Tokens::whole(1000));
    CHECK(office.take(1, true)->verdict == Verdict::kAdmitted);
  }

  TEST_CASE("shard time is logged once a second while a key is not full, and then no more") {
    Office office;
    CHECK(office.desk().next_deadline(office.now()) == base::kNever);
    office.taken(1);
    CHECK(office.log() == -1);
    int stamps = 0;
    for (int second = 0; second < 60; ++second) {
      office.pass(base::seconds(1));
      stamps += office.log() == 0 ? 1 : 0;
    }
    CHECK(stamps == 50);
    CHECK(office.desk().next_deadline(office.now()) == base::kNever);
    CHECK(office.store().ahead_books().keys() == 0);
  }

  TEST_CASE("time under a leader that logged nothing else is not lost with it") {
    Office office;
    office.taken(1000);
    for (int second = 0; second < 100; ++second) {
      office.pass(base::seconds(1));
      office.log();
    }
    office.elect();
    CHECK(office.total() == Tokens::whole(99));  // a second was overdrawn
  }
}

}  // namespace
}  // namespace brigade::node
