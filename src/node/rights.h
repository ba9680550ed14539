// Rights: who may mint and hold how much of what (semantics 1, 3 and 4).
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/key_hash.h"
#include "base/tokens.h"

namespace brigade::node {

using base::Boot;
using base::KeyHash;
using base::NodeId;
using base::Rate;
using base::ShardId;
using base::Tokens;

// Account number: the log index of the Open that began the session. Never reused.
using Account = base::Id<struct AccountTag>;
// Epoch G of a rights change: the log index of the command that made it.
using Epoch = base::Id<struct EpochTag>;
// A limit's configuration version: the log index, in its shard, of the command that set it.
using Version = base::Id<struct VersionTag>;

// Shard time in nanoseconds: only the leader's derated elapsed time moves it (semantics 3.10).
using Stamp = base::Duration;

// Names a ledger: a shared limit (zero key) or one key of a `per: key` limit.
struct LedgerId {
  std::string limit;
  KeyHash key;
  friend auto operator<=>(const LedgerId&, const LedgerId&) = default;
};

// A rights message always carries absolute values: lost, doubled and reordered ones do no harm.
struct Rights {
  LedgerId ledger;
  Rate rate;          // R: right to mint
  Tokens size;        // B: right to hold
  Tokens granted;     // C: tokens granted since the account was opened, cumulative
  Epoch epoch;        // G
  bool keep = false;  // on_isolated: keep; outlives the session while the process lives
  friend bool operator==(const Rights&, const Rights&) = default;
};

// What became of one limit's tokens at one node since its process started.
struct PurseTotals {
  Tokens admitted;
  Tokens refused;
  Tokens lent;
  Tokens borrowed;
};

}  // namespace brigade::node
