#include "base/coverage.h"

namespace brigade::base {
namespace {

// Before any constructor of a mark runs.
constinit CoverageMark* first_mark = nullptr;

}  // namespace

CoverageMark::CoverageMark(const char* name) : name_(name), next_(first_mark) {
  first_mark = this;
}

std::map<std::string_view, std::uint64_t> coverage_marks() {
  std::map<std::string_view, std::uint64_t> marks;
  for (const CoverageMark* mark = first_mark; mark != nullptr; mark = mark->next_) {
    marks[mark->name_] += mark->hits_;
  }
  return marks;
}

std::uint64_t coverage_hits(std::string_view name) {
  const auto marks = coverage_marks();
  const auto found = marks.find(name);
  return found == marks.end() ? 0 : found->second;
}

}  // namespace brigade::base
