// The token store's commands and records as packed bytes: what Raft replicates and disks keep.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "node/commands.h"
#include "node/records.h"

namespace brigade::wire {

// Equal values have equal bytes. Stateless, thread-safe.
class StoreCodec final : public node::Codec {
 public:
  [[nodiscard]] std::string encode(const node::Command& command) const override;
  [[nodiscard]] bool decode(std::string_view bytes, node::Command& out) const override;
  [[nodiscard]] std::string encode(const node::StateRecord& record) const override;
  [[nodiscard]] bool decode(std::string_view bytes, node::StateRecord& out) const override;
};

// As above, with an error that says what is wrong.
base::Result<node::Command> decode_command(std::string_view bytes);
base::Result<node::StateRecord> decode_record(std::string_view bytes);

}  // namespace brigade::wire
