// What one Raft group did, as an observer knows it who sees every machine and every disk; and the
// properties that must hold whatever the network, the disks and the processes do.
//
// Source: paper figure 3 (election safety, log matching, leader completeness, state machine
// safety), thesis 4.3 (configurations) and 6.4 (reads). Every report is checked at once; the first
// violation is kept in broken().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "raft/core.h"
#include "sim/raft/disk.h"

namespace brigade::sim {

class Chronicle {
 public:
  // Whether the disk of this replica holds that entry, in truth.
  using Holds = std::function<bool(raft::ReplicaId, const raft::EntryId&)>;

  // `stickiness`: how long a confirmed quorum round keeps rivals from winning.
  Chronicle(const raft::Snapshot& first, std::uint64_t hash, base::Duration stickiness);

  // An entry was handed to a disk after one of term `previous` (log matching).
  void kept(const raft::Entry& entry, raft::Term previous);
  // A vote left its machine (one vote per term, whatever crashes).
  void voted(raft::ReplicaId voter, raft::Term term, raft::ReplicaId candidate);
  // A replica leads a term that it did not lead before (election safety, leader completeness).
  void elected(const raft::Core& core, base::TimePoint now);
  // A replica's commit index moved (committed entries are on a quorum of disks and never change).
  void committed(const raft::Core& core, raft::Index before, const Holds& holds);
  // A replica's state machine took an entry.
  void applied(const raft::Entry& entry);
  // A replica's state machine is this far, with this content (state machine safety).
  void stands_at(const Machined& machined);
  // A replica's configuration with everything up to here applied (configuration safety).
  void configured(raft::Index index, const raft::ConfState& conf);
  // A read of this floor (the last commit when it was asked) was told this index.
  void read_answered(raft::Index floor, raft::Index told);
  // A quorum round of this term was confirmed that began at `asked`, when its leader had applied
  // this much: until `asked` + stickiness no rival wins while it leads.
  void confirmed(raft::Term term, base::TimePoint asked, raft::Index applied);
  // The leader of this term leads it no more, and knows: what it was promised has no use.
  void stepped_down(raft::Term term) { rounds_.erase(term); }
  // The leader of this term, whose log ends there, gives leadership away. Its rounds count again
  // once it applied something newer: that buries the transfer.
  void transfer_asked(raft::Term term, raft::Index last);

  [[nodiscard]] raft::Index last_committed() const;
  [[nodiscard]] raft::EntryId committed_id(raft::Index index) const;
  // The configuration in force with everything up to this index applied.
  [[nodiscard]] const raft::ConfState& conf_at(raft::Index index) const;

  void fail(std::string why);
  [[nodiscard]] const std::string& broken() const { return broken_; }

 private:
  struct Known {  // an entry that some disk was given
    raft::Term term;
    raft::Term previous;
    std::uint64_t digest = 0;
  };
  struct Committed {
    raft::Term term;
    raft::Term in;  // the term of the leader that committed it
    std::uint64_t digest = 0;
    std::uint64_t hash = 0;  // of the state machine with everything up to here
  };
  [[nodiscard]] const Committed* at(raft::Index index) const;
  void first_commit(const raft::Core& core, raft::Index index, const Holds& holds);
  void check_quorum_holds(const raft::Core& core, const raft::EntryId& id, const Holds& holds);

  raft::Index base_;  // everything up to here was there from the beginning
  base::Duration stickiness_;
  std::vector<std::vector<Known>> known_;  // by index after base_
  std::vector<Committed> committed_;       // by index from base_ on
  std::map<raft::Term, raft::ReplicaId> leaders_;
  std::map<std::pair<raft::Term, raft::ReplicaId>, raft::ReplicaId> votes_;
  std::map<raft::Index, raft::ConfState> confs_;
  std::map<raft::Term, base::TimePoint> rounds_;
  std::map<raft::Term, raft::Index> transfers_;
  std::string broken_;
};

// A hash of what an entry says, apart from its place.
std::uint64_t digest_of(const raft::Entry& entry);
// The state machine of the simulation: a hash of everything applied, in order.
std::uint64_t next_state(std::uint64_t hash, const raft::Entry& entry);

}  // namespace brigade::sim
