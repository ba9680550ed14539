// What a node publishes of itself through gossip, as packed bytes within gossip's bounds.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "node/messages.h"

namespace brigade::wire {

// Error: its texts together are longer than gossip::kMetaMax.
base::Result<base::Bytes> encode(const node::MemberMeta& meta);
// At most gossip::kDigestMax: what is too much is left out, first the free tokens from the end of
// their list, then the leads, then the configurations.
base::Bytes encode(const node::NodeDigest& digest);

base::Result<node::MemberMeta> decode_meta(std::string_view bytes);
base::Result<node::NodeDigest> decode_digest(std::string_view bytes);

}  // namespace brigade::wire
