// Coverage marks: rare branches that some test or seed must reach (FoundationDB's CodeProbe,
// TigerBeetle's marks). COVERED("a loan arrives after its sequence was closed") counts a visit;
// marks that were never visited are known as well, so that a campaign can name them.
//
// Threads: a mark belongs to whoever owns the core that it stands in. Nothing is decided by counts.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

namespace brigade::base {

class CoverageMark {
 public:
  // Requires: lives as long as the process, as its name does.
  explicit CoverageMark(const char* name);
  CoverageMark(const CoverageMark&) = delete;
  CoverageMark& operator=(const CoverageMark&) = delete;
  void hit() { ++hits_; }

 private:
  friend std::map<std::string_view, std::uint64_t> coverage_marks();

  const char* name_;
  std::uint64_t hits_ = 0;
  CoverageMark* next_;
};

// Visits by name of every mark that is linked into this program.
std::map<std::string_view, std::uint64_t> coverage_marks();
// Visits of the marks of this name.
std::uint64_t coverage_hits(std::string_view name);

// One for each place: it exists before the place is visited first.
template <class Place>
struct MarkOf {
  static inline CoverageMark mark{Place::name()};
};

}  // namespace brigade::base

// A branch that is common enough to be on the acquire path must not carry a mark.
#define COVERED(text)                           \
  do {                                          \
    struct Place {                              \
      static const char* name() {               \
        return text;                            \
      }                                         \
    };                                          \
    ::brigade::base::MarkOf<Place>::mark.hit(); \
  } while (false)
