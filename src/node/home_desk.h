// Home mode: the keys of `per: key` limits, spent in memory under the shard leader's own authority
// (semantics 3.9 and 6).
//
// Authority is dated from the start of a read round that a quorum confirmed, lasts tau_home, and is
// shorter than the shortest election: while it holds, no other leader of the shard can exist. A
// term's first authority starts with empty ghosts, except where nobody can have spent before.
//
// Threads: single-threaded (owner: replica). Limits: kMaxImplicit implicit limits; max_keys per
// limit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "bucket/key_table.h"
#include "node/messages.h"
#include "node/purse.h"
#include "node/token_store.h"

namespace brigade::node {

// One take from a key's bucket, or a look at it. The view and the pointer live for the call.
struct KeyTake {
  std::string_view limit;
  KeyHash key;
  Tokens cost;
  std::string_view priority;
  bool peek = false;
  const bucket::LimitSpec* implicit = nullptr;  // CL.THROTTLE: the limit that the name stands for
};

class HomeDesk {
 public:
  // Below the minimum election timeout of 600 ms, in which voters stay with a leader they heard.
  static constexpr base::Duration kTauHome = base::milliseconds(300);
  // Implicit limits (CL.THROTTLE) known at once; refused beyond.
  static constexpr std::size_t kMaxImplicit = 10'000;

  // The first entry of a shard's first leader: behind the founding, which counts as entry 1.
  static constexpr std::uint64_t kFirstTermBegins = 2;

  // `term_begins`: index of the term's first entry. At kFirstTermBegins nobody led this shard
  // before.
  HomeDesk(const TokenStore& store, std::uint64_t term_begins, base::Drift drift);

  // A round that began at `started` was confirmed.
  void confirmed(Instant started);
  // A planned transfer begins: nothing is decided here until a later round is confirmed.
  void suspend(Instant now) { suspended_at_ = now.fast; }
  [[nodiscard]] bool in_authority(Instant now) const {
    return now.fast < until_ && now.fast >= base::TimePoint{};
  }
  [[nodiscard]] base::TimePoint until() const { return until_; }

  // Decides one take. Requires: in_authority(now). The caller reads its clock again before the
  // answer leaves; past until() it must not. Allocates only for keys and limits not seen before.
  Told decide(const KeyTake& take, Instant now);
  Told decide(const Ask& ask, Instant now);
  // Follows the configuration: tables of deleted limits go, policies change.
  void follow(Instant now);
  // Some keys were asked for lately: the rounds are worth their heartbeats.
  [[nodiscard]] bool wanted(Instant now) const { return now.slow < wanted_until_; }
  void want(Instant now) { wanted_until_ = now.slow + base::seconds(10); }
  void sweep(Instant now);

  struct Totals {
    Tokens admitted;
    Tokens refused;
  };
  // By limit, since this term's desk was set up.
  [[nodiscard]] std::map<std::string, Totals> totals() const;
  [[nodiscard]] std::size_t keys() const;

 private:
  struct Table {
    bucket::KeyTable keys;
    Totals totals;
  };

  Table* table(std::string_view limit, const bucket::LimitSpec& spec, Instant now);
  [[nodiscard]] bucket::Ghost ghost(const std::string& limit) const;

  const TokenStore& store_;
  std::uint64_t term_begins_;
  base::Drift drift_;
  base::TimePoint until_{};         // fast line
  base::TimePoint suspended_at_{};  // fast line; rounds begun before it confirm nothing
  base::TimePoint wanted_until_{};  // slow line
  std::map<std::string, Table, std::less<>> tables_;
};

}  // namespace brigade::node
