#include "app/cli/limit_changes.h"

#include <algorithm>
#include <vector>

#include "app/cli/table.h"

namespace brigade::cli {
namespace {

const bucket::LimitSpec* named(std::span<const bucket::LimitSpec> limits, const std::string& name) {
  const auto found = std::find_if(limits.begin(), limits.end(),
                                  [&](const bucket::LimitSpec& one) { return one.name == name; });
  return found == limits.end() ? nullptr : &*found;
}

std::string line(const char* what, const std::vector<std::string>& names) {
  return names.empty() ? "" : std::string(what) + " " + joined(names) + "\n";
}

}  // namespace

std::string changes_text(std::span<const bucket::LimitSpec> before,
                         std::span<const bucket::LimitSpec> applied, bool prune) {
  std::vector<std::string> created;
  std::vector<std::string> changed;
  std::vector<std::string> deleted;
  for (const bucket::LimitSpec& limit : applied) {
    const bucket::LimitSpec* const old = named(before, limit.name);
    if (old == nullptr) {
      created.push_back(limit.name);
    } else if (*old != limit) {
      changed.push_back(limit.name);
    }
  }
  for (const bucket::LimitSpec& old : before) {
    if (prune && named(applied, old.name) == nullptr) {
      deleted.push_back(old.name);
    }
  }
  return line("created", created) + line("changed", changed) + line("deleted", deleted);
}

}  // namespace brigade::cli
