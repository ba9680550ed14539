#include "wire/store_codec.h"

#include <utility>

#include "schema/commands.capnp.h"
#include "schema/records.capnp.h"
#include "wire/record_fields.h"

namespace brigade::wire {

std::string StoreCodec::encode(const node::Command& command) const {
  return encode_root<schema::Command>(command, Packing::kPacked);
}

std::string StoreCodec::encode(const node::StateRecord& record) const {
  return encode_root<schema::StateRecord>(record, Packing::kPacked);
}

bool StoreCodec::decode(std::string_view bytes, node::Command& out) const {
  auto command = decode_command(bytes);
  if (!command) {
    return false;
  }
  out = std::move(command).value();
  return true;
}

bool StoreCodec::decode(std::string_view bytes, node::StateRecord& out) const {
  auto record = decode_record(bytes);
  if (!record) {
    return false;
  }
  out = std::move(record).value();
  return true;
}

base::Result<node::Command> decode_command(std::string_view bytes) {
  return decode_root<schema::Command, node::Command>(bytes, Packing::kPacked);
}

base::Result<node::StateRecord> decode_record(std::string_view bytes) {
  return decode_root<schema::StateRecord, node::StateRecord>(bytes, Packing::kPacked);
}

}  // namespace brigade::wire
