// What a data directory says of its node, as facts of storage: who it is, how often it was started,
// how it voted while its cluster was founded, and which cluster it belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "gossip/founding.h"
#include "storage/turn.h"

namespace brigade::app {

// What a cluster was founded with, in Charter::settings.
struct ClusterSettings {
  std::uint32_t shards = 8;    // 1..1024
  std::uint32_t replicas = 3;  // 1..9 voters per shard; fewer when there are fewer founders
};
base::Bytes encode(const ClusterSettings& settings);
base::Result<ClusterSettings> decode_settings(std::string_view bytes);

struct NodeFacts {
  base::NodeId id;           // zero: the directory is new
  std::uint32_t starts = 0;  // of processes, the present one not included
  gossip::FoundingRecord founding;
  std::optional<gossip::Charter> charter;  // of the cluster it is a member of
  bool left = false;                       // that cluster, for good
};

// An error names the fact that makes no sense: the directory is damaged or of another version.
base::Result<NodeFacts> read_facts(const storage::Contents& contents);

// This process is the `starts`-th of node `id`.
std::vector<storage::IdentityWrite> started(base::NodeId id, std::uint32_t starts);
std::vector<storage::IdentityWrite> voted(const gossip::FoundingRecord& record);
std::vector<storage::IdentityWrite> became_member(const gossip::Charter& charter);
std::vector<storage::IdentityWrite> left_for_good();

// Shard s of a cluster with founders f0..fn-1 (by ascending id) is voted on by f[s], f[s+1], ...
std::vector<base::NodeId> first_voters(const gossip::Charter& charter,
                                       const ClusterSettings& settings, std::uint32_t shard);
// What a founder holds of every shard that it votes in before the first entry.
std::vector<storage::GroupTurn> first_groups(const gossip::Charter& charter,
                                             const ClusterSettings& settings, base::NodeId self);

}  // namespace brigade::app
