// What a shard never forgets of nodes: which replica ids are used up, and who was removed.
#include <vector>

#include "node/token_store.h"

namespace brigade::node {

void TokenStore::note_replica(NodeId node, std::uint16_t generation) {
  if (generation > last_generation(node)) {
    NodeRecord& record = nodes_.try_emplace(node, NodeRecord{.node = node}).first->second;
    record.generation = generation;
    touch(record);
  }
}

std::uint16_t TokenStore::last_generation(NodeId node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? std::uint16_t{0} : found->second.generation;
}

bool TokenStore::removed(NodeId node) const {
  const auto found = nodes_.find(node);
  return found != nodes_.end() && found->second.removed;
}

// A later start of the same node proves its earlier processes dead: what they had to keep lapses
// like anything else, when the leader has waited for as long as it waits for anybody.
void TokenStore::end_keeping(const OpenSession& command) {
  for (auto& [account, session] : sessions_) {
    if (session.node != command.node || session.start >= command.start) {
      continue;
    }
    for (auto& [id, ledger] : ledgers_) {
      if (ledger.unkeep(account)) {
        touch(LedgerRecord{.id = id, .ledger = ledger});
      }
    }
    if (session.lapsed) {
      session.lapsed = false;
      touch(session);
    }
  }
}

Outcome TokenStore::apply_one(std::uint64_t, const RemoveNode& command) {
  advance(command.stamp);
  if (!command.node || (nodes_.size() >= kMaxNodes && !nodes_.contains(command.node))) {
    return {.applied = Applied::kRefused, .reason = "too many nodes were removed"};
  }
  NodeRecord& record =
      nodes_.try_emplace(command.node, NodeRecord{.node = command.node}).first->second;
  record.removed = true;
  touch(record);
  for (auto it = overrides_.begin(); it != overrides_.end();) {
    if (it->first.second == command.node) {
      drop(OverrideRecord{it->second});  // no name is left to clear it by
      it = overrides_.erase(it);
    } else {
      ++it;
    }
  }
  if (command.certified) {
    // Nobody can spend any more what its sessions held; tokens are not known and stay gone.
    std::vector<Account> ended;
    for (const auto& [account, session] : sessions_) {
      if (session.node == command.node) {
        ended.push_back(account);
      }
    }
    for (const Account account : ended) {
      end_session(account, {});
    }
  }
  return {};
}

}  // namespace brigade::node
