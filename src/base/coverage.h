// Coverage marks: rare branches that some test or seed must reach (FoundationDB's CodeProbe,
// TigerBeetle's marks). COVERED("loan arrives after its seq was closed") counts a visit.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace brigade::base {

class CoverageMark {
 public:
  explicit CoverageMark(const char* name);
  void hit() { ++hits_; }
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::uint64_t hits() const { return hits_; }

 private:
  const char* name_;
  std::uint64_t hits_ = 0;
};

// Every mark reached so far in this process, in the order of first visits.
const std::vector<const CoverageMark*>& coverage_marks();
// Visits of the mark of this name; 0 when it was never reached.
std::uint64_t coverage_hits(std::string_view name);

}  // namespace brigade::base

// A branch that is common enough to be on the acquire path must not carry a mark.
#ifdef BRIGADE_COVERAGE_MARKS
#define COVERED(name)                                        \
  do {                                                       \
    static ::brigade::base::CoverageMark brigade_mark(name); \
    brigade_mark.hit();                                      \
  } while (false)
#else
#define COVERED(name) \
  do {                \
  } while (false)
#endif
