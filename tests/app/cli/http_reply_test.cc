#include "app/cli/http_reply.h"

#include <string>

#include <doctest/doctest.h>

#include "app/cli/http_client.h"

namespace brigade::cli {
namespace {

using State = HttpReplyReader::State;

// Fed whole, and cut in two at every byte: the same must come out.
State fed(HttpReplyReader& reader, const std::string& bytes) {
  const State whole = reader.feed(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    HttpReplyReader other;
    other.feed(std::string_view(bytes).substr(0, cut));
    const State state = other.feed(std::string_view(bytes).substr(cut));
    CHECK(state == whole);
    CHECK(other.reply().status == reader.reply().status);
    CHECK(other.reply().body == reader.reply().body);
  }
  return whole;
}

State state_of(const std::string& bytes) {
  HttpReplyReader reader;
  return fed(reader, bytes);
}

TEST_CASE("a body of a stated length is whole when its last byte is there") {
  HttpReplyReader reader;
  CHECK(fed(reader, "HTTP/1.1 429 Too Many\r\ncontent-length:  5 \r\nX: y\r\n\r\nhello, ignored") ==
        State::kDone);
  CHECK(reader.reply().status == 429);
  CHECK(reader.reply().body == "hello");
  CHECK(state_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell") == State::kMore);
  CHECK(state_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == State::kDone);
  CHECK(state_of("HTTP/1.1 204 No Content\r\n\r\n") == State::kDone);
}

TEST_CASE("chunks are put together, their extensions and trailers are skipped") {
  HttpReplyReader reader;
  CHECK(fed(reader,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
            "3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n") == State::kDone);
  CHECK(reader.reply().body == "abc0123456789");
  CHECK(state_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc") == State::kMore);
}

TEST_CASE("without a length the body ends with the connection, and only then") {
  HttpReplyReader reader;
  CHECK(fed(reader, "HTTP/1.0 200 OK\r\n\r\nall of it") == State::kMore);
  CHECK(reader.ended() == State::kDone);
  CHECK(reader.reply().body == "all of it");
}

TEST_CASE("a connection that ends early gives no reply") {
  for (const char* bytes : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    HttpReplyReader reader;
    reader.feed(bytes);
    CHECK(reader.ended() == State::kBroken);
  }
}

TEST_CASE("interim replies are skipped") {
  HttpReplyReader reader;
  CHECK(fed(reader,
            "HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") == State::kDone);
  CHECK(reader.reply().status == 200);
  CHECK(reader.reply().body == "ok");
}

TEST_CASE("another protocol is told from a cut reply") {
  HttpReplyReader redis;
  CHECK(fed(redis, "-ERR unknown command 'GET'\r\n") == State::kBroken);
  CHECK(!redis.spoke_http());
  HttpReplyReader cut;
  cut.feed("HTTP/1.1 200 OK\r\nContent-Le");
  CHECK(cut.ended() == State::kBroken);
  CHECK(cut.spoke_http());
}

TEST_CASE("nonsense and what is above the limits is broken, not awaited") {
  CHECK(state_of("HTTP/1.1 abc OK\r\n\r\n") == State::kBroken);
  CHECK(state_of("HTTP/1.1 099 OK\r\n\r\n") == State::kBroken);
  CHECK(state_of("HTTP/1.1\r\n\r\n") == State::kBroken);
  CHECK(state_of("HTTP/1.1 200 OK\r\nno colon\r\n\r\n") == State::kBroken);
  CHECK(state_of("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n") == State::kBroken);
  CHECK(state_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab") ==
        State::kBroken);
  CHECK(state_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n") == State::kBroken);
  CHECK(state_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n") == State::kBroken);
  CHECK(state_of("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n") == State::kBroken);
  HttpReplyReader endless;
  CHECK(endless.feed("HTTP/1.1 200 OK\r\nX: " + std::string(HttpReplyReader::kHeadMax, 'x')) ==
        State::kBroken);
}

TEST_CASE("path segments are encoded so that nothing in them is taken for syntax") {
  CHECK(percent_encoded("api-v1.x_~") == "api-v1.x_~");
  CHECK(percent_encoded("a/b c?d%\xC3\xA9") == "a%2Fb%20c%3Fd%25%C3%A9");
  CHECK(percent_encoded("") == "");
}

}  // namespace
}  // namespace brigade::cli
