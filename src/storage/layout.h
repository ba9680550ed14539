// How storage names and encodes what it keeps.
//
// Three column families:
//   default  't'              -> turn      u64 le: how many turns are in this store
//            'i' name         -> bytes     an identity fact
//            'h' group        -> hard      term, vote, commit: u64 le each
//            'm' group        -> mark      term, index: u64 le each, auto_leave: u8, then voters,
//                                          voters_outgoing, learners, learners_next, each a
//                                          count: u32 le and so many u64 le
//            'a' group        -> applied   u64 le
//   log      group index      -> entry     term: u64 le, kind: u8, then
//                                          kCommand: the data to the end
//                                          others: transition: u8, then to the end
//                                          (change kind: u8, replica: u64 le)*
//   state    group record key -> record    bytes
//
//   group := u32 be, index := u64 be: their order as bytes is their order as numbers.
//   Every value is sealed: it ends with a checksum, u64 le, of what precedes it, seeded by a hash
//   of its key, so that neither a damaged nor a misplaced value is ever believed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "raft/messages.h"
#include "storage/turn.h"

namespace brigade::storage {

// ---- keys ----
constexpr char kTurnTag = 't';
constexpr char kIdentityTag = 'i';
constexpr char kHardTag = 'h';
constexpr char kMarkTag = 'm';
constexpr char kAppliedTag = 'a';

std::string turn_key();
std::string identity_key(std::string_view name);
// `tag` is one of kHardTag, kMarkTag, kAppliedTag.
std::string group_key(char tag, base::ShardId group);
// The prefix of everything of a group in the families log and state.
std::string group_prefix(base::ShardId group);
// Behind everything of a group in the families log and state.
std::string group_end(base::ShardId group);
std::string log_key(base::ShardId group, raft::Index index);
std::string state_key(base::ShardId group, std::string_view record_key);

// ---- values ----
std::string seal(std::string_view key, std::string value);
// What was sealed under this key; nullopt when it is damaged or belongs elsewhere.
std::optional<std::string_view> unseal(std::string_view key, std::string_view sealed);

// Decoding is total: nullopt for what encode never yields.
std::string encode_number(std::uint64_t number);
std::optional<std::uint64_t> decode_number(std::string_view bytes);
std::string encode(const raft::HardState& hard);
std::optional<raft::HardState> decode_hard(std::string_view bytes);
std::string encode(const SnapshotMark& mark);
std::optional<SnapshotMark> decode_mark(std::string_view bytes);
// An entry's index is in its key.
std::string encode(const raft::Entry& entry);
std::optional<raft::Entry> decode_entry(raft::Index index, std::string_view bytes);

}  // namespace brigade::storage
