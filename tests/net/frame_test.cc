#include "net/frame.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "base/endian.h"
#include "base/hex.h"
#include "base/prng.h"

using namespace brigade;
using namespace brigade::net;

namespace {

// Feeds bytes in pieces of at most `step`; returns the payloads that came out.
std::vector<std::string> feed(FrameCutter& cutter, std::string_view bytes, std::size_t step) {
  std::vector<std::string> payloads;
  while (!bytes.empty()) {
    const auto room = cutter.room();
    const std::size_t n = std::min({step, bytes.size(), room.size()});
    std::copy_n(bytes.begin(), n, room.begin());
    cutter.filled(n);
    bytes.remove_prefix(n);
    while (const auto frame = cutter.next()) {
      payloads.emplace_back(frame->payload);
    }
  }
  return payloads;
}

}  // namespace

TEST_SUITE("net/frame") {
  TEST_CASE("golden bytes: a frame never changes its layout") {
    std::string bytes;
    append_frame(bytes, FrameKind::kMessage, "brigade");
    CHECK(base::hex(bytes) ==
          "0700000003000000"
          "f2f8da5382a17ca7"
          "62726967616465");
  }

  TEST_CASE("frames come out whole however the stream is cut") {
    std::string bytes;
    std::vector<std::string> sent;
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4095U, 4096U, 4097U, 100'000U}) {
      sent.emplace_back(size, static_cast<char>('a' + size % 26));
      append_frame(bytes, FrameKind::kMessage, sent.back());
    }
    for (const std::size_t step : {1U, 7U, 16U, 1000U, 1U << 20}) {
      FrameCutter cutter(kMaxFrameBytes);
      CHECK(feed(cutter, bytes, step) == sent);
      CHECK(cutter.broken() == nullptr);
    }
  }

  TEST_CASE("one flipped bit breaks the stream and yields no wrong frame") {
    std::string good;
    append_frame(good, FrameKind::kMessage, "twelve bytes");
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      FrameCutter cutter(1000);
      CHECK(feed(cutter, bad, bad.size()).empty());
      // A length that grew may wait for more bytes; those then fail the checksum.
      if (cutter.broken() == nullptr) {
        feed(cutter, std::string(2000, 'x'), 2000);
        CHECK(cutter.broken() != nullptr);
      }
    }
  }

  TEST_CASE("a broken stream stays broken") {
    FrameCutter cutter(1000);
    feed(cutter, "GET / HTTP/1.1\r\nHost: brigade\r\n\r\n", 100);
    REQUIRE(cutter.broken() != nullptr);
    std::string good;
    append_frame(good, FrameKind::kMessage, "late");
    CHECK(feed(cutter, good, 100).empty());
  }

  TEST_CASE("the size limit is exact and can be raised between frames") {
    std::string at;
    append_frame(at, FrameKind::kHello, std::string(100, 'x'));
    std::string over;
    append_frame(over, FrameKind::kHello, std::string(101, 'x'));
    FrameCutter cutter(100);
    CHECK(feed(cutter, at, 1000).size() == 1);
    cutter.allow(101);
    CHECK(feed(cutter, over, 1000).size() == 1);
    cutter.allow(100);
    CHECK(feed(cutter, over, 1000).empty());
    CHECK(cutter.broken() != nullptr);
  }

  TEST_CASE("a header that promises much gets no memory for the promise") {
    FrameCutter cutter(kMaxFrameBytes);
    std::string header;
    base::append_le(header, static_cast<std::uint32_t>(kMaxFrameBytes));
    base::append_le(header, static_cast<std::uint32_t>(FrameKind::kMessage));
    base::append_le(header, std::uint64_t{0});
    feed(cutter, header, 100);
    cutter.room();
    CHECK(cutter.capacity() <= 4096);
  }

  TEST_CASE("the memory of a large frame is given back") {
    std::string bytes;
    append_frame(bytes, FrameKind::kMessage, std::string(5'000'000, 'x'));
    FrameCutter cutter(kMaxFrameBytes);
    CHECK(feed(cutter, bytes, 1 << 16).size() == 1);
    CHECK(cutter.capacity() > 5'000'000);
    cutter.room();
    CHECK(cutter.capacity() <= 4096);
  }

  TEST_CASE("random bytes never yield a frame") {
    base::Prng dice(1);
    for (int i = 0; i < 2000; ++i) {
      std::string bytes;
      for (std::uint64_t n = dice.below(200); n > 0; --n) {
        bytes.push_back(static_cast<char>(dice.next()));
      }
      FrameCutter cutter(kMaxFrameBytes);
      CHECK(feed(cutter, bytes, 1 + dice.below(50)).empty());
    }
  }
}
