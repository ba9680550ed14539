#include "sim/transcripts/functions.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <sstream>

#include "raft/quorum.h"
#include "sim/transcripts/describe.h"

namespace brigade::sim {
namespace {

using raft::Index;
using raft::ReplicaId;

struct Input {
  bool joint = false;
  std::vector<ReplicaId> order;  // ids as first named
  raft::JointQuorum quorum;
  std::vector<std::string> values;
};

std::string to_text(Index index) {
  return index == raft::Majority::kEverything ? "∞" : std::to_string(index.value());
}

Input read(const Directive& directive) {
  Input input;
  const auto take = [&input](const std::vector<std::string>& ids, raft::Majority& half) {
    for (const std::string& text : ids) {
      const ReplicaId id(std::stoull(text));
      half.voters().insert(id);
      if (std::find(input.order.begin(), input.order.end(), id) == input.order.end()) {
        input.order.push_back(id);
      }
    }
  };
  take(directive.values("cfg"), input.quorum.incoming);
  if (directive.has("cfgj")) {
    input.joint = true;
    const auto ids = directive.values("cfgj");
    if (!(ids.size() == 1 && ids.front() == "zero")) {
      take(ids, input.quorum.outgoing);
    }
  }
  input.values = directive.values(directive.command == "vote" ? "votes" : "idx");
  return input;
}

// Pads the index like a progress bar: the i-th largest has a bar of i.
std::string draw(const std::set<ReplicaId>& ids, const std::map<ReplicaId, Index>& acked) {
  struct Row {
    ReplicaId id;
    Index index;
    bool known = false;
    std::size_t bar = 0;
  };
  if (ids.empty()) {
    return "<empty majority quorum>";
  }
  std::vector<Row> rows;
  for (const ReplicaId id : ids) {
    const auto found = acked.find(id);
    rows.push_back({.id = id,
                    .index = found == acked.end() ? Index() : found->second,
                    .known = found != acked.end()});
  }
  const auto by_index = [](const Row& a, const Row& b) {
    return a.index != b.index ? a.index < b.index : a.id < b.id;
  };
  std::sort(rows.begin(), rows.end(), by_index);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    rows[i].bar = rows[i - 1].index < rows[i].index ? i : rows[i - 1].bar;
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.id < b.id; });
  const std::size_t n = rows.size();
  std::string text = std::string(n, ' ') + "    idx\n";
  for (const Row& row : rows) {
    text += row.known ? std::string(row.bar, 'x') + ">" + std::string(n - row.bar, ' ')
                      : "?" + std::string(n, ' ');
    std::array<char, 64> line{};
    std::snprintf(line.data(), line.size(), " %5llu    (id=%llu)\n",
                  static_cast<unsigned long long>(row.index.value()),
                  static_cast<unsigned long long>(row.id.value()));
    text += line.data();
  }
  return text;
}

std::string mismatch(const Input& input) {
  std::string voters;
  for (const ReplicaId id : input.quorum.ids()) {
    voters += (voters.empty() ? "" : " ") + std::to_string(id.value()) + ":{}";
  }
  std::string values;
  for (const std::string& value : input.values) {
    values += (values.empty() ? "" : " ") + (value == "_" ? "0" : value);
  }
  return "error: mismatched input (explicit or _) for voters map[" + voters + "]: [" + values +
         "]\n";
}

}  // namespace

std::string run_quorum(const Directive& directive) {
  const Input input = read(directive);
  if (input.quorum.ids().size() != input.values.size()) {
    return mismatch(input);
  }
  std::map<ReplicaId, std::string> given;
  for (std::size_t i = 0; i < input.order.size(); ++i) {
    if (input.values[i] != "_") {
      given[input.order[i]] = input.values[i];
    }
  }
  if (directive.command == "vote") {
    raft::Votes votes;
    for (const auto& [id, value] : given) {
      votes[id] = value == "y";
    }
    switch (input.quorum.result(votes)) {
      case raft::VoteResult::kWon:
        return "VoteWon\n";
      case raft::VoteResult::kLost:
        return "VoteLost\n";
      case raft::VoteResult::kPending:
        return "VotePending\n";
    }
  }
  if (directive.command != "committed") {
    return "unknown command\n";
  }
  std::map<ReplicaId, Index> acked;
  for (const auto& [id, value] : given) {
    acked[id] = Index(std::stoull(value));
  }
  const Index index = input.quorum.committed([&](ReplicaId id) -> std::optional<Index> {
    const auto found = acked.find(id);
    return found == acked.end() ? std::nullopt : std::optional(found->second);
  });
  return draw(input.quorum.ids(), acked) + to_text(index) + "\n";
}

bool parse_changes(const std::string& text, std::vector<raft::SingleChange>& out) {
  std::stringstream words(text);
  for (std::string word; words >> word;) {
    static const std::map<char, raft::ChangeKind> kKinds{{'v', raft::ChangeKind::kAddVoter},
                                                         {'l', raft::ChangeKind::kAddLearner},
                                                         {'r', raft::ChangeKind::kRemove},
                                                         {'u', raft::ChangeKind::kTouch}};
    const auto kind = kKinds.find(word.front());
    if (word.size() < 2 || kind == kKinds.end()) {
      return false;
    }
    out.push_back({.kind = kind->second, .replica = ReplicaId(std::stoull(word.substr(1)))});
  }
  return true;
}

std::string ConfChangeScript::run(const Directive& directive) {
  std::vector<raft::SingleChange> changes;
  const Index last(last_index_++);
  if (!parse_changes(directive.input, changes)) {
    return "unknown input: " + trim(directive.input) + "\n";
  }
  const raft::Changer changer(membership_, last, raft::Inflights());
  auto next = [&]() -> base::Result<raft::Membership> {
    if (directive.command == "simple") {
      return changer.simple(changes);
    }
    if (directive.command == "enter-joint") {
      return changer.enter_joint(directive.value("autoleave").value_or("false") == "true", changes);
    }
    if (directive.command == "leave-joint") {
      if (!changes.empty()) {
        return base::Error{"this command takes no input"};
      }
      return changer.leave_joint();
    }
    return base::Error{"unknown command"};
  }();
  if (!next) {
    return next.error().message + "\n";
  }
  membership_ = std::move(next).value();
  return describe(membership_) + "\n" + describe(membership_.progress);
}

}  // namespace brigade::sim
