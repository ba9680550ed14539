// What a replay says and hears in the Redis protocol: BRIGADE.ACQUIRE and its answers. No socket.
// Source: interface.md, Redis protocol; the Redis serialization protocol specification, RESP2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/replay/attempt.h"

namespace brigade::replay {

struct Ask {
  std::string_view limit;
  std::string_view key;  // empty: the limit is not per key
  Tokens cost;
};

// Appends one command.
void append_acquire(std::string& out, const Ask& ask);

struct Reply {
  bool admitted = false;
  Source source = Source::kOther;
  std::string error;  // the text behind '-'; not empty: nothing was decided
};

// Answers out of bytes as they arrive.
class ReplyReader {
 public:
  enum class Next : std::uint8_t {
    kReply,
    kMore,    // the next answer is not whole yet
    kBroken,  // this is no answer to BRIGADE.ACQUIRE; nothing after it can be understood
  };
  static constexpr std::size_t kReplyBytesMax = std::size_t{64} << 10U;

  void feed(std::string_view bytes);
  Next next(Reply& out);

 private:
  enum class Line : std::uint8_t { kWhole, kMore, kBroken };

  // The next line without its end. `at` moves behind it.
  Line take_line(std::size_t& at, std::string_view& line) const;
  // One element of an array: numbers and strings as text, nil as an empty one.
  Line take_element(std::size_t& at, std::string_view& element) const;
  Next decided(std::size_t at, std::size_t elements, Reply& out);

  std::string input_;
  std::size_t at_ = 0;  // what lies before is used up
};

}  // namespace brigade::replay
