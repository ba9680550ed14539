#include "sim/raft/chronicle.h"

#include <algorithm>
#include <set>

namespace brigade::sim {
namespace {

using raft::EntryId;
using raft::Index;
using raft::ReplicaId;
using raft::Term;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x100000001b3ULL;
}

std::string name(const EntryId& id) {
  return std::to_string(id.term.value()) + "/" + std::to_string(id.index.value());
}
std::string name(ReplicaId id) {
  return "replica " + std::to_string(id.value());
}

std::set<ReplicaId> minus(const std::set<ReplicaId>& a, const std::set<ReplicaId>& b) {
  std::set<ReplicaId> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.begin()));
  return out;
}

// Every quorum of one shares a voter with every quorum of the next.
bool overlap(const raft::ConfState& before, const raft::ConfState& after) {
  if (!after.voters_outgoing.empty()) {
    return before.voters_outgoing.empty() && after.voters_outgoing == before.voters;
  }
  if (!before.voters_outgoing.empty()) {
    return after.voters == before.voters;
  }
  return minus(before.voters, after.voters).size() + minus(after.voters, before.voters).size() <= 1;
}

}  // namespace

std::uint64_t digest_of(const raft::Entry& entry) {
  std::uint64_t hash = mix(14695981039346656037U, static_cast<std::uint64_t>(entry.kind));
  for (const char c : entry.data.view()) {
    hash = mix(hash, static_cast<unsigned char>(c));
  }
  hash = mix(hash, static_cast<std::uint64_t>(entry.change.transition));
  for (const raft::SingleChange& one : entry.change.changes) {
    hash = mix(mix(hash, static_cast<std::uint64_t>(one.kind)), one.replica.value());
  }
  return hash;
}

std::uint64_t next_state(std::uint64_t hash, const raft::Entry& entry) {
  return mix(mix(hash, digest_of(entry)), entry.id.index.value());
}

Chronicle::Chronicle(const raft::Snapshot& first, std::uint64_t hash, base::Duration stickiness)
    : base_(first.last.index), stickiness_(stickiness) {
  committed_.push_back({.term = first.last.term, .in = first.last.term, .digest = 0, .hash = hash});
  confs_.emplace(base_, first.conf);
}

void Chronicle::fail(std::string why) {
  if (broken_.empty()) {
    broken_ = std::move(why);
  }
}

Index Chronicle::last_committed() const {
  return base_.next(committed_.size() - 1);
}

const Chronicle::Committed* Chronicle::at(Index index) const {
  return index < base_ || index > last_committed() ? nullptr : &committed_[index.distance(base_)];
}

EntryId Chronicle::committed_id(Index index) const {
  const Committed* one = at(index);
  return one == nullptr ? EntryId{} : EntryId{.term = one->term, .index = index};
}

const raft::ConfState& Chronicle::conf_at(Index index) const {
  return std::prev(confs_.upper_bound(std::max(index, base_)))->second;
}

void Chronicle::kept(const raft::Entry& entry, Term previous) {
  if (entry.id.index <= base_) {
    return fail("an entry stands where the log began: " + name(entry.id));
  }
  const std::size_t slot = entry.id.index.distance(base_) - 1;
  if (slot >= known_.size()) {
    known_.resize(slot + 1);
  }
  const std::uint64_t digest = digest_of(entry);
  for (const Known& one : known_[slot]) {
    if (one.term == entry.id.term) {
      if (one.digest != digest || one.previous != previous) {
        fail("log matching: two logs differ at or before " + name(entry.id));
      }
      return;
    }
  }
  known_[slot].push_back({.term = entry.id.term, .previous = previous, .digest = digest});
}

void Chronicle::voted(ReplicaId voter, Term term, ReplicaId candidate) {
  const auto [vote, first] = votes_.try_emplace({term, voter}, candidate);
  if (!first && vote->second != candidate) {
    fail(name(voter) + " voted twice in term " + std::to_string(term.value()));
  }
}

void Chronicle::elected(const raft::Core& core, base::TimePoint now) {
  const Term term = core.term();
  const auto [leader, first] = leaders_.try_emplace(term, core.self());
  if (!first && leader->second != core.self()) {
    return fail("election safety: two leaders in term " + std::to_string(term.value()));
  }
  // Whatever leaders of earlier terms committed is in its log.
  const auto later = std::partition_point(committed_.begin(), committed_.end(),
                                          [&](const Committed& one) { return one.in < term; });
  if (later != committed_.begin()) {
    const EntryId id =
        committed_id(base_.next(static_cast<std::uint64_t>(later - committed_.begin()) - 1));
    if (core.log().last() < id.index ||
        (core.log().term(id.index) != id.term && id.index.next() >= core.log().first())) {
      fail("leader completeness: the leader of term " + std::to_string(term.value()) +
           " lacks committed entry " + name(id));
    }
  }
  if (core.log().has_conf_change(core.log().applied(), core.log().committed())) {
    fail("the leader of term " + std::to_string(term.value()) +
         " was elected under a configuration that it knew was replaced");
  }
  for (auto it = rounds_.begin(); it != rounds_.lower_bound(term); ++it) {
    if (now < it->second + stickiness_) {
      fail("the leader of term " + std::to_string(term.value()) +
           " won while a quorum still held " + "to the leader of term " +
           std::to_string(it->first.value()));
    }
  }
  while (rounds_.size() > 16) {
    rounds_.erase(rounds_.begin());
  }
}

void Chronicle::check_quorum_holds(const raft::Core& core, const EntryId& id, const Holds& holds) {
  const auto on_majority = [&](const std::set<ReplicaId>& voters) {
    const auto count = std::count_if(voters.begin(), voters.end(),
                                     [&](ReplicaId voter) { return holds(voter, id); });
    return voters.empty() || static_cast<std::size_t>(count) > voters.size() / 2;
  };
  const raft::JointQuorum& voters = core.membership().voters;
  if (!on_majority(voters.incoming.voters()) || !on_majority(voters.outgoing.voters())) {
    fail(name(core.self()) + " committed " + name(id) + ", which no quorum of disks holds");
  }
}

void Chronicle::first_commit(const raft::Core& core, Index index, const Holds& holds) {
  const raft::Entry& entry = core.log().at(index);
  committed_.push_back({.term = entry.id.term,
                        .in = core.term(),
                        .digest = digest_of(entry),
                        .hash = next_state(committed_.back().hash, entry)});
  check_quorum_holds(core, entry.id, holds);
}

void Chronicle::committed(const raft::Core& core, Index before, const Holds& holds) {
  for (Index i = before.next(); i <= core.log().committed(); i = i.next()) {
    const auto term = core.log().term(i);
    if (i > last_committed()) {
      if (i < core.log().first()) {
        return fail(name(core.self()) + " has a snapshot beyond everything committed");
      }
      first_commit(core, i, holds);
    } else if (term && *term != at(i)->term) {
      return fail(name(core.self()) + " committed " + name({.term = *term, .index = i}) +
                  " where " + name(committed_id(i)) + " was committed");
    }
  }
}

void Chronicle::applied(const raft::Entry& entry) {
  const Committed* one = at(entry.id.index);
  if (one == nullptr) {
    fail("applied what was never committed: " + name(entry.id));
  } else if (one->term != entry.id.term || one->digest != digest_of(entry)) {
    fail("state machine safety: applied " + name(entry.id) + " where " +
         name(committed_id(entry.id.index)) + " was committed");
  }
}

void Chronicle::stands_at(const Machined& machined) {
  const Committed* one = at(machined.applied);
  if (one == nullptr || one->hash != machined.hash) {
    fail("state machine safety: two states differ at index " +
         std::to_string(machined.applied.value()));
  }
}

void Chronicle::configured(Index index, const raft::ConfState& conf) {
  const auto [known, first] = confs_.try_emplace(index, conf);
  if (!first) {
    if (known->second != conf) {
      fail("two configurations at index " + std::to_string(index.value()));
    }
    return;
  }
  if (std::next(known) != confs_.end() || !overlap(std::prev(known)->second, conf)) {
    fail("the configuration at index " + std::to_string(index.value()) +
         " shares no quorum with the one before");
  }
}

void Chronicle::read_answered(Index floor, Index told) {
  if (told < floor) {
    fail("a read was told index " + std::to_string(told.value()) + " when " +
         std::to_string(floor.value()) + " was committed before it was asked");
  }
}

void Chronicle::confirmed(Term term, base::TimePoint asked, Index applied) {
  if (const auto given = transfers_.find(term);
      given != transfers_.end() && applied <= given->second) {
    return;
  }
  const auto [round, first] = rounds_.try_emplace(term, asked);
  round->second = std::max(round->second, asked);
}

void Chronicle::transfer_asked(Term term, Index last) {
  transfers_[term] = last;
  rounds_.erase(term);
}

}  // namespace brigade::sim
