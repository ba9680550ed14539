// The words in which the transcripts speak of Raft.
#pragma once

#include <string>

#include "raft/core.h"
#include "raft/membership.h"
#include "raft/messages.h"
#include "raft/progress.h"

namespace brigade::sim {

std::string describe(const raft::Entry& entry);
std::string describe(const raft::ConfState& conf);
std::string describe(const raft::Snapshot& snapshot);
std::string describe(const raft::Message& message);
std::string describe(const raft::Progress& progress);
// "1: StateProbe match=0 next=1" a line each.
std::string describe(const raft::ProgressMap& map);
// "voters=(1 2)&&(1) learners=(3)".
std::string describe(const raft::Membership& membership);
std::string describe(raft::Role role);
std::string kind_of(const raft::Message& message);
// "Entries:[1/2 EntryNormal \"\"]" with its leading space; empty without entries.
std::string entries_of(const std::vector<raft::Entry>& entries);

}  // namespace brigade::sim
