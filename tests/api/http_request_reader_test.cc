#include "api/http_request_reader.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

namespace brigade::api {
namespace {

using State = HttpRequestReader::State;

struct Read {
  std::vector<std::string> requests;  // "METHOD path?query|body|keep or close"
  int refused = 0;                    // the refusal's status
  bool expected = false;
};

void feed(HttpRequestReader& reader, std::string_view bytes, Read& read) {
  while (!bytes.empty() && read.refused == 0) {
    const auto fed = reader.feed(bytes);
    REQUIRE(fed.used <= bytes.size());
    bytes.remove_prefix(fed.used);
    read.expected = reader.take_expectation() || read.expected;
    if (fed.state == State::kRequest) {
      const HttpRequest one = reader.request();
      read.requests.push_back(std::string(one.method) + " " + std::string(one.path) + "?" +
                              std::string(one.query) + "|" + std::string(one.body) + "|" +
                              (reader.keep_alive() ? "keep" : "close"));
    } else if (fed.state == State::kRefused) {
      read.refused = reader.refusal().status;
    } else {
      REQUIRE(bytes.empty());
    }
  }
}

// Fed whole, and cut in two at every byte: the same must come out.
Read fed(const std::string& bytes, const HttpReadLimits& limits = {}) {
  Read whole;
  HttpRequestReader reader(limits);
  feed(reader, bytes, whole);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    Read parts;
    HttpRequestReader other(limits);
    feed(other, std::string_view(bytes).substr(0, cut), parts);
    feed(other, std::string_view(bytes).substr(cut), parts);
    CHECK(parts.requests == whole.requests);
    CHECK(parts.refused == whole.refused);
  }
  return whole;
}

using Requests = std::vector<std::string>;

TEST_CASE("pipelined requests come out one by one with their bodies") {
  const Read read =
      fed("POST /v1/acquire HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
          "GET /v1/limits/a%2Fb?format=yaml&x HTTP/1.1\r\nHost: x\r\n\r\n"
          "DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(read.requests == Requests{"POST /v1/acquire?|hello|keep",
                                  "GET /v1/limits/a%2Fb?format=yaml&x||keep", "DELETE /?||close"});
  CHECK(read.refused == 0);
}

TEST_CASE("chunked bodies are put together") {
  const Read read =
      fed("PUT /v1/limits HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
          "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: z\r\n\r\n"
          "GET / HTTP/1.1\r\n\r\n");
  CHECK(read.requests == Requests{"PUT /v1/limits?|abcde|keep", "GET /?||keep"});
}

TEST_CASE("HTTP/1.0 connections stay only when the client asks for it") {
  CHECK(fed("GET / HTTP/1.0\r\n\r\n").requests == Requests{"GET /?||close"});
  CHECK(fed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").requests ==
        Requests{"GET /?||keep"});
}

TEST_CASE("a target with a host is the same as its path") {
  CHECK(fed("GET http://node:7422/v1/status?a=b HTTP/1.1\r\n\r\n").requests ==
        Requests{"GET /v1/status?a=b||keep"});
}

TEST_CASE("offers of another protocol are not taken up") {
  CHECK(fed("GET /a HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
            "GET /b HTTP/1.1\r\n\r\n")
            .requests == Requests{"GET /a?||keep", "GET /b?||keep"});
}

TEST_CASE("leave to send a body is asked for once, and not by HTTP/1.0") {
  const std::string head = " HTTP/1.1\r\nexpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
  HttpRequestReader reader({});
  CHECK(reader.feed("PUT /" + head).state == State::kMore);
  CHECK(reader.take_expectation());
  CHECK(!reader.take_expectation());
  CHECK(reader.feed("ab").state == State::kRequest);
  CHECK(!reader.take_expectation());
  HttpRequestReader half({});
  half.feed("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Le");
  CHECK(!half.take_expectation());
  HttpRequestReader old({});
  old.feed("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(!old.take_expectation());
}

TEST_CASE("a body above the limit is refused as soon as it is known, stated or not") {
  const HttpReadLimits limits{.body = 4};
  CHECK(fed("PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd", limits).refused == 0);
  CHECK(fed("PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", limits).refused == 413);
  CHECK(fed("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde", limits)
            .refused == 413);
}

TEST_CASE("a head above the limit is refused wherever its bytes are") {
  const HttpReadLimits limits{.head = 100};
  const std::string many(101, 'x');
  CHECK(fed("GET /" + many, limits).refused == 431);
  CHECK(fed("GET / HTTP/1.1\r\n" + many, limits).refused == 431);
  CHECK(fed("GET / HTTP/1.1\r\na: " + many, limits).refused == 431);
  std::string fields = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 60; ++i) {
    fields += "a: b\r\n";
  }
  CHECK(fed(fields, limits).refused == 431);
  CHECK(fed("GET / HTTP/1.1\r\na: " + std::string(90, 'x') + "\r\n\r\n", limits).refused == 0);
}

TEST_CASE("what is no HTTP, or could be read in two ways, is refused") {
  for (const char* bytes :
       {"\x16\x03\x01", "*1\r\n$4\r\nPING\r\n", "GET / HTTP/9\r\n\r\n", "GET\r\n\r\n",
        "FETCH / HTTP/1.1\r\n\r\n", "GET nonsense HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    const Read read = fed(bytes);
    CHECK_MESSAGE(read.refused == 400, bytes);
    CHECK(read.requests.empty());
  }
}

TEST_CASE("no sequence of bytes gets the reader out of step with what it used") {
  base::Prng dice(11);
  const std::string words[] = {"GET ",      "POST ",
                               "/",         "?a=b",
                               " HTTP/1.1", "\r\n",
                               "\r\n\r\n",  "Host: x",
                               ": ",        "Content-Length: 3",
                               "abc",       "Transfer-Encoding: chunked",
                               "0\r\n\r\n", "\x00",
                               "\xFF"};
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (std::uint64_t i = dice.below(20); i > 0; --i) {
      bytes += words[dice.below(std::size(words))];
    }
    HttpRequestReader reader({.body = 8, .head = 64});
    Read read;
    feed(reader, bytes, read);
    CHECK((read.refused == 0 || read.refused == 400 || read.refused == 413 || read.refused == 431));
  }
}

}  // namespace
}  // namespace brigade::api
