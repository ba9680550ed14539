#include "node/records.h"

#include <type_traits>

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
    std::string key = "i";
    append(key, r.id);
    return key;
  }
  std::string operator()(const OverrideRecord& r) const {
    std::string key = "o" + r.value.limit;
    key += '\0';
    append(key, r.value.node.value());
    return key;
  }
};

}  // namespace

std::string record_key(const StateRecord& record) {
  return std::visit(KeyOf{}, record);
}

}  // namespace brigade::node
