#include "net/hello.h"

#include <algorithm>

#include "base/check.h"
#include "base/endian.h"
#include "base/hex.h"

namespace brigade::net {

namespace {

constexpr std::string_view kMagic = "BRGD";

// Names and reasons end up in logs and terminals.
bool control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
}

bool printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(), control);
}

std::string protocols(const Hello& hello) {
  return std::to_string(hello.oldest) + ".." + std::to_string(hello.newest);
}

}  // namespace

std::string encode(const Hello& hello) {
  BRIGADE_CHECK(hello.name.size() <= Hello::kMaxName);
  BRIGADE_CHECK(hello.advertised.size() <= Hello::kMaxAddress);
  std::string out(kMagic);
  base::append_le(out, hello.oldest);
  base::append_le(out, hello.newest);
  base::append_le(out, static_cast<std::uint8_t>(hello.purpose));
  base::append_le(out, static_cast<std::uint8_t>(hello.cluster ? 1 : 0));
  const base::ClusterId cluster = hello.cluster.value_or(base::ClusterId{});
  base::append_le(out, cluster.high);
  base::append_le(out, cluster.low);
  base::append_le(out, hello.node.value());
  base::append_le(out, hello.boot.high);
  base::append_le(out, hello.boot.low);
  base::append_le(out, static_cast<std::uint16_t>(hello.name.size()));
  base::append_le(out, static_cast<std::uint16_t>(hello.advertised.size()));
  out += hello.name;
  out += hello.advertised;
  return out;
}

std::optional<Hello> decode_hello(std::string_view bytes) {
  base::FieldReader reader(bytes);
  if (reader.bytes(kMagic.size()) != kMagic) {
    return std::nullopt;
  }
  Hello hello;
  hello.oldest = reader.le<std::uint16_t>();
  hello.newest = reader.le<std::uint16_t>();
  const auto purpose = reader.le<std::uint8_t>();
  const auto flags = reader.le<std::uint8_t>();
  base::ClusterId cluster;
  cluster.high = reader.le<std::uint64_t>();
  cluster.low = reader.le<std::uint64_t>();
  hello.node = base::NodeId(reader.le<std::uint64_t>());
  hello.boot.high = reader.le<std::uint64_t>();
  hello.boot.low = reader.le<std::uint64_t>();
  const auto name_size = reader.le<std::uint16_t>();
  const auto address_size = reader.le<std::uint16_t>();
  hello.name = reader.bytes(name_size);
  hello.advertised = reader.bytes(address_size);
  if (!reader.ok() || hello.oldest > hello.newest || !hello.node ||
      purpose < static_cast<std::uint8_t>(Purpose::kUrgent) ||
      purpose > static_cast<std::uint8_t>(Purpose::kExchange) ||
      hello.name.size() > Hello::kMaxName || hello.advertised.size() > Hello::kMaxAddress ||
      !printable(hello.name) || !printable(hello.advertised)) {
    return std::nullopt;
  }
  hello.purpose = static_cast<Purpose>(purpose);
  if ((flags & 1) != 0) {
    hello.cluster = cluster;
  }
  return hello;
}

std::string encode(const Refused& refused) {
  std::string out;
  base::append_le(out, static_cast<std::uint8_t>(refused.code));
  out += refused.reason.substr(0, Refused::kMaxReason);
  return out;
}

std::optional<Refused> decode_refused(std::string_view bytes) {
  base::FieldReader reader(bytes);
  const auto code = reader.le<std::uint8_t>();
  if (!reader.ok() || code < static_cast<std::uint8_t>(Refusal::kMalformed) ||
      code > static_cast<std::uint8_t>(Refusal::kItself)) {
    return std::nullopt;
  }
  Refused refused{static_cast<Refusal>(code),
                  std::string(reader.rest().substr(0, Refused::kMaxReason))};
  std::replace_if(refused.reason.begin(), refused.reason.end(), control, '?');
  return refused;
}

std::string doubled(const Hello& one, const Hello& other) {
  return one.name + " (" + one.advertised + ") and " + other.name + " (" + other.advertised +
         ") have the same node id " + base::text(one.node) +
         ": was a data directory copied? Start one of them with an empty one";
}

std::optional<Refused> judge(const Hello& mine, const Hello& theirs, base::NodeId expected) {
  // Sentences that are true on both sides: both log them.
  if (theirs.newest < mine.oldest || theirs.oldest > mine.newest) {
    return Refused{Refusal::kProtocol, theirs.name + " speaks protocol " + protocols(theirs) +
                                           ", " + mine.name + " " + protocols(mine)};
  }
  if (mine.cluster && theirs.cluster && *mine.cluster != *theirs.cluster) {
    return Refused{Refusal::kCluster, theirs.name + " belongs to cluster " +
                                          base::text(*theirs.cluster) + ", " + mine.name + " to " +
                                          base::text(*mine.cluster)};
  }
  if (theirs.node == mine.node && theirs.boot == mine.boot) {
    return Refused{Refusal::kItself, mine.name + " reached itself"};
  }
  if (theirs.node == mine.node) {
    return Refused{Refusal::kSameNode, doubled(theirs, mine)};
  }
  if (expected && theirs.node != expected) {
    return Refused{Refusal::kOtherNode, theirs.name + " (" + base::text(theirs.node) +
                                            ") answers where node " + base::text(expected) +
                                            " was expected"};
  }
  return std::nullopt;
}

}  // namespace brigade::net
