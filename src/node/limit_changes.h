// Changes of limits on their way through the log of the shard that is led here.
//
// A Configure is dated when it is proposed: what begins anew with it, a slow limit's books or the
// time since a limit was deleted, counts from that stamp, however long the entry takes to be
// applied. So nothing of such a limit is decided from the proposal on. Otherwise what is spent
// under the old terms meanwhile would be minted once more under the new ones.
//
// Threads: single-threaded (owner: home desk). Limits: the names in entries that are under way.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "node/token_store.h"

namespace brigade::node {

class LimitChanges {
 public:
  // This entry is proposed. Returns the limits that are held for it: those that it may end, and
  // those that other changes are under way for. Changes that keep every level hold nothing.
  std::vector<std::string> begin(const Configure& entry, const TokenStore& store);
  // It is applied, or in no log.
  void end(const std::vector<std::string>& held);
  [[nodiscard]] bool hold(std::string_view limit) const {
    return !held_.empty() && held_.find(limit) != held_.end();
  }

 private:
  std::map<std::string, std::size_t, std::less<>> held_;  // by how many entries
};

}  // namespace brigade::node
