// Meshes that talk over real loopback sockets on ports that the kernel picks.
#include "net/mesh.h"

#include <algorithm>
#include <chrono>

#include <asio/connect.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include "base/hex.h"
#include "net/deadline_timer.h"
#include "net/gossip_socket.h"
#include "net/peer_sockets.h"
#include "tests/e2e/io_loop.h"

using namespace brigade;
using namespace brigade::net;
using Micros = std::chrono::duration<double, std::micro>;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr base::ClusterId kCluster{1, 2};

struct Station final : MeshEvents {
  explicit Station(asio::io_context& loop, std::uint64_t id, MeshLimits limits = {},
                   std::optional<base::ClusterId> cluster = kCluster, std::uint64_t boot = 1)
      : io(loop) {
    auto sockets = bind_peer_sockets(io, {"127.0.0.1", 0});
    REQUIRE(sockets);
    address = sockets->bound.text();
    limits.retry_min = base::milliseconds(5);
    limits.retry_max = base::milliseconds(50);
    const Hello self{.cluster = cluster,
                     .node = base::NodeId(id),
                     .boot = {id, boot},
                     .name = "n" + std::to_string(id),
                     .advertised = address};
    mesh = std::make_unique<Mesh>(io, MeshOptions{self, id, limits}, *this);
    mesh->accept_from(std::move(sockets->tcp));
  }

  void received(base::NodeId from, std::string_view frame) override {
    frames.emplace_back(from, frame.size() > 64 ? std::string(1, frame[0]) : std::string(frame));
    bytes += frame.size();
    if (on_frame) {
      on_frame(from, frame);
    }
  }
  void connected(base::NodeId peer) override { up.push_back(peer); }
  void disconnected(base::NodeId, const std::string& reason) override { down.push_back(reason); }
  void asked(const Hello& from, std::string_view question, Answer answer) override {
    asker = from;
    if (hold_answers) {
      held.push_back(answer);
    } else {
      answer("answer to " + std::string(question));
    }
  }
  void doubled(const std::string& reason, bool sure) override {
    (sure ? twins : rumours).push_back(reason);
  }
  std::optional<std::string> turn_away(const Hello&) override { return turned; }

  [[nodiscard]] bool was_told(std::string_view part) const {
    return std::any_of(down.begin(), down.end(), [&](const std::string& reason) {
      return reason.find(part) != std::string::npos;
    });
  }

  asio::io_context& io;
  std::string address;
  std::unique_ptr<Mesh> mesh;
  std::vector<std::pair<base::NodeId, std::string>> frames;
  std::size_t bytes = 0;
  std::vector<base::NodeId> up;
  std::vector<std::string> down;
  std::vector<std::string> twins;    // of this node, for sure
  std::vector<std::string> rumours;  // of twins
  std::optional<Hello> asker;
  std::optional<std::string> turned;
  bool hold_answers = false;
  std::vector<Answer> held;
  std::function<void(base::NodeId, std::string_view)> on_frame;
};

base::NodeId id(std::uint64_t value) {
  return base::NodeId(value);
}

// A connection that says what a test wants it to say.
struct Stranger {
  Stranger(asio::io_context& io, const std::string& address) : socket(io) {
    const auto target = parse_host_port(address).value();
    socket.connect({asio::ip::make_address(target.host), target.port}, error);
    REQUIRE_FALSE(error);
    socket.non_blocking(true, error);
  }
  void say(std::string_view bytes) { asio::write(socket, asio::buffer(bytes), error); }
  bool is_closed() {
    std::array<char, 4096> buffer{};
    asio::error_code failed;
    while (true) {
      const std::size_t n = socket.read_some(asio::buffer(buffer), failed);
      if (failed == asio::error::would_block) {
        return false;
      }
      if (failed) {
        return true;
      }
      heard.append(buffer.data(), n);
    }
  }
  asio::ip::tcp::socket socket;
  asio::error_code error;
  std::string heard;
};

}  // namespace

TEST_SUITE("e2e/mesh") {
  TEST_CASE("peers that know each other exchange frames in order on both lanes") {
    asio::io_context io;
    Station a(io, 1);
    Station b(io, 2);
    a.mesh->know(id(2), b.address);
    b.mesh->know(id(1), a.address);
    for (int i = 0; i < 100; ++i) {  // kept until the first connection stands
      CHECK(a.mesh->send(id(2), std::to_string(i), Lane::kUrgent));
    }
    CHECK(b.mesh->send(id(1), "bulk", Lane::kBulk));
    REQUIRE(run_until(io, [&] { return b.frames.size() == 100 && a.frames.size() == 1; }));
    for (int i = 0; i < 100; ++i) {
      CHECK(b.frames[static_cast<std::size_t>(i)] == std::pair(id(1), std::to_string(i)));
    }
    CHECK(a.frames[0] == std::pair(id(2), std::string("bulk")));
    REQUIRE(run_until(io, [&] { return !a.up.empty() && !b.up.empty(); }));
    CHECK(a.mesh->is_connected(id(2)));
    CHECK(a.down.empty());
  }

  TEST_CASE("a snapshot does not hold up a heartbeat") {
    asio::io_context io;
    Station a(io, 1);
    Station b(io, 2);
    a.mesh->know(id(2), b.address);
    b.mesh->know(id(1), a.address);
    a.mesh->send(id(2), std::string(std::size_t{60} << 20, 's'), Lane::kBulk);
    REQUIRE(run_until(io, [&] { return b.mesh->counters().frames_in == 0 && !a.up.empty(); }));
    a.mesh->send(id(2), "heartbeat", Lane::kUrgent);
    REQUIRE(run_until(io, [&] { return b.frames.size() == 2; }));
    CHECK(b.frames[0].second == "heartbeat");
    CHECK(b.frames[1].second == "s");
    CHECK(b.bytes == (std::size_t{60} << 20) + 9);
  }

  TEST_CASE("a peer that comes back is found again, and meanwhile frames are dropped") {
    asio::io_context io;
    Station a(io, 1);
    auto b = std::make_unique<Station>(io, 2);
    const std::string address = b->address;
    a.mesh->know(id(2), address);
    REQUIRE(run_until(io, [&] { return a.up.size() == 1; }));
    b.reset();
    REQUIRE(run_until(io, [&] { return a.down.size() == 2; }));  // closed; then: cannot reach
    CHECK_FALSE(a.mesh->send(id(2), "lost", Lane::kUrgent));
    CHECK(a.mesh->counters().dropped_down == 1);
    auto again = std::make_unique<Station>(io, 2);
    a.mesh->know(id(2), again->address);
    REQUIRE(run_until(io, [&] { return a.up.size() == 2; }));
    CHECK(a.mesh->send(id(2), "found", Lane::kUrgent));
    REQUIRE(run_until(io, [&] { return again->frames.size() == 1; }));
  }

  TEST_CASE("another cluster is refused and both sides are told why") {
    asio::io_context io;
    Station a(io, 1);
    Station b(io, 2, {}, base::ClusterId{9, 9});
    a.mesh->know(id(2), b.address);
    REQUIRE(run_until(io, [&] { return a.was_told("belongs to cluster"); }));
    CHECK(a.was_told(base::text(kCluster)));
    CHECK(a.up.empty());
    CHECK(b.mesh->counters().refused_here >= 1);
    CHECK(a.mesh->counters().refused_there >= 1);
  }

  TEST_CASE("a node that joins a cluster leaves peers of another") {
    asio::io_context io;
    Station a(io, 1, {}, std::nullopt);
    Station b(io, 2);
    b.mesh->know(id(1), a.address);
    REQUIRE(run_until(io, [&] { return b.up.size() == 1; }));
    a.mesh->join_cluster({9, 9});
    REQUIRE(run_until(io, [&] { return b.was_told("belongs to cluster"); }));
  }

  TEST_CASE("a copied data directory is refused with advice, to both") {
    asio::io_context io;
    Station b(io, 2);
    Station copy(io, 2, {}, kCluster, 77);
    copy.mesh->know(id(3), b.address);
    REQUIRE(run_until(io, [&] { return !copy.twins.empty() && !b.rumours.empty(); }));
    CHECK(copy.twins[0].find("data directory") != std::string::npos);
    CHECK(b.rumours[0].find("data directory") != std::string::npos);
    CHECK(b.twins.empty());  // whoever came may be anybody
    Station asker(io, 2, {}, kCluster, 78);
    asker.mesh->ask(b.address, "who?", base::seconds(2), [](const base::Result<Exchanged>&) {});
    REQUIRE(run_until(io, [&] { return !asker.twins.empty(); }));
    b.mesh->ask(b.address, "me?", base::seconds(2), [](const base::Result<Exchanged>&) {});
    run_for(io, std::chrono::milliseconds(50));
    CHECK(b.twins.empty());
  }

  TEST_CASE("a second process of a peer is refused while the first one speaks") {
    asio::io_context io;
    Station b(io, 2, {.silence = base::milliseconds(300)});
    Station first(io, 1);
    first.mesh->know(id(2), b.address);
    b.mesh->know(id(1), first.address);
    REQUIRE(run_until(io, [&] { return first.up.size() == 1; }));
    first.mesh->send(id(2), "here", Lane::kUrgent);
    REQUIRE(run_until(io, [&] { return b.frames.size() == 1; }));
    Station second(io, 1, {}, kCluster, 77);
    second.mesh->know(id(2), b.address);
    REQUIRE(run_until(io, [&] { return !second.rumours.empty(); }));
    CHECK(second.rumours[0].find("data directory") != std::string::npos);
    CHECK(first.down.empty());
    REQUIRE(run_until(io, [&] { return second.up.size() == 1; }));  // the first one was silent
  }

  TEST_CASE("processes that push each other out do so ever more slowly") {
    asio::io_context io;
    Station b(io, 2);
    Station first(io, 1);
    Station second(io, 1, {}, kCluster, 77);
    first.mesh->know(id(2), b.address);
    second.mesh->know(id(2), b.address);
    run_for(io, std::chrono::milliseconds(1000));
    CHECK(first.up.size() + second.up.size() >= 2);
    CHECK(first.up.size() + second.up.size() <= 60);
  }

  TEST_CASE("whoever answers at a peer's old address is not taken for it") {
    asio::io_context io;
    Station a(io, 1);
    Station b(io, 2);
    a.mesh->know(id(3), b.address);
    REQUIRE(run_until(io, [&] { return a.was_told("answers where"); }));
    CHECK(a.up.empty());
  }

  TEST_CASE("the layers above can turn a node away") {
    asio::io_context io;
    Station a(io, 1);
    Station b(io, 2);
    b.turned = "n1 was removed from this cluster";
    a.mesh->know(id(2), b.address);
    REQUIRE(run_until(io, [&] { return a.was_told("was removed"); }));
    base::Result<Exchanged> result = base::Error{};
    a.mesh->ask(b.address, "may I?", base::seconds(5),
                [&](base::Result<Exchanged> done) { result = std::move(done); });
    REQUIRE(run_until(io, [&] { return !result && !result.error().message.empty(); }));
    CHECK(result.error().message.find("was removed") != std::string::npos);
  }

  TEST_CASE("a question to an address is answered with who is there") {
    asio::io_context io;
    Station a(io, 1, {}, std::nullopt);
    Station b(io, 2);
    std::optional<Exchanged> exchanged;
    a.mesh->ask(b.address, std::string(1 << 20, 'q'), base::seconds(5),
                [&](base::Result<Exchanged> done) {
                  REQUIRE(done);
                  exchanged = *done;
                });
    REQUIRE(run_until(io, [&] { return exchanged.has_value(); }));
    CHECK(exchanged->peer.node == id(2));
    CHECK(exchanged->peer.cluster == kCluster);
    CHECK(exchanged->answer.size() == (1 << 20) + 10);
    CHECK(b.asker->node == id(1));
    CHECK_FALSE(b.asker->cluster);
  }

  TEST_CASE("an answer may come later, too late, or to nobody") {
    asio::io_context io;
    Station a(io, 1);
    auto b = std::make_unique<Station>(io, 2);
    b->hold_answers = true;
    std::vector<std::string> ends;
    const auto end = [&](base::Result<Exchanged> done) {
      ends.push_back(done ? done->answer : done.error().message);
    };
    a.mesh->ask(b->address, "patient", base::seconds(5), end);
    REQUIRE(run_until(io, [&] { return b->held.size() == 1; }));
    b->held[0]("at last");
    REQUIRE(run_until(io, [&] { return ends.size() == 1; }));
    CHECK(ends[0] == "at last");
    b->held[0]("twice");  // without effect

    a.mesh->ask(b->address, "impatient", base::milliseconds(50), end);
    REQUIRE(run_until(io, [&] { return ends.size() == 2; }));
    CHECK(ends[1].find("no answer in time") != std::string::npos);
    run_for(io, std::chrono::milliseconds(20));
    b->held.back()("too late");

    const std::string address = b->address;
    b.reset();
    a.mesh->ask(address, "anyone?", base::seconds(5), end);
    REQUIRE(run_until(io, [&] { return ends.size() == 3; }));
    CHECK(ends[2].find("cannot reach") != std::string::npos);
    a.mesh->ask("no address", "anyone?", base::seconds(5), end);
    REQUIRE(run_until(io, [&] { return ends.size() == 4; }));
  }

  TEST_CASE("a mesh may be destroyed while everything is under way") {
    asio::io_context io;
    auto a = std::make_unique<Station>(io, 1);
    Station b(io, 2);
    b.hold_answers = true;
    a->mesh->know(id(2), b.address);
    a->mesh->know(id(3), "127.0.0.1:1");
    a->mesh->know(id(4), "name.invalid:1");
    b.mesh->know(id(1), a->address);
    bool called = false;
    a->mesh->ask(b.address, "?", base::seconds(5), [&](const auto&) { called = true; });
    REQUIRE(run_until(io, [&] { return !a->up.empty() && !b.up.empty() && !b.held.empty(); }));
    a->mesh->send(id(2), std::string(1 << 22, 'x'), Lane::kBulk);
    a.reset();
    b.held[0]("nobody listens");
    run_for(io, std::chrono::milliseconds(100));
    CHECK_FALSE(called);
  }

  TEST_CASE("forgetting a peer in the middle of its message is allowed") {
    asio::io_context io;
    Station a(io, 1);
    Station b(io, 2);
    a.mesh->know(id(2), b.address);
    b.mesh->know(id(1), a.address);
    b.on_frame = [&](base::NodeId from, std::string_view) { b.mesh->forget(from); };
    a.mesh->send(id(2), "one", Lane::kUrgent);
    a.mesh->send(id(2), "two", Lane::kUrgent);
    REQUIRE(run_until(io, [&] { return !a.down.empty(); }));
    CHECK(b.frames.size() == 1);
    CHECK_FALSE(b.mesh->send(id(1), "who?", Lane::kUrgent));
  }

  TEST_CASE("a full queue drops the newest and counts it") {
    asio::io_context io;
    MeshLimits limits;
    limits.urgent_bytes = 1000;
    limits.frames = 10;
    Station a(io, 1, limits);
    Station b(io, 2);
    a.mesh->know(id(2), b.address);
    CHECK(a.mesh->send(id(2), std::string(900, 'x'), Lane::kUrgent));
    CHECK_FALSE(a.mesh->send(id(2), std::string(200, 'y'), Lane::kUrgent));
    for (int i = 0; i < 20; ++i) {
      a.mesh->send(id(2), "z", Lane::kUrgent);
    }
    CHECK(a.mesh->counters().dropped_full == 12);
    REQUIRE(run_until(io, [&] { return b.frames.size() == 10; }));
    CHECK_FALSE(a.mesh->send(id(2), std::string(kMaxFrameBytes + 1, 'x'), Lane::kBulk));
  }

  TEST_CASE("malformed bytes close their connection and no other") {
    asio::io_context io;
    Station a(io, 1);
    Station b(io, 2);
    a.mesh->know(id(2), b.address);
    REQUIRE(run_until(io, [&] { return a.up.size() == 1; }));
    Stranger http(io, b.address);
    http.say("GET / HTTP/1.1\r\n\r\n");
    REQUIRE(run_until(io, [&] { return http.is_closed(); }));

    Stranger rude(io, b.address);  // a question before the greeting
    std::string frame;
    append_frame(frame, FrameKind::kQuestion, "?");
    rude.say(frame);
    REQUIRE(run_until(io, [&] { return rude.is_closed(); }));

    Stranger odd(io, b.address);  // a greeting that is none: told so
    frame.clear();
    append_frame(frame, FrameKind::kHello, "hello?");
    odd.say(frame);
    REQUIRE(run_until(io, [&] { return odd.is_closed(); }));
    CHECK(odd.heard.find("not understood") != std::string::npos);

    Stranger liar(io, b.address);  // greets well, then sends rubbish
    frame.clear();
    const Hello hello{.cluster = kCluster, .node = id(7), .boot = {7, 7}, .name = "n7"};
    append_frame(frame, FrameKind::kHello, encode(hello));
    liar.say(frame + std::string(100, '\xff'));
    REQUIRE(run_until(io, [&] { return liar.is_closed(); }));

    CHECK(a.mesh->send(id(2), "still here", Lane::kUrgent));
    REQUIRE(run_until(io, [&] { return b.frames.size() == 1; }));
    CHECK(a.down.empty());
  }

  TEST_CASE("whoever does not greet in time is closed, and strangers are bounded") {
    asio::io_context io;
    MeshLimits limits;
    limits.greeting_patience = base::milliseconds(100);
    limits.unknown_inlets = 2;
    Station b(io, 2, limits);
    Stranger one(io, b.address);
    Stranger two(io, b.address);
    run_for(io, std::chrono::milliseconds(10));
    Stranger three(io, b.address);  // the oldest makes room
    three.say("x");
    REQUIRE(run_until(io, [&] { return one.is_closed(); }));
    CHECK_FALSE(three.is_closed());
    REQUIRE(run_until(io, [&] { return two.is_closed() && three.is_closed(); }));
    Stranger four(io, b.address);  // the places are free again
    run_for(io, std::chrono::milliseconds(30));
    CHECK_FALSE(four.is_closed());
  }

  TEST_CASE("a node that is not known gets little room, and none without a cluster") {
    asio::io_context io;
    MeshLimits limits;
    limits.strangers = 1;
    Station b(io, 2, limits);
    Hello hello{.cluster = kCluster, .node = id(7), .boot = {7, 7}, .name = "n7"};
    const auto greeting = [](const Hello& words) {
      std::string frame;
      append_frame(frame, FrameKind::kHello, encode(words));
      return frame;
    };
    Stranger seven(io, b.address);
    seven.say(greeting(hello));
    run_for(io, std::chrono::milliseconds(30));
    Stranger eight(io, b.address);
    hello.node = id(8);
    eight.say(greeting(hello));
    REQUIRE(run_until(io, [&] { return eight.is_closed(); }));
    hello.cluster.reset();
    hello.node = id(7);
    Stranger loner(io, b.address);
    loner.say(greeting(hello));
    REQUIRE(run_until(io, [&] { return loner.is_closed(); }));
    CHECK_FALSE(seven.is_closed());
    std::string large;
    append_frame(large, FrameKind::kMessage, std::string(limits.stranger_bytes + 1, 'x'));
    seven.say(large);
    REQUIRE(run_until(io, [&] { return seven.is_closed(); }));
    CHECK(b.frames.empty());
  }

  TEST_CASE("a newer connection of the same peer and lane replaces the older") {
    asio::io_context io;
    Station b(io, 2);
    std::string frame;
    append_frame(frame, FrameKind::kHello,
                 encode(Hello{.cluster = kCluster, .node = id(7), .boot = {7, 7}, .name = "n7"}));
    Stranger before(io, b.address);
    before.say(frame);
    run_for(io, std::chrono::milliseconds(30));
    CHECK_FALSE(before.is_closed());
    Stranger after(io, b.address);
    after.say(frame);
    REQUIRE(run_until(io, [&] { return before.is_closed(); }));
    std::string message;
    append_frame(message, FrameKind::kMessage, "hi");
    after.say(message);
    REQUIRE(run_until(io, [&] { return b.frames.size() == 1; }));
  }
}

TEST_SUITE("e2e/sockets") {
  TEST_CASE("an address in use is explained") {
    asio::io_context io;
    const auto first = bind_peer_sockets(io, {"127.0.0.1", 0});
    REQUIRE(first);
    CHECK(first->bound.port != 0);
    const auto second = bind_peer_sockets(io, first->bound);
    REQUIRE_FALSE(second);
    CHECK(second.error().message == "address in use: " + first->bound.text() +
                                        " belongs to another process; choose another with --peer");
    const auto foreign = bind_peer_sockets(io, {"203.0.113.1", 0});
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().message.find("no address of this machine") != std::string::npos);
  }

  TEST_CASE("datagrams reach numbers and names and show where they come from") {
    asio::io_context io;
    auto one = bind_peer_sockets(io, {"127.0.0.1", 0});
    auto two = bind_peer_sockets(io, {"127.0.0.1", 0});
    REQUIRE(one);
    REQUIRE(two);
    std::vector<std::pair<std::string, std::string>> got;
    GossipSocket a(std::move(one->udp), [](const std::string&, std::string_view) {});
    GossipSocket b(std::move(two->udp), [&](const std::string& from, std::string_view datagram) {
      got.emplace_back(from, datagram);
    });
    CHECK(a.send(two->bound.text(), "ping"));
    REQUIRE(run_until(io, [&] { return got.size() == 1; }));
    CHECK(got[0] == std::pair(one->bound.text(), std::string("ping")));
    const std::string name = "localhost:" + std::to_string(two->bound.port);
    REQUIRE(run_until(io, [&] { return a.send(name, "by name") && got.size() > 1; }));
    CHECK_FALSE(a.send(two->bound.text(), std::string(GossipSocket::kMaxDatagram + 1, 'x')));
    CHECK_FALSE(a.send("nonsense", "x"));
    CHECK(a.send("127.0.0.1:1", "nobody"));  // the kernel's complaint stops nothing
    got.clear();
    CHECK(a.send(two->bound.text(), std::string(GossipSocket::kMaxDatagram, 'x')));
    REQUIRE(run_until(io, [&] {
      return !got.empty() && got.back().second.size() == GossipSocket::kMaxDatagram;
    }));
  }

  TEST_CASE("the deadline timer rings once per deadline and can be put off") {
    asio::io_context io;
    int rings = 0;
    const base::TimePoint now(base::seconds(100));
    {
      DeadlineTimer timer(io, [&] { ++rings; });
      timer.arm(now + base::milliseconds(5), now);
      timer.arm(now + base::milliseconds(10), now);
      REQUIRE(run_until(io, [&] { return rings == 1; }));
      run_for(io, std::chrono::milliseconds(30));
      CHECK(rings == 1);
      timer.arm(now, now + base::seconds(1));  // overdue
      REQUIRE(run_until(io, [&] { return rings == 2; }));
      timer.arm(now + base::milliseconds(5), now);
      timer.arm(base::kNever, now);
      run_for(io, std::chrono::milliseconds(20));
      CHECK(rings == 2);
      timer.arm(now + base::milliseconds(5), now);
    }
    run_for(io, std::chrono::milliseconds(20));
    CHECK(rings == 2);
  }
}
