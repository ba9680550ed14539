// What a shard's token store is made of, record by record: the units that are persisted, shipped in
// snapshots and compared between replicas.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/commands.h"
#include "node/ledger.h"
#include "node/reservations.h"

namespace brigade::node {

// One per shard.
struct MetaRecord {
  Stamp stamp{0};          // the largest shard time applied
  Version config_version;  // index of the last Configure that changed anything
  LedgerId swept;          // where the next sweep of slow keys goes on (ahead_books.h)
  friend bool operator==(const MetaRecord&, const MetaRecord&) = default;
};
struct ConfigRecord {
  bucket::LimitSpec spec;
  Version version;
  Version created;  // index at which this life of the limit began
  friend bool operator==(const ConfigRecord&, const ConfigRecord&) = default;
};
// A deleted limit: re-creation while this is younger than b/r starts empty.
struct TombstoneRecord {
  std::string limit;
  Version version;
  Stamp deleted{0};
  base::Duration refill{0};  // b/r at deletion
  friend bool operator==(const TombstoneRecord&, const TombstoneRecord&) = default;
};
struct SessionRecord {
  Account account;
  NodeId node;
  Boot boot;
  std::uint64_t start = 0;
  std::uint64_t attempt = 0;
  bool lapsed = false;  // only what must be kept is left of it
  friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};
struct LedgerRecord {
  LedgerId id;
  Ledger ledger;
  friend bool operator==(const LedgerRecord&, const LedgerRecord&) = default;
};
struct StrictRecord {
  LedgerId id;
  Tokens level;
  Stamp refilled{0};
  friend bool operator==(const StrictRecord&, const StrictRecord&) = default;
};
// One admitted strict id inside the dedup window.
struct StrictIdRecord {
  KeyHash id;
  Stamp applied{0};
  Tokens remaining;
  friend bool operator==(const StrictIdRecord&, const StrictIdRecord&) = default;
};
// A slow limit's terms, and the level of its keys that have no record (see ahead_books.h).
struct AheadLevel {
  Tokens level;  // of a key: may be overdrawn
  Stamp refilled{0};
  friend bool operator==(const AheadLevel&, const AheadLevel&) = default;
};
struct AheadLimitRecord {
  std::string limit;
  AheadTerms terms;
  AheadLevel fresh;
  bool implicit = false;  // no configuration declares it
  friend bool operator==(const AheadLimitRecord&, const AheadLimitRecord&) = default;
};
struct AheadKeyRecord {
  LedgerId id;
  AheadLevel level;
  friend bool operator==(const AheadKeyRecord&, const AheadKeyRecord&) = default;
};
struct OverrideRecord {
  SetOverride value;
  friend bool operator==(const OverrideRecord&, const OverrideRecord&) = default;
};

// What a shard never forgets of a node: the newest id that a replica of it had here (ids are not
// used twice), and whether the node was removed from the cluster.
struct NodeRecord {
  NodeId node;
  std::uint16_t generation = 0;
  bool removed = false;
  friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};

using StateRecord = std::variant<MetaRecord, ConfigRecord, TombstoneRecord, SessionRecord,
                                 LedgerRecord, StrictRecord, StrictIdRecord, OverrideRecord,
                                 NodeRecord, Reservation, AheadLimitRecord, AheadKeyRecord>;

// The order-preserving name of a record inside its shard: kind byte, then its identity.
std::string record_key(const StateRecord& record);

using RecordVisit = std::function<void(const StateRecord&)>;

// A changed record, or a dropped one (`dropped` names it and `record` is not looked at).
struct RecordWrite {
  std::string key;
  bool dropped = false;
  StateRecord record;
};

// Turns commands and records into bytes and back. Stateless; implemented by the wire room. Decoding
// is total: malformed bytes yield false.
class Codec {
 public:
  virtual ~Codec() = default;
  [[nodiscard]] virtual std::string encode(const Command& command) const = 0;
  [[nodiscard]] virtual bool decode(std::string_view bytes, Command& out) const = 0;
  [[nodiscard]] virtual std::string encode(const StateRecord& record) const = 0;
  [[nodiscard]] virtual bool decode(std::string_view bytes, StateRecord& out) const = 0;
};

// All records as the bytes of a snapshot, and back. False: they make no sense.
void pack_record(const StateRecord& record, const Codec& codec, std::string& bytes);
std::string pack_records(const std::vector<StateRecord>& records, const Codec& codec);
[[nodiscard]] bool unpack_records(std::string_view bytes, const Codec& codec,
                                  std::vector<StateRecord>& records);

}  // namespace brigade::node
