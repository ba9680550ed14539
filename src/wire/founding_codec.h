// What founders say to each other and must remember, as bytes. Whether it is well formed is for
// gossip::well_formed to say.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gossip/founding_messages.h"

namespace brigade::wire {

std::string encode(const gossip::FoundingMessage& message);
// For storage: what a node voted for, and what it founded.
std::string encode(const gossip::Charter& charter);
std::string encode(const gossip::Vote& vote);
std::string encode(const gossip::Ballot& ballot);

base::Result<gossip::FoundingMessage> decode_founding(std::string_view bytes);
base::Result<gossip::Charter> decode_charter(std::string_view bytes);
base::Result<gossip::Vote> decode_vote(std::string_view bytes);
base::Result<gossip::Ballot> decode_ballot(std::string_view bytes);

}  // namespace brigade::wire
