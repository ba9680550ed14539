// What a damaged disk may hold under a checksum that fits: entries, marks, commands, records.
#include "fuzz/bytes.h"
#include "storage/layout.h"
#include "wire/founding_codec.h"
#include "wire/store_codec.h"

using namespace brigade;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) {
    return 0;
  }
  const std::string bytes(fuzz::text(data, size).substr(1));
  const wire::StoreCodec codec;
  switch (data[0] % 7) {
    case 0:
      if (const auto entry = storage::decode_entry(raft::Index(7), bytes)) {
        fuzz::require(storage::encode(*entry) == bytes);
      }
      return 0;
    case 1:
      if (const auto mark = storage::decode_mark(bytes)) {
        fuzz::require(storage::encode(*mark) == bytes);
      }
      return 0;
    case 2:
      if (const auto hard = storage::decode_hard(bytes)) {
        fuzz::require(storage::encode(*hard) == bytes);
      }
      return 0;
    case 3: {
      node::Command command;
      if (codec.decode(bytes, command)) {
        const std::string again = codec.encode(command);
        node::Command second;
        fuzz::require(codec.decode(again, second) && codec.encode(second) == again);
      }
      return 0;
    }
    case 4: {
      node::StateRecord record;
      if (codec.decode(bytes, record)) {
        const std::string again = codec.encode(record);
        node::StateRecord second;
        fuzz::require(codec.decode(again, second) && codec.encode(second) == again);
      }
      return 0;
    }
    case 5:
      return static_cast<void>(wire::decode_ballot(bytes)), 0;
    default:
      return static_cast<void>(wire::decode_vote(bytes)), 0;
  }
}
