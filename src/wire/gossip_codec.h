// Membership messages as bytes: datagrams and stream exchanges.
//
// What decodes is also well formed in gossip's own sense. A datagram's bytes never exceed
// gossip::size_bound().
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gossip/messages.h"

namespace brigade::wire {

std::string encode(const gossip::Datagram& datagram);
std::string encode(const gossip::StreamMessage& message);

base::Result<gossip::Datagram> decode_datagram(std::string_view bytes);
base::Result<gossip::StreamMessage> decode_stream(std::string_view bytes);

}  // namespace brigade::wire
