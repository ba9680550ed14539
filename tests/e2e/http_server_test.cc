// The HTTP door over real loopback sockets.
#include "api/http_server.h"

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <asio/write.hpp>
#include <doctest/doctest.h>
#include <sys/resource.h>

#include "tests/api/scripted_desk.h"
#include "tests/e2e/io_loop.h"

namespace brigade::api {
namespace {

using asio::ip::tcp;
using node::Decision;
using node::Verdict;

tcp::acceptor free_port(asio::io_context& io) {
  return {io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
}

struct World {
  asio::io_context io;
  ScriptedDesk desk;
  tcp::acceptor acceptor = free_port(io);
  tcp::endpoint endpoint = acceptor.local_endpoint();
  HttpServer server;

  explicit World(HttpLimits limits = {})
      : server(std::move(acceptor), desk, [] { return 1; }, limits) {}

  template <class Condition>
  bool run_until(const Condition& condition) {
    return brigade::run_until(io, condition);
  }
  void run_for(std::chrono::milliseconds time) { brigade::run_for(io, time); }
};

// A client that sends and collects until its connection ends.
struct Client {
  tcp::socket socket;
  std::string received;
  bool ended = false;

  explicit Client(World& world) : socket(world.io) { connect(world); }
  // Has its socket, connects when told.
  struct Later {};
  Client(World& world, Later) : socket(world.io, tcp::v4()) {}
  void connect(World& world) {
    socket.connect(world.endpoint);
    read();
  }
  void send(const std::string& text) { asio::write(socket, asio::buffer(text)); }
  [[nodiscard]] std::size_t answers() const {
    std::size_t count = 0;
    for (std::size_t at = received.find("HTTP/1."); at != std::string::npos;
         at = received.find("HTTP/1.", at + 1)) {
      ++count;
    }
    return count;
  }
  [[nodiscard]] bool has(const std::string& text) const {
    return received.find(text) != std::string::npos;
  }

 private:
  void read() {
    socket.async_read_some(asio::buffer(buffer_), [this](asio::error_code error, std::size_t size) {
      received.append(buffer_.data(), size);
      ended = static_cast<bool>(error);
      if (!error) {
        read();
      }
    });
  }
  std::array<char, 4096> buffer_{};
};

std::string post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST_CASE("requests of one connection are answered one after the other, and it stays open") {
  World world;
  world.desk.next = Decision{.verdict = Verdict::kAdmitted,
                             .remaining = node::Tokens::whole(3),
                             .burst = node::Tokens::whole(10),
                             .rate = base::Rate::per_second(5)};
  Client client(world);
  client.send(post("/v1/acquire", R"({"limit":"api"})"));
  REQUIRE(world.run_until([&] { return client.has("}"); }));
  CHECK(client.received.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(client.has("Content-Type: application/json\r\n"));
  CHECK(client.has("RateLimit-Policy: \"api\";q=10;w=2\r\n"));
  CHECK(client.has(R"({"admitted":true,"remaining":3,)"));
  // Two at once: pipelined.
  client.send(post("/v1/acquire", "nonsense") + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(world.run_until([&] { return client.has("ok\n"); }));
  CHECK(client.answers() == 3);
  CHECK(client.has("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(!client.ended);
  CHECK(world.server.connections() == 1);
}

TEST_CASE("a parked acquire is answered when it is decided") {
  World world;
  Client client(world);
  client.send(post("/v1/acquire", R"({"limit":"api","wait_ms":1000})"));
  REQUIRE(world.run_until([&] { return !world.desk.parked.empty(); }));
  CHECK(client.received.empty());
  const auto parked = world.desk.parked.front();
  parked.waiter->decided(parked.token,
                         {.verdict = Verdict::kRefused, .retry_after = base::milliseconds(1500)});
  REQUIRE(world.run_until([&] { return client.has("}"); }));
  CHECK(client.received.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
  CHECK(client.has("Retry-After: 2\r\n"));
}

TEST_CASE("a client that goes away gives up what it waited for") {
  World world;
  {
    Client client(world);
    client.send(post("/v1/acquire", R"({"limit":"api"})"));
    REQUIRE(world.run_until([&] { return !world.desk.parked.empty(); }));
    client.socket.close();
    REQUIRE(world.run_until([&] { return client.ended; }));
  }
  REQUIRE(world.run_until([&] { return !world.desk.abandoned.empty(); }));
  CHECK(world.desk.parked.empty());
  CHECK(world.server.connections() == 0);
}

TEST_CASE("bytes that are no HTTP end their connection and no other") {
  World world;
  Client good(world);
  Client bad(world);
  bad.send("\x16\x03\x01 this is not HTTP\r\n\r\n");
  REQUIRE(world.run_until([&] { return bad.ended; }));
  good.send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(world.run_until([&] { return good.has("ready\n"); }));
}

TEST_CASE("a body above the limit is told and ends its connection") {
  World world(HttpLimits{.message = {.body = 1000}});
  Client client(world);
  client.send(post("/v1/acquire", std::string(1001, ' ')));
  REQUIRE(world.run_until([&] { return client.ended; }));
  CHECK(client.received.starts_with("HTTP/1.1 413 Payload Too Large\r\n"));
  CHECK(client.has("Connection: close\r\n"));
  CHECK(client.has("too_large"));
  CHECK(world.desk.asked.empty());
}

TEST_CASE("a client that sends on after it is refused still reads why") {
  World world(HttpLimits{.message = {.body = 1000}});
  Client client(world);
  client.send(post("/v1/acquire", std::string(300'000, ' ')));
  REQUIRE(world.run_until([&] { return client.ended; }));
  CHECK(client.has("too_large"));
}

TEST_CASE("pipelined requests are answered in order although the first one waits") {
  World world;
  Client client(world);
  client.send(post("/v1/acquire", R"({"limit":"api"})") +
              "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(world.run_until([&] { return !world.desk.parked.empty(); }));
  world.run_for(std::chrono::milliseconds(20));
  CHECK(client.received.empty());
  const auto parked = world.desk.parked.front();
  parked.waiter->decided(parked.token, {.verdict = Verdict::kRefused});
  REQUIRE(world.run_until([&] { return client.has("ok\n"); }));
  CHECK(client.received.starts_with("HTTP/1.1 429 "));
  CHECK(client.answers() == 2);
}

TEST_CASE("a client that waits for leave to send its body gets it") {
  World world;
  world.desk.next = Decision{.verdict = Verdict::kAdmitted};
  Client client(world);
  client.send(
      "POST /v1/acquire HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 15\r\n\r\n");
  REQUIRE(world.run_until([&] { return client.has("HTTP/1.1 100 Continue\r\n\r\n"); }));
  client.send(R"({"limit":"api"})");
  REQUIRE(world.run_until([&] { return client.has("HTTP/1.1 200 OK\r\n"); }));
}

TEST_CASE("HEAD has the head of an answer only") {
  World world;
  Client client(world);
  client.send(
      "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(world.run_until([&] { return client.answers() == 2 && client.has("ok\n"); }));
  CHECK(client.received.find("\r\n\r\nHTTP/1.1 200 OK\r\n") != std::string::npos);
}

TEST_CASE("a client that closes its sending side still gets what is decided at once") {
  World world;
  Client client(world);
  client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  client.socket.shutdown(tcp::socket::shutdown_send);
  REQUIRE(world.run_until([&] { return client.ended; }));
  CHECK(client.has("ok\n"));
  CHECK(world.run_until([&] { return world.server.connections() == 0; }));
}

TEST_CASE("a client that is too slow with its request is closed, one that waits is not") {
  World world(HttpLimits{.reading = base::milliseconds(40)});
  Client slow(world);
  slow.send("GET /healthz HTT");
  Client waiting(world);
  waiting.send(post("/v1/acquire", R"({"limit":"api"})"));
  REQUIRE(world.run_until([&] { return slow.ended; }));
  world.run_for(std::chrono::milliseconds(120));
  CHECK(slow.received.empty());
  CHECK(!waiting.ended);
  REQUIRE(world.desk.parked.size() == 1);
}

TEST_CASE("a client that does not read its answers is not read from, and closed in time") {
  World world(HttpLimits{.writing = base::milliseconds(100)});
  tcp::socket deaf(world.io);
  deaf.connect(world.endpoint);
  deaf.non_blocking(true);
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  std::size_t sent = 0;
  REQUIRE(world.run_until([&] {
    asio::error_code full;
    std::string many;
    for (int i = 0; i < 200; ++i) {
      many += request;
    }
    sent += deaf.write_some(asio::buffer(many), full);
    return world.server.connections() == 0 && sent > 0;
  }));
}

TEST_CASE("connections beyond the limit are closed at once") {
  World world(HttpLimits{.connections = 1});
  Client first(world);
  REQUIRE(world.run_until([&] { return world.server.connections() == 1; }));
  Client second(world);
  REQUIRE(world.run_until([&] { return second.ended; }));
  first.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(world.run_until([&] { return first.has("ok\n"); }));
}

TEST_CASE("a door that ran out of file descriptors accepts again when there are some") {
  World world;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  std::vector<std::unique_ptr<Client>> crowd;
  Client late(world, Client::Later{});  // has its descriptor, is not connected
  for (int i = 0; i < 8; ++i) {
    crowd.push_back(std::make_unique<Client>(world));
  }
  // Every descriptor above the last one in use is out of bounds now.
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(crowd.back()->socket.native_handle()) + 1;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  world.run_for(std::chrono::milliseconds(30));
  const std::size_t accepted = world.server.connections();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(accepted == 0);
  late.connect(world);
  late.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(world.run_until([&] { return late.has("ok\n"); }));
}

TEST_CASE("Connection: close is honoured") {
  World world;
  Client client(world);
  client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  REQUIRE(world.run_until([&] { return client.ended; }));
  CHECK(client.has("ok\n"));
}

TEST_CASE("connections may outlive the server") {
  asio::io_context io;
  ScriptedDesk desk;
  auto acceptor = free_port(io);
  const auto endpoint = acceptor.local_endpoint();
  auto server = std::make_unique<HttpServer>(std::move(acceptor), desk, [] { return 1; });
  tcp::socket client(io);
  client.connect(endpoint);
  asio::write(client, asio::buffer(post("/v1/acquire", R"({"limit":"api"})")));
  for (int i = 0; i < 200 && desk.parked.empty(); ++i) {
    io.run_one_for(std::chrono::milliseconds(50));
    io.restart();
  }
  REQUIRE(desk.parked.size() == 1);
  server.reset();
  CHECK(desk.parked.empty());
  io.run_for(std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace brigade::api
