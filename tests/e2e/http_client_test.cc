// The client of client commands over real loopback sockets.
#include "app/cli/http_client.h"

#include <string>
#include <thread>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

namespace brigade::cli {
namespace {

using asio::ip::tcp;

// Accepts one connection, reads a head, sends `answer` and closes; with an empty answer it is
// silent until the client leaves.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer)
      : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        thread_([this, answer = std::move(answer)] { serve(answer); }) {}
  ~OneAnswer() { thread_.join(); }

  [[nodiscard]] net::HostPort address(const std::string& host = "127.0.0.1") const {
    return {.host = host, .port = acceptor_.local_endpoint().port()};
  }
  // Requires: the client has got its answer and this object is only read afterwards.
  std::string received;

 private:
  void serve(const std::string& answer) {
    tcp::socket socket = acceptor_.accept();
    std::error_code ignored;
    asio::read_until(socket, asio::dynamic_buffer(received), "\r\n\r\n", ignored);
    if (answer.empty()) {
      char byte = 0;
      socket.read_some(asio::buffer(&byte, 1), ignored);
      return;
    }
    asio::write(socket, asio::buffer(answer), ignored);
  }

  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

TEST_CASE("a request is sent whole and its reply returned whatever its status") {
  base::Result<HttpReply> reply = base::Error{};
  {
    OneAnswer server("HTTP/1.1 429 No\r\nContent-Length: 4\r\n\r\nwait");
    reply = http_ask(server.address("localhost"),
                     {.method = "PUT", .target = "/v1/limits?prune=true", .body = "{}"});
    const std::string expected = "PUT /v1/limits?prune=true HTTP/1.1\r\nHost: localhost:" +
                                 std::to_string(server.address().port) + "\r\n";
    CHECK(server.received.starts_with(expected));
    CHECK(server.received.find("\r\nContent-Length: 2\r\n") != std::string::npos);
    CHECK(server.received.find("\r\nConnection: close\r\n") != std::string::npos);
  }
  REQUIRE(reply.has_value());
  CHECK(reply->status == 429);
  CHECK(reply->body == "wait");
}

TEST_CASE("an unreachable node is told with its address and how to ask another") {
  net::HostPort closed{.host = "127.0.0.1", .port = 0};
  {
    asio::io_context io;
    const tcp::acceptor taken(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    closed.port = taken.local_endpoint().port();
  }
  const auto reply = http_ask(closed, {});
  REQUIRE(!reply.has_value());
  CHECK(reply.error().message.find(closed.text()) != std::string::npos);
  CHECK(reply.error().message.find("Connection refused") != std::string::npos);
  CHECK(reply.error().message.find("BRIGADE_NODE") != std::string::npos);
}

TEST_CASE("a node that does not answer is given up after the time allowed") {
  OneAnswer silent("");
  const auto reply = http_ask(silent.address(), {}, {.answering = base::milliseconds(50)});
  REQUIRE(!reply.has_value());
  CHECK(reply.error().message.find("did not answer within") != std::string::npos);
}

TEST_CASE("another protocol and a cut reply are told apart") {
  OneAnswer redis("-ERR unknown command 'GET'\r\n");
  const auto other = http_ask(redis.address(), {});
  REQUIRE(!other.has_value());
  CHECK(other.error().message.find("does not speak HTTP") != std::string::npos);
  OneAnswer cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  const auto half = http_ask(cut.address(), {});
  REQUIRE(!half.has_value());
  CHECK(half.error().message.find("ended the connection") != std::string::npos);
}

}  // namespace
}  // namespace brigade::cli
