// Whole Raft groups driven by a transcript: every step is a command, nothing moves by itself.
//
// Source of the vocabulary: the interaction transcripts of etcd-io/raft. Two kinds of drivers: one
// persists and applies at once when a node is asked to process what is ready; the other queues that
// work for an append thread and an apply thread that the script runs.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "raft/core.h"
#include "sim/transcripts/datadriven.h"

namespace brigade::sim {

// Storage or state machine work of one node, with what it lets go when done.
struct Work {
  raft::Persist persist;             // append thread
  std::vector<raft::Entry> applied;  // apply thread
};

// A message between nodes, or a completion on its way back to its own node.
struct Parcel {
  raft::ReplicaId to;
  std::string kind;
  bool local = false;
  std::string text;
  std::variant<raft::Message, raft::Stored, raft::Applied> content;
};

struct TranscriptNode {
  raft::ReplicaId id;
  bool async = false;
  base::TimePoint now;
  std::unique_ptr<raft::Core> core;
  std::deque<Work> append_work;
  std::deque<Work> apply_work;
  // What storage holds, as the transcript would read it back.
  std::vector<raft::Entry> stored;
  raft::EntryId stored_after;
  raft::HardState hard;
  std::string soft = "Lead:0 State:StateFollower\n";  // the soft state last shown: a transcript
                                                      // repeats it only when it changed
  std::string state;  // the state machine: everything applied, appended
};

class Interaction {
 public:
  // Runs one command and returns what it printed, in the transcripts' form.
  std::string run(const Directive& directive);

 private:
  using Ids = std::vector<std::size_t>;

  void dispatch(const Directive& directive);
  void add_nodes(const Directive& directive);
  void propose(const Directive& directive);
  void propose_conf(const Directive& directive);
  void process_ready(std::size_t node);
  void process_ready_all(const Directive& directive);
  void process_append(std::size_t node);
  void process_apply(std::size_t node);
  void process_thread(const Directive& directive, bool append);
  void deliver(const Directive& directive);
  std::size_t deliver_to(std::size_t node, bool drop, const std::string& kind);
  void stabilize(const Directive& directive);
  void tick(const Directive& directive, int ticks);
  void compact(const Directive& directive);
  void send_snapshot(const Directive& directive);
  void raft_log(const Directive& directive);
  void raft_state();
  void status(const Directive& directive);

  void persist(TranscriptNode& node, const raft::Persist& work);
  void apply(TranscriptNode& node, const std::vector<raft::Entry>& entries);
  void describe_ready(TranscriptNode& node, const raft::Actions& actions);
  [[nodiscard]] std::string describe_append(const TranscriptNode& node, const raft::Persist& work,
                                            bool responses) const;
  [[nodiscard]] std::string describe_apply(const TranscriptNode& node,
                                           const std::vector<raft::Entry>& entries,
                                           bool responses) const;
  [[nodiscard]] std::vector<Parcel> responses_of(const TranscriptNode& node,
                                                 const raft::Persist& work) const;
  [[nodiscard]] Parcel response_of(const TranscriptNode& node,
                                   const std::vector<raft::Entry>& entries) const;
  void print(const std::string& text);
  void step(TranscriptNode& node, const raft::Input& input);
  [[nodiscard]] Ids targets(const Directive& directive) const;
  TranscriptNode& node_of(raft::ReplicaId id) { return *nodes_.at(id.value() - 1); }

  std::vector<std::unique_ptr<TranscriptNode>> nodes_;
  std::deque<Parcel> parcels_;
  std::string out_;
  std::string indent_;
  bool silent_ = false;
};

}  // namespace brigade::sim
