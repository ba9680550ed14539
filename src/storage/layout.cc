#include "storage/layout.h"

#include <cstddef>
#include <limits>
#include <set>

#include "base/check.h"
#include "base/endian.h"
#include "base/key_hash.h"

namespace brigade::storage {
namespace {

constexpr std::size_t kSealBytes = 8;
constexpr std::size_t kChangeBytes = 9;

std::uint64_t checksum(std::string_view key, std::string_view value) {
  return base::hash_key(value, base::hash_key(key, 0).low).low;
}

void append_replicas(std::string& out, const std::set<raft::ReplicaId>& replicas) {
  base::append_le(out, static_cast<std::uint32_t>(replicas.size()));
  for (const raft::ReplicaId replica : replicas) {
    base::append_le(out, replica.value());
  }
}

std::set<raft::ReplicaId> read_replicas(base::FieldReader& reader) {
  std::set<raft::ReplicaId> replicas;
  const auto count = reader.le<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    replicas.insert(raft::ReplicaId(reader.le<std::uint64_t>()));
  }
  return replicas;
}

bool read_change(base::FieldReader& reader, raft::ConfChange& change) {
  const auto transition = reader.le<std::uint8_t>();
  if (transition > static_cast<std::uint8_t>(raft::Transition::kJointExplicit)) {
    return false;
  }
  change.transition = static_cast<raft::Transition>(transition);
  while (reader.ok() && !reader.rest().empty()) {
    const auto kind = reader.le<std::uint8_t>();
    const raft::ReplicaId replica(reader.le<std::uint64_t>());
    if (kind > static_cast<std::uint8_t>(raft::ChangeKind::kTouch)) {
      return false;
    }
    change.changes.push_back({.kind = static_cast<raft::ChangeKind>(kind), .replica = replica});
  }
  return reader.ok();
}

}  // namespace

std::string turn_key() {
  return {kTurnTag};
}

std::string identity_key(std::string_view name) {
  return kIdentityTag + std::string(name);
}

std::string group_key(char tag, base::ShardId group) {
  return tag + group_prefix(group);
}

std::string group_prefix(base::ShardId group) {
  std::string key;
  base::append_be(key, group.value());
  return key;
}

std::string group_end(base::ShardId group) {
  BRIGADE_CHECK(group.value() < std::numeric_limits<std::uint32_t>::max());
  return group_prefix(base::ShardId(group.value() + 1));
}

std::string log_key(base::ShardId group, raft::Index index) {
  std::string key = group_prefix(group);
  base::append_be(key, index.value());
  return key;
}

std::string state_key(base::ShardId group, std::string_view record_key) {
  return group_prefix(group).append(record_key);
}

std::string seal(std::string_view key, std::string value) {
  const std::uint64_t sum = checksum(key, value);
  base::append_le(value, sum);
  return value;
}

std::optional<std::string_view> unseal(std::string_view key, std::string_view sealed) {
  if (sealed.size() < kSealBytes) {
    return std::nullopt;
  }
  const std::string_view value = sealed.substr(0, sealed.size() - kSealBytes);
  if (base::load_le<std::uint64_t>(sealed, value.size()) != checksum(key, value)) {
    return std::nullopt;
  }
  return value;
}

std::string encode_number(std::uint64_t number) {
  std::string out;
  base::append_le(out, number);
  return out;
}

std::optional<std::uint64_t> decode_number(std::string_view bytes) {
  if (bytes.size() != sizeof(std::uint64_t)) {
    return std::nullopt;
  }
  return base::load_le<std::uint64_t>(bytes);
}

std::string encode(const raft::HardState& hard) {
  std::string out;
  base::append_le(out, hard.term.value());
  base::append_le(out, hard.vote.value());
  base::append_le(out, hard.commit.value());
  return out;
}

std::optional<raft::HardState> decode_hard(std::string_view bytes) {
  base::FieldReader reader(bytes);
  raft::HardState hard;
  hard.term = raft::Term(reader.le<std::uint64_t>());
  hard.vote = raft::ReplicaId(reader.le<std::uint64_t>());
  hard.commit = raft::Index(reader.le<std::uint64_t>());
  if (!reader.ok() || !reader.rest().empty()) {
    return std::nullopt;
  }
  return hard;
}

std::string encode(const SnapshotMark& mark) {
  std::string out;
  base::append_le(out, mark.last.term.value());
  base::append_le(out, mark.last.index.value());
  out.push_back(mark.conf.auto_leave ? 1 : 0);
  append_replicas(out, mark.conf.voters);
  append_replicas(out, mark.conf.voters_outgoing);
  append_replicas(out, mark.conf.learners);
  append_replicas(out, mark.conf.learners_next);
  return out;
}

std::optional<SnapshotMark> decode_mark(std::string_view bytes) {
  base::FieldReader reader(bytes);
  SnapshotMark mark;
  mark.last.term = raft::Term(reader.le<std::uint64_t>());
  mark.last.index = raft::Index(reader.le<std::uint64_t>());
  const auto auto_leave = reader.le<std::uint8_t>();
  mark.conf.auto_leave = auto_leave == 1;
  mark.conf.voters = read_replicas(reader);
  mark.conf.voters_outgoing = read_replicas(reader);
  mark.conf.learners = read_replicas(reader);
  mark.conf.learners_next = read_replicas(reader);
  if (!reader.ok() || !reader.rest().empty() || auto_leave > 1 ||
      encode(mark) != bytes) {  // replicas twice, or not in order
    return std::nullopt;
  }
  return mark;
}

std::string encode(const raft::Entry& entry) {
  std::string out;
  out.reserve(sizeof(std::uint64_t) + 2 + entry.data.size() +
              entry.change.changes.size() * kChangeBytes + kSealBytes);
  base::append_le(out, entry.id.term.value());
  out.push_back(static_cast<char>(entry.kind));
  if (entry.kind == raft::EntryKind::kCommand) {
    out += entry.data.view();
    return out;
  }
  out.push_back(static_cast<char>(entry.change.transition));
  for (const raft::SingleChange& change : entry.change.changes) {
    out.push_back(static_cast<char>(change.kind));
    base::append_le(out, change.replica.value());
  }
  return out;
}

std::optional<raft::Entry> decode_entry(raft::Index index, std::string_view bytes) {
  base::FieldReader reader(bytes);
  raft::Entry entry;
  entry.id = {.term = raft::Term(reader.le<std::uint64_t>()), .index = index};
  const auto kind = reader.le<std::uint8_t>();
  if (!reader.ok() || kind > static_cast<std::uint8_t>(raft::EntryKind::kChange)) {
    return std::nullopt;
  }
  entry.kind = static_cast<raft::EntryKind>(kind);
  if (entry.kind == raft::EntryKind::kCommand) {
    entry.data = base::Bytes(std::string(reader.rest()));
    return entry;
  }
  if (!read_change(reader, entry.change)) {
    return std::nullopt;
  }
  return entry;
}

}  // namespace brigade::storage
