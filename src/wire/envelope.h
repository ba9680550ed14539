// Cap'n Proto messages as bytes: building, and reading what anybody may have sent.
//
// Limits: one traversal of every pointer target (with room for a second look), kNestingMax levels,
// kUnpackedMax words. Exceptions of the library are caught here and nowhere else.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <capnp/message.h>
#include <kj/string.h>

#include "base/result.h"
#include "wire/checks.h"

namespace brigade::wire {

enum class Packing : bool {
  kPlain,  // for links and datagrams: nothing to compute
  kPacked  // for what is kept: about half the size
};

constexpr int kNestingMax = 16;
constexpr std::size_t kUnpackedMax = std::size_t{8} << 20U;  // words

std::string to_bytes(capnp::MessageBuilder& message, Packing packing);

// Reads a message with `read`, which reports to the Checks. An error says what is wrong with the
// bytes; nothing that `read` yielded may be used then.
base::Status from_bytes(std::string_view bytes, Packing packing,
                        const std::function<void(capnp::MessageReader&, Checks&)>& read);

// Encodes `value` as the root of a message of type Root.
template <class Root, class Value>
std::string encode_root(const Value& value, Packing packing = Packing::kPlain);
template <class Root, class Value>
base::Result<Value> decode_root(std::string_view bytes, Packing packing = Packing::kPlain);

// ---- texts and blobs ----
inline kj::StringPtr text(const std::string& value) {
  return {value.c_str(), value.size()};
}
inline kj::ArrayPtr<const kj::byte> blob(std::string_view value) {
  return {reinterpret_cast<const kj::byte*>(value.data()), value.size()};
}
template <class TextReader>
std::string to_text(TextReader value) {
  return {value.begin(), value.size()};
}
template <class DataReader>
std::string to_blob(DataReader value) {
  return {reinterpret_cast<const char*>(value.begin()), value.size()};
}

// ---- structs and lists ----
// For each type: put(Pen, builder, value) and get(reader, value, Checks&). The pen carries nothing;
// it lets an overload be found wherever it is declared.
struct Pen {};

template <class List, class Items>
void put_each(Pen pen, List list, const Items& items) {
  unsigned i = 0;
  for (const auto& item : items) {
    put(pen, list[i++], item);
  }
}
template <class List, class Items>
void get_each(List list, Items& items, Checks& checks) {
  const std::size_t count = checks.items(list.size());
  items.reserve(count);
  for (unsigned i = 0; i < count && checks.ok(); ++i) {
    get(list[i], items.emplace_back(), checks);
  }
}
template <class List, class Texts>
void put_texts(List list, const Texts& texts) {
  unsigned i = 0;
  for (const std::string& one : texts) {
    list.set(i++, text(one));
  }
}
template <class List>
void get_texts(List list, std::vector<std::string>& texts, Checks& checks) {
  const std::size_t count = checks.items(list.size());
  for (unsigned i = 0; i < count; ++i) {
    texts.push_back(to_text(list[i]));
  }
}
// Lists of ids, as their numbers.
template <class List, class Ids>
void put_ids(List list, const Ids& ids) {
  unsigned i = 0;
  for (const auto id : ids) {
    list.set(i++, id.value());
  }
}
template <class List, class Ids>
void get_ids(List list, Ids& ids, Checks& checks) {
  const std::size_t count = checks.items(list.size());
  for (unsigned i = 0; i < count; ++i) {
    ids.insert(ids.end(), typename Ids::value_type(list[i]));
  }
}
template <class Items>
unsigned size_of(const Items& items) {
  return static_cast<unsigned>(items.size());
}

template <class Root, class Value>
std::string encode_root(const Value& value, Packing packing) {
  capnp::MallocMessageBuilder message;
  put(Pen(), message.initRoot<Root>(), value);
  return to_bytes(message, packing);
}

template <class Root, class Value>
base::Result<Value> decode_root(std::string_view bytes, Packing packing) {
  Value value;
  const base::Status status =
      from_bytes(bytes, packing, [&value](capnp::MessageReader& message, Checks& checks) {
        get(message.getRoot<Root>(), value, checks);
      });
  if (!status) {
    return status.error();
  }
  return value;
}

}  // namespace brigade::wire
