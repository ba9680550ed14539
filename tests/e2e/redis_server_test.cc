// The Redis protocol's door over real loopback sockets.
#include "api/redis_server.h"

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "api/redis_session.h"
#include "tests/api/scripted_desk.h"
#include "tests/e2e/io_loop.h"

namespace brigade::api {
namespace {

using asio::ip::tcp;

struct World {
  asio::io_context io;
  ScriptedDesk desk;
  tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  tcp::endpoint endpoint = acceptor.local_endpoint();
  RedisServer server;

  explicit World(RedisLimits limits = {}) : server(io, std::move(acceptor), desk, limits) {}

  template <class Condition>
  bool run_until(const Condition& condition) {
    return brigade::run_until(io, condition);
  }
  void run_for(std::chrono::milliseconds time) { brigade::run_for(io, time); }
};

// A client that sends at once, and reads when it is asked to.
struct Client {
  tcp::socket socket;
  std::string received;
  bool ended = false;

  explicit Client(World& world) : socket(world.io) {
    socket.connect(world.endpoint);
    socket.non_blocking(true);
  }
  std::size_t send(const std::string& bytes) {
    std::error_code full;
    return socket.write_some(asio::buffer(bytes), full);
  }
  bool has(const std::string& text) {
    std::array<char, 4096> bytes{};
    std::error_code error;
    while (const std::size_t size = socket.read_some(asio::buffer(bytes), error)) {
      received.append(bytes.data(), size);
    }
    ended = error == asio::error::eof || error == asio::error::connection_reset;
    return received.find(text) != std::string::npos;
  }
  bool is_ended() {
    has("");
    return ended;
  }
};

}  // namespace

TEST_CASE("connections beyond the bound are told so, and get in when others leave") {
  World world({.connections = 1});
  auto first = std::make_unique<Client>(world);
  first->send("PING\r\n");
  REQUIRE(world.run_until([&] { return first->has("+PONG"); }));
  Client second(world);
  REQUIRE(world.run_until([&] { return second.has("-ERR max number of clients reached\r\n"); }));
  CHECK(world.run_until([&] { return second.is_ended(); }));
  first.reset();
  REQUIRE(world.run_until([&] { return world.server.connections() == 0; }));
  Client third(world);
  third.send("PING\r\n");
  CHECK(world.run_until([&] { return third.has("+PONG"); }));
}

TEST_CASE("who does not end a command is let go, who is idle or waits for a decision is not") {
  World world({.patience = std::chrono::milliseconds(80)});
  Client idle(world);
  Client waiting(world);
  waiting.send("BRIGADE.ACQUIRE api\r\nPI");
  Client slow(world);
  slow.send("*2\r\n$4\r\nPI");
  REQUIRE(world.run_until([&] { return slow.is_ended(); }));
  world.run_for(std::chrono::milliseconds(200));
  CHECK_FALSE(idle.is_ended());
  CHECK_FALSE(waiting.is_ended());
}

TEST_CASE("who does not read its answers is let go, and holds little until then") {
  World world({.patience = std::chrono::milliseconds(200)});
  Client greedy(world);
  std::string pings;
  for (int i = 0; i < 1000; ++i) {
    pings += "INFO\r\n";
  }
  std::size_t taken = 0;
  for (int i = 0; i < 3000; ++i) {
    taken += greedy.send(pings);
    world.io.run_one_for(std::chrono::milliseconds(1));
    world.io.restart();
  }
  CHECK(taken < pings.size() * 3000);
  CHECK(world.run_until([&] { return world.server.connections() == 0; }));
}

TEST_CASE("together clients hold no more than the budget") {
  World world({.held = std::size_t{1} << 20U});
  const std::string part = "*60\r\n" + std::string("$60000\r\n") + std::string(50'000, 'a');
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<Client>(world));
    std::size_t sent = 0;
    world.run_until([&] {
      sent += clients.back()->send(part.substr(sent));
      return sent == part.size() || clients.back()->is_ended();
    });
  }
  Client honest(world);
  honest.send("PING\r\n");
  CHECK(world.run_until([&] { return honest.has("+PONG"); }));
  CHECK(world.server.connections() < 30);
}

}  // namespace brigade::api
