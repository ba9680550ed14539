#include "node/records.h"

#include "base/endian.h"

namespace brigade::node {
namespace {

void append(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xffU);
  }
}

void append(std::string& out, const KeyHash& hash) {
  append(out, hash.high);
  append(out, hash.low);
}

void append(std::string& out, const LedgerId& id) {
  out += id.limit;
  out += '\0';  // names hold no zero byte, so that no name is another's prefix
  append(out, id.key);
}

struct KeyOf {
  std::string operator()(const MetaRecord&) const { return "m"; }
  std::string operator()(const ConfigRecord& r) const { return "c" + r.spec.name; }
  std::string operator()(const TombstoneRecord& r) const { return "t" + r.limit; }
  std::string operator()(const SessionRecord& r) const {
    std::string key = "s";
    append(key, r.account.value());
    return key;
  }
  std::string operator()(const LedgerRecord& r) const {
    std::string key = "l";
    append(key, r.id);
    return key;
  }
  std::string operator()(const StrictRecord& r) const {
    std::string key = "b";
    append(key, r.id);
    return key;
  }
  std::string operator()(const StrictIdRecord& r) const {
    // By time first: a store takes what comes in order far faster than what is scattered.
    std::string key = "i";
    append(key, static_cast<std::uint64_t>(r.applied.count()));
    append(key, r.id);
    return key;
  }
  std::string operator()(const OverrideRecord& r) const {
    std::string key = "o" + r.value.limit;
    key += '\0';
    append(key, r.value.node.value());
    return key;
  }
  // A slow limit comes before its keys.
  std::string operator()(const AheadLimitRecord& r) const { return "a" + r.limit; }
  std::string operator()(const AheadKeyRecord& r) const {
    std::string key = "k";
    append(key, r.id);
    return key;
  }
  std::string operator()(const NodeRecord& r) const {
    std::string key = "n";
    append(key, r.node.value());
    return key;
  }
  std::string operator()(const Reservation& r) const {
    std::string key = "r";
    append(key, static_cast<std::uint64_t>(r.since.count()));
    append(key, r.id);
    return key;
  }
};

}  // namespace

std::string record_key(const StateRecord& record) {
  return std::visit(KeyOf{}, record);
}

void pack_record(const StateRecord& record, const Codec& codec, std::string& bytes) {
  const std::string one = codec.encode(record);
  base::append_le(bytes, static_cast<std::uint32_t>(one.size()));
  bytes += one;
}

std::string pack_records(const std::vector<StateRecord>& records, const Codec& codec) {
  std::string bytes;
  for (const StateRecord& record : records) {
    pack_record(record, codec, bytes);
  }
  return bytes;
}

bool unpack_records(std::string_view bytes, const Codec& codec, std::vector<StateRecord>& records) {
  while (!bytes.empty()) {
    if (bytes.size() < sizeof(std::uint32_t)) {
      return false;
    }
    const auto size = base::load_le<std::uint32_t>(bytes);
    bytes.remove_prefix(sizeof(std::uint32_t));
    if (size > bytes.size() || !codec.decode(bytes.substr(0, size), records.emplace_back())) {
      return false;
    }
    bytes.remove_prefix(size);
  }
  return true;
}

}  // namespace brigade::node
