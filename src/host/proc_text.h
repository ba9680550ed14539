// Parsers of the kernel's text files: pure functions from a file's content to numbers, nullopt when
// the text is not what the kernel writes. Formats: proc(5), cgroups(7), the kernel's
// Documentation/admin-guide/cgroup-v2.rst and accounting/psi.rst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace brigade::host {

// A whole number that is the file's only content (a trailing newline aside).
std::optional<std::uint64_t> parse_count(std::string_view text);
// The value of `key` in a file of "key value" lines; the key may end in ':' (/proc/meminfo).
std::optional<std::uint64_t> parse_field(std::string_view text, std::string_view key);

// The line "cpu " of /proc/stat, in clock ticks summed over all cores.
struct MachineTicks {
  std::uint64_t busy = 0;   // everything but idle, iowait and the guests counted twice
  std::uint64_t total = 0;  // busy + idle + iowait
};
std::optional<MachineTicks> parse_machine_ticks(std::string_view proc_stat);

// cpu.max of cgroup v2 ("50000 100000" or "max 100000"): cores allowed; nullopt: no limit or bad.
std::optional<double> parse_cpu_max(std::string_view cpu_max);

// /proc/self/statm: resident pages.
std::optional<std::uint64_t> parse_resident_pages(std::string_view statm);

// Bytes over all interfaces of /proc/net/dev but loopback.
struct NetBytes {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
};
std::optional<NetBytes> parse_net_dev(std::string_view net_dev);

// A /proc/pressure file: share of the last 10 s in which some task waited, 0..1.
std::optional<double> parse_pressure(std::string_view pressure);

// /proc/self/cgroup: where this process sits.
struct CgroupPaths {
  std::string unified;  // v2 path, empty when there is none
  std::string cpu;      // v1 hierarchies
  std::string cpuacct;
  std::string memory;
};
CgroupPaths parse_cgroup_paths(std::string_view self_cgroup);

}  // namespace brigade::host
