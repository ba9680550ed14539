#include "base/coverage.h"

namespace brigade::base {
namespace {

std::vector<const CoverageMark*>& registry() {
  static std::vector<const CoverageMark*> marks;
  return marks;
}

}  // namespace

CoverageMark::CoverageMark(const char* name) : name_(name) {
  registry().push_back(this);
}

const std::vector<const CoverageMark*>& coverage_marks() {
  return registry();
}

std::uint64_t coverage_hits(std::string_view name) {
  std::uint64_t total = 0;
  for (const CoverageMark* mark : registry()) {
    total += mark->name() == name ? mark->hits() : 0;
  }
  return total;
}

}  // namespace brigade::base
