// What strangers may send before anybody knows them: greetings, datagrams, founding and sync.
#include <cstring>

#include "base/bytes.h"
#include "fuzz/bytes.h"
#include "gossip/founding_messages.h"
#include "net/frame.h"
#include "net/hello.h"
#include "wire/founding_codec.h"
#include "wire/gossip_codec.h"
#include "wire/publish_codec.h"

using namespace brigade;

namespace {

// What decodes can be said again, and then means the same bytes.
template <class Decode>
void decode_again(std::string_view bytes, const Decode& decode) {
  if (const auto value = decode(bytes)) {
    const std::string again = wire::encode(*value);
    const auto second = decode(again);
    fuzz::require(second && wire::encode(*second) == again);
  }
}

void frames(std::string_view bytes) {
  net::FrameCutter cutter(net::kMaxGreetingBytes);
  while (!bytes.empty() && cutter.broken() == nullptr) {
    const auto room = cutter.room();
    const std::size_t size = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), size);
    cutter.filled(size);
    bytes.remove_prefix(size);
    while (cutter.next()) {
    }
    fuzz::require(cutter.capacity() <= 4 * net::kMaxGreetingBytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) {
    return 0;
  }
  const std::string bytes(fuzz::text(data, size).substr(1));
  switch (data[0] % 8) {
    case 0:
      return decode_again(bytes, wire::decode_datagram), 0;
    case 1:
      return decode_again(bytes, wire::decode_stream), 0;
    case 2:
      return decode_again(bytes, wire::decode_founding), 0;
    case 3:
      return decode_again(bytes, wire::decode_charter), 0;
    case 4:
      return static_cast<void>(wire::decode_meta(bytes)), 0;
    case 5:
      return static_cast<void>(wire::decode_digest(bytes)), 0;
    case 6:
      if (const auto hello = net::decode_hello(bytes)) {
        fuzz::require(net::decode_hello(net::encode(*hello)) == hello);
      }
      return static_cast<void>(net::decode_refused(bytes)), 0;
    default:
      return frames(bytes), 0;
  }
}
