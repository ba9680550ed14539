#include "gossip/messages.h"

#include <algorithm>

namespace brigade::gossip {
namespace {

// A list element of Cap'n Proto: words for ids, incarnation, tag and up to three pointers.
constexpr std::size_t kUpdateBaseBytes = 56;
constexpr std::size_t kDigestBaseBytes = 40;

// A text or blob in whole words, a terminating zero included.
constexpr std::size_t padded(std::size_t size) {
  return (size + 8) / 8 * 8;
}

bool valid_text(const std::string& text, std::size_t bound) {
  return !text.empty() && text.size() <= bound;
}

bool valid(const Member& member) {
  return member.id && valid_text(member.name, kNameMax) &&
         valid_text(member.address, kAddressMax) && member.meta.size() <= kMetaMax &&
         member.state <= MemberState::kLeft;
}

bool valid(const Update& update) {
  if (!subject(update)) {
    return false;
  }
  const auto* alive = std::get_if<Alive>(&update);
  return alive == nullptr ||
         (valid_text(alive->name, kNameMax) && valid_text(alive->address, kAddressMax) &&
          alive->meta.size() <= kMetaMax);
}

bool valid(const Digest& digest) {
  return digest.id && digest.content.size() <= kDigestMax;
}

struct BodyCheck {
  bool operator()(const Gossip&) const { return true; }
  bool operator()(const Ping& ping) const { return ping.seq && ping.target; }
  bool operator()(const Ack& ack) const { return static_cast<bool>(ack.seq); }
  bool operator()(const PingRequest& request) const {
    return request.seq && request.target && valid_text(request.address, kAddressMax);
  }
  bool operator()(const Nack& nack) const { return static_cast<bool>(nack.seq); }

  bool operator()(const StreamPing& ping) const { return static_cast<bool>(ping.target); }
  bool operator()(const StreamAck&) const { return true; }
  bool operator()(const SyncRequest& request) const { return members(request.members); }
  bool operator()(const SyncReply& reply) const { return members(reply.members); }
  bool operator()(const SyncRefusal& refusal) const {
    return refusal.reason <= RefusalReason::kMalformed;
  }

  static bool members(const std::vector<Member>& list) {
    return list.size() <= kMembersMax &&
           std::all_of(list.begin(), list.end(), [](const Member& m) { return valid(m); });
  }
};

}  // namespace

NodeId subject(const Update& update) {
  return std::visit([](const auto& news) { return news.id; }, update);
}

std::size_t size_bound(const Update& update) {
  const auto* alive = std::get_if<Alive>(&update);
  return alive == nullptr ? kUpdateBaseBytes
                          : kUpdateBaseBytes + padded(alive->name.size()) +
                                padded(alive->address.size()) + padded(alive->meta.size());
}

std::size_t size_bound(const Digest& digest) {
  return kDigestBaseBytes + padded(digest.content.size());
}

std::size_t size_bound(const Datagram& datagram) {
  std::size_t total = kDatagramBaseBytes;
  if (const auto* request = std::get_if<PingRequest>(&datagram.body)) {
    total += padded(request->address.size());
  }
  for (const Update& update : datagram.updates) {
    total += size_bound(update);
  }
  for (const Digest& digest : datagram.digests) {
    total += size_bound(digest);
  }
  return total;
}

bool well_formed(const Datagram& datagram) {
  return datagram.from && datagram.updates.size() <= kUpdatesPerDatagramMax &&
         datagram.digests.size() <= kDigestsPerDatagramMax &&
         std::visit(BodyCheck{}, datagram.body) &&
         std::all_of(datagram.updates.begin(), datagram.updates.end(),
                     [](const Update& update) { return valid(update); }) &&
         std::all_of(datagram.digests.begin(), datagram.digests.end(),
                     [](const Digest& digest) { return valid(digest); });
}

bool well_formed(const StreamMessage& message) {
  return message.from && message.cluster_name.size() <= kNameMax &&
         std::visit(BodyCheck{}, message.body);
}

}  // namespace brigade::gossip
