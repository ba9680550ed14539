#include "app/cluster/facts.h"

#include <algorithm>
#include <utility>

#include "base/endian.h"
#include "node/replica.h"
#include "wire/founding_codec.h"

namespace brigade::app {
namespace {

constexpr const char* kNode = "node";
constexpr const char* kStarts = "starts";
constexpr const char* kPromised = "founding.promised";
constexpr const char* kAccepted = "founding.accepted";
constexpr const char* kFounded = "founding.founded";
constexpr const char* kJoined = "founding.joined";
constexpr const char* kCharter = "charter";
constexpr const char* kLeft = "left";

std::string pack(std::uint64_t value) {
  std::string bytes;
  base::append_le(bytes, value);
  return bytes;
}

// Founding counts as a shard's first entry: whoever comes later never finds a log from its very
// beginning, which would lack the founders, but is sent a snapshot.
constexpr raft::EntryId kFirst{.term = raft::Term(1), .index = raft::Index(1)};

class Reading {
 public:
  explicit Reading(const storage::Contents& contents) : contents_(contents) {}

  [[nodiscard]] const base::Bytes* find(const char* name) const {
    const auto found = contents_.identity.find(name);
    return found == contents_.identity.end() ? nullptr : &found->second;
  }
  void number(const char* name, std::uint64_t& out) {
    if (const base::Bytes* bytes = find(name)) {
      if (bytes->size() == sizeof out) {
        out = base::load_le<std::uint64_t>(bytes->view());
      } else {
        wrong = name;
      }
    }
  }
  template <class T>
  void value(const char* name, base::Result<T> (*decode)(std::string_view), std::optional<T>& out) {
    if (const base::Bytes* bytes = find(name)) {
      if (auto decoded = decode(bytes->view())) {
        out = std::move(decoded).value();
      } else {
        wrong = name;
      }
    }
  }

  std::string wrong;

 private:
  const storage::Contents& contents_;
};

base::Bytes bytes_of(std::string text) {
  return base::Bytes(std::move(text));
}

}  // namespace

base::Bytes encode(const ClusterSettings& settings) {
  return bytes_of(pack(std::uint64_t{settings.replicas} << 32U | settings.shards));
}

base::Result<ClusterSettings> decode_settings(std::string_view bytes) {
  ClusterSettings settings;
  if (bytes.size() == sizeof(std::uint64_t)) {
    const auto packed = base::load_le<std::uint64_t>(bytes);
    settings.shards = static_cast<std::uint32_t>(packed);
    settings.replicas = static_cast<std::uint32_t>(packed >> 32U);
    if (settings.shards >= 1 && settings.shards <= 1024 && settings.replicas >= 1 &&
        settings.replicas <= 9) {
      return settings;
    }
  }
  return base::Error{"the cluster's settings are malformed"};
}

base::Result<NodeFacts> read_facts(const storage::Contents& contents) {
  NodeFacts facts;
  Reading reading(contents);
  std::uint64_t id = 0;
  std::uint64_t starts = 0;
  std::optional<gossip::Ballot> promised;
  reading.number(kNode, id);
  reading.number(kStarts, starts);
  reading.value(kPromised, wire::decode_ballot, promised);
  reading.value(kAccepted, wire::decode_vote, facts.founding.accepted);
  reading.value(kFounded, wire::decode_charter, facts.founding.founded);
  reading.value(kCharter, wire::decode_charter, facts.charter);
  facts.left = reading.find(kLeft) != nullptr;
  if (const base::Bytes* joined = reading.find(kJoined)) {
    if (joined->size() == 2 * sizeof(std::uint64_t)) {
      facts.founding.joined =
          base::ClusterId{base::load_le<std::uint64_t>(joined->view()),
                          base::load_le<std::uint64_t>(joined->view().substr(8))};
    } else {
      reading.wrong = kJoined;
    }
  }
  if (!reading.wrong.empty() || (id == 0 && !contents.identity.empty())) {
    return base::Error{"the data directory's fact \"" +
                       (reading.wrong.empty() ? std::string(kNode) : reading.wrong) +
                       "\" is malformed: it is damaged, or of another version of brigade"};
  }
  facts.id = base::NodeId(id);
  facts.starts = static_cast<std::uint32_t>(starts);
  facts.founding.promised = promised.value_or(gossip::Ballot{});
  return facts;
}

std::vector<storage::IdentityWrite> started(base::NodeId id, std::uint32_t starts) {
  return {{.name = kNode, .value = bytes_of(pack(id.value()))},
          {.name = kStarts, .value = bytes_of(pack(starts))}};
}

std::vector<storage::IdentityWrite> voted(const gossip::FoundingRecord& record) {
  std::vector<storage::IdentityWrite> writes;
  writes.push_back({.name = kPromised, .value = bytes_of(wire::encode(record.promised))});
  if (record.accepted) {
    writes.push_back({.name = kAccepted, .value = bytes_of(wire::encode(*record.accepted))});
  }
  if (record.founded) {
    writes.push_back({.name = kFounded, .value = bytes_of(wire::encode(*record.founded))});
  }
  if (record.joined != base::ClusterId()) {
    writes.push_back(
        {.name = kJoined, .value = bytes_of(pack(record.joined.high) + pack(record.joined.low))});
  }
  return writes;
}

std::vector<storage::IdentityWrite> became_member(const gossip::Charter& charter) {
  return {{.name = kCharter, .value = bytes_of(wire::encode(charter))}};
}

std::vector<storage::IdentityWrite> left_for_good() {
  return {{.name = kLeft, .value = bytes_of(pack(1))}};
}

std::vector<base::NodeId> first_voters(const gossip::Charter& charter,
                                       const ClusterSettings& settings, std::uint32_t shard) {
  const std::size_t founders = charter.founders.size();
  std::vector<base::NodeId> voters;
  for (std::size_t i = 0; i < std::min<std::size_t>(settings.replicas, founders); ++i) {
    voters.push_back(charter.founders[(shard + i) % founders].id);
  }
  return voters;
}

std::vector<storage::GroupTurn> first_groups(const gossip::Charter& charter,
                                             const ClusterSettings& settings, base::NodeId self) {
  std::vector<storage::GroupTurn> groups;
  for (std::uint32_t shard = 0; shard < settings.shards; ++shard) {
    const auto voters = first_voters(charter, settings, shard);
    if (std::find(voters.begin(), voters.end(), self) == voters.end()) {
      continue;
    }
    raft::ConfState conf;
    for (const base::NodeId voter : voters) {
      conf.voters.insert(node::replica_id(voter, 0));
    }
    groups.push_back(
        {.group = base::ShardId(shard),
         .hard = raft::HardState{.term = kFirst.term, .vote = {}, .commit = kFirst.index},
         .install = storage::Install{.mark = {.last = kFirst, .conf = conf}, .records = {}}});
  }
  return groups;
}

}  // namespace brigade::app
