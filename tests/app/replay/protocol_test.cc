#include "app/replay/protocol.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace brigade::replay {
namespace {

using Next = ReplyReader::Next;

constexpr std::string_view kAdmitted = "*5\r\n:1\r\n:7\r\n:-1\r\n$8\r\nborrowed\r\n$-1\r\n";
constexpr std::string_view kRefused = "*5\r\n:0\r\n:0\r\n:120\r\n$4\r\nhome\r\n_\r\n";
constexpr std::string_view kError = "-ERR no such limit\r\n";

TEST_SUITE("app/replay/protocol") {
  TEST_CASE("an acquire is one command, with its key only where there is one") {
    std::string out;
    append_acquire(out, {.limit = "api", .key = "", .cost = Tokens::micro(250'000)});
    CHECK(out == "*4\r\n$15\r\nBRIGADE.ACQUIRE\r\n$3\r\napi\r\n$4\r\nCOST\r\n$4\r\n0.25\r\n");
    out.clear();
    append_acquire(out, {.limit = "api", .key = "a b", .cost = Tokens::whole(12)});
    CHECK(out ==
          "*6\r\n$15\r\nBRIGADE.ACQUIRE\r\n$3\r\napi\r\n$3\r\nKEY\r\n$3\r\na b\r\n$4\r\nCOST\r\n"
          "$2\r\n12\r\n");
  }

  TEST_CASE("answers are understood wherever the bytes are cut") {
    const std::string bytes = std::string(kAdmitted) + std::string(kError) + std::string(kRefused);
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
      ReplyReader reader;
      std::vector<Reply> replies;
      for (std::size_t at = 0; at < bytes.size(); at += step) {
        reader.feed(std::string_view(bytes).substr(at, step));
        Reply reply;
        Next next = reader.next(reply);
        for (; next == Next::kReply; next = reader.next(reply)) {
          replies.push_back(reply);
        }
        REQUIRE(next == Next::kMore);
      }
      CAPTURE(step);
      REQUIRE(replies.size() == 3);
      CHECK(replies[0].admitted);
      CHECK(replies[0].source == Source::kBorrowed);
      CHECK(replies[0].error.empty());
      CHECK(replies[1].error == "ERR no such limit");
      CHECK(!replies[1].admitted);
      CHECK(!replies[2].admitted);
      CHECK(replies[2].source == Source::kHome);
      CHECK(replies[2].error.empty());
    }
  }

  TEST_CASE("a source of a later version is another one") {
    ReplyReader reader;
    reader.feed("*6\r\n:1\r\n:7\r\n:-1\r\n$4\r\nmoon\r\n$2\r\nid\r\n:3\r\n");
    Reply reply;
    REQUIRE(reader.next(reply) == Next::kReply);
    CHECK(reply.source == Source::kOther);
  }

  TEST_CASE("what is no answer to an acquire breaks the connection, not the replay") {
    for (const char* bytes : {"+OK\r\n", ":1\r\n", "*3\r\n:1\r\n", "*99\r\n", "*x\r\n", "\r\n",
                              "HTTP/1.1 400\r\n", "*5\r\n:2\r\n:0\r\n:0\r\n$4\r\nhome\r\n$-1\r\n",
                              "*5\r\n*1\r\n", "*5\r\n$999999999\r\n"}) {
      CAPTURE(bytes);
      ReplyReader reader;
      reader.feed(bytes);
      Reply reply;
      CHECK(reader.next(reply) == Next::kBroken);
    }
    ReplyReader reader;
    reader.feed("-" + std::string(ReplyReader::kReplyBytesMax + 1, 'x'));
    Reply reply;
    CHECK(reader.next(reply) == Next::kBroken);
  }
}

}  // namespace
}  // namespace brigade::replay
