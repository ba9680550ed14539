// Moving messages and time in a transcript, and looking at the result.
#include <algorithm>
#include <utility>

#include "sim/transcripts/describe.h"
#include "sim/transcripts/interaction.h"

namespace brigade::sim {

using raft::Index;
using raft::ReplicaId;

std::size_t Interaction::deliver_to(std::size_t index, bool drop, const std::string& kind) {
  const ReplicaId to(index + 1);  // a script may drop what is for a node that it adds later
  std::vector<Parcel> mine;
  std::deque<Parcel> rest;
  for (Parcel& parcel : parcels_) {
    // A node's messages to itself and its threads' answers are never lost.
    const bool wanted =
        parcel.to == to && !(drop && parcel.local) && (kind.empty() || parcel.kind == kind);
    if (wanted) {
      mine.push_back(std::move(parcel));
    } else {
      rest.push_back(std::move(parcel));
    }
  }
  parcels_ = std::move(rest);
  for (const Parcel& parcel : mine) {
    print((drop ? "dropped: " : "") + parcel.text + "\n");
    if (drop) {
      continue;
    }
    TranscriptNode& node = node_of(to);
    if (const auto* message = std::get_if<raft::Message>(&parcel.content)) {
      const bool reply = parcel.kind.ends_with("Resp");
      if (reply && !parcel.local && !node.core->membership().progress.contains(message->from)) {
        print("raft: cannot step as peer not found\n");
      }
      step(node, *message);
    } else if (const auto* stored = std::get_if<raft::Stored>(&parcel.content)) {
      step(node, *stored);
    } else {
      step(node, std::get<raft::Applied>(parcel.content));
    }
  }
  return mine.size();
}

void Interaction::deliver(const Directive& directive) {
  const std::string kind = directive.value("type").value_or("");
  std::size_t delivered = 0;
  for (const Argument& argument : directive.arguments) {
    if (argument.key == "type") {
      continue;
    }
    if (argument.key == "drop") {
      for (const std::string& id : argument.values) {
        delivered += deliver_to(std::stoull(id) - 1, true, kind);
      }
    } else {
      delivered += deliver_to(std::stoull(argument.key) - 1, false, kind);
    }
  }
  if (delivered == 0) {
    print("no messages\n");
  }
}

void Interaction::stabilize(const Directive& directive) {
  const Ids ids = targets(directive);
  const auto section = [this](std::size_t id, const char* what) {
    print("> " + std::to_string(id + 1) + what);
    indent_ = "  ";
  };
  for (bool done = false; !done;) {
    done = true;
    for (const std::size_t id : ids) {
      if (nodes_.at(id)->core->pending()) {
        done = false;
        section(id, " handling Ready\n");
        process_ready(id);
        indent_.clear();
      }
    }
    for (const std::size_t id : ids) {
      const auto mine = [&](const Parcel& parcel) { return parcel.to == nodes_.at(id)->id; };
      if (std::any_of(parcels_.begin(), parcels_.end(), mine)) {
        done = false;
        section(id, " receiving messages\n");
        deliver_to(id, false, "");
        indent_.clear();
      }
    }
    for (const std::size_t id : ids) {
      if (!nodes_.at(id)->append_work.empty()) {
        done = false;
        section(id, " processing append thread\n");
        while (!nodes_.at(id)->append_work.empty()) {
          process_append(id);
        }
        indent_.clear();
      }
    }
    for (const std::size_t id : ids) {
      if (!nodes_.at(id)->apply_work.empty()) {
        done = false;
        section(id, " processing apply thread\n");
        process_apply(id);
        indent_.clear();
      }
    }
  }
}

void Interaction::tick(const Directive& directive, int ticks) {
  TranscriptNode& node = *nodes_.at(targets(directive).at(0));
  for (int i = 0; i < ticks; ++i) {
    node.now += base::milliseconds(100);
    step(node, raft::Timeout{});
  }
}

void Interaction::compact(const Directive& directive) {
  const auto numbers = directive.numbers();
  TranscriptNode& node = *nodes_.at(static_cast<std::size_t>(numbers.at(0)) - 1);
  const Index index(static_cast<std::uint64_t>(numbers.at(1)));
  step(node, raft::CompactTo{.index = index});
  for (const raft::Entry& entry : node.stored) {
    if (entry.id.index == index) {
      node.stored_after = entry.id;
    }
  }
  std::erase_if(node.stored, [&](const raft::Entry& entry) { return entry.id.index <= index; });
}

void Interaction::send_snapshot(const Directive& directive) {
  const auto ids = targets(directive);
  const TranscriptNode& from = *nodes_.at(ids.at(0));
  const raft::Message message{
      .from = from.id,
      .to = nodes_.at(ids.at(1))->id,
      .term = from.core->term(),
      .body = raft::InstallSnapshot{.snapshot = from.core->log().snapshot()}};
  print(describe(message) + "\n");
  parcels_.push_back(
      {.to = message.to, .kind = kind_of(message), .text = describe(message), .content = message});
}

void Interaction::raft_log(const Directive& directive) {
  const TranscriptNode& node = *nodes_.at(targets(directive).at(0));
  if (node.stored.empty()) {
    const std::uint64_t last = node.stored_after.index.value();
    print("log is empty: first index=" + std::to_string(last + 1) +
          ", last index=" + std::to_string(last) + "\n");
    return;
  }
  for (const raft::Entry& entry : node.stored) {
    print(describe(entry) + "\n");
  }
}

void Interaction::raft_state() {
  for (const auto& node : nodes_) {
    const raft::Core& core = *node->core;
    print(std::to_string(node->id.value()) + ": " + describe(core.role()) +
          (core.membership().voter(node->id) ? " (Voter)" : " (Non-Voter)") +
          " Term:" + std::to_string(core.term().value()) +
          " Lead:" + std::to_string(core.leader().value()) + "\n");
  }
}

void Interaction::status(const Directive& directive) {
  const TranscriptNode& node = *nodes_.at(targets(directive).at(0));
  if (node.core->role() == raft::Role::kLeader) {
    print(describe(node.core->membership().progress));
  }
}

}  // namespace brigade::sim
