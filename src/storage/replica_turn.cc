#include "storage/replica_turn.h"

#include <charconv>
#include <string>
#include <utility>

#include "base/endian.h"

namespace brigade::storage {
namespace {

// "replica.<shard>" -> replica id: u64 le, removed: u8.
constexpr std::string_view kGround = "replica.";

IdentityWrite fact_of(base::ShardId shard, const node::ReplicaGround& ground) {
  std::string value;
  base::append_le(value, ground.id.value());
  value.push_back(ground.removed ? 1 : 0);
  return {.name = std::string(kGround) + std::to_string(shard.value()),
          .value = base::Bytes(std::move(value))};
}

GroupTurn turn_of(base::ShardId group, const raft::Persist& persist) {
  GroupTurn turn;
  turn.group = group;
  turn.hard = persist.hard;
  if (persist.snapshot) {
    // Its records follow, in the node's own words, in the same turn.
    turn.install = Install{.mark = {.last = persist.snapshot->last, .conf = persist.snapshot->conf},
                           .records = {}};
  }
  turn.entries = persist.entries;
  turn.must_last = persist.sync;
  return turn;
}

}  // namespace

void add(const node::GroupWrite& write, const node::Codec& codec, Turn& turn) {
  if (write.ground) {
    turn.identity.push_back(fact_of(write.shard, *write.ground));
    GroupTurn fresh;
    fresh.group = write.shard;
    fresh.drop = true;
    turn.groups.push_back(std::move(fresh));
  }
  for (const raft::Persist& persist : write.persists) {
    turn.groups.push_back(turn_of(write.shard, persist));
  }
  GroupTurn rest;
  rest.group = write.shard;
  // The log that this follows from was durable before, or is with a part of this turn.
  rest.must_last = false;
  for (const node::RecordWrite& record : write.records) {
    RecordWrite one{.key = record.key, .value = std::nullopt};
    if (!record.dropped) {
      one.value = codec.encode(record.record);
    }
    rest.records.push_back(std::move(one));
  }
  if (write.applied != 0) {
    rest.applied = raft::Index(write.applied);
  }
  if (write.compacted) {
    rest.compact = SnapshotMark{.last = write.compacted->last, .conf = write.compacted->conf};
  }
  turn.groups.push_back(std::move(rest));
}

std::optional<std::map<base::ShardId, node::ReplicaGround>> replica_grounds(
    const Contents& contents) {
  std::map<base::ShardId, node::ReplicaGround> grounds;
  for (auto it = contents.identity.lower_bound(std::string(kGround));
       it != contents.identity.end() && it->first.starts_with(kGround); ++it) {
    const char* const end = it->first.data() + it->first.size();
    std::uint32_t shard = 0;
    const auto parsed = std::from_chars(it->first.data() + kGround.size(), end, shard);
    base::FieldReader reader(it->second.view());
    const raft::ReplicaId id(reader.le<std::uint64_t>());
    const auto removed = reader.le<std::uint8_t>();
    if (parsed.ec != std::errc() || parsed.ptr != end || !reader.ok() || !reader.rest().empty() ||
        removed > 1) {
      return std::nullopt;
    }
    grounds[base::ShardId(shard)] = {.id = id, .removed = removed == 1};
  }
  return grounds;
}

base::Result<node::ReplicaState> replica_state(GroupContents contents, const node::Codec& codec) {
  node::ReplicaState state{.raft = std::move(contents.raft), .records = {}};
  state.records.reserve(contents.records.size());
  for (const Record& record : contents.records) {
    if (!codec.decode(record.value, state.records.emplace_back())) {
      return base::Error{
          "a record of the token store cannot be read: it was written by a newer version; start "
          "that one again"};
    }
  }
  return state;
}

}  // namespace brigade::storage
