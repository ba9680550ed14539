// The load monitoring agent's eyes: what this machine, or the container around this process, is
// busy with. Reads the kernel's files when asked and keeps only the last counters for differences.
//
// Single-threaded. Each sample reads about ten small files (some 100 us): once a second is plenty.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/time.h"
#include "host/proc_text.h"

namespace brigade::host {

struct LoadReading {
  double cpu = 0;    // 0..1 of the cores allowed, since the sample before; 0 on the first
  double cores = 1;  // cores allowed
  std::uint64_t memory_bytes = 0;        // of the container if it is limited, else of this process
  std::uint64_t memory_limit_bytes = 0;  // of the container, else of the machine; 0: unknown
  std::uint64_t net_in_bps = 0;          // bits per second, loopback not counted
  std::uint64_t net_out_bps = 0;
  double cpu_pressure = 0;  // 0..1 of the last 10 s in which some task waited; 0 when unknown
  double memory_pressure = 0;
  double io_pressure = 0;
};

class LoadSampler {
 public:
  // Where the kernel's file systems are mounted; a test gives a folder of its own.
  struct Roots {
    std::filesystem::path proc = "/proc";
    std::filesystem::path cgroup = "/sys/fs/cgroup";
    double cores = 0;             // 0: ask the kernel which this process may run on
    std::uint64_t page_size = 0;  // bytes; 0: ask the kernel
  };

  LoadSampler() : LoadSampler(Roots{}) {}
  explicit LoadSampler(Roots roots);

  // What happened since the sample before. `now` must not go back. Files that are missing leave
  // their fields at zero.
  LoadReading sample(base::TimePoint now);

 private:
  // CPU time counted somewhere, in units that only its own limit is measured in.
  struct CpuUse {
    double used_seconds = 0;
    double cores = 1;
  };

  void find_cgroup();
  [[nodiscard]] std::optional<CpuUse> cgroup_cpu() const;
  double cpu_share(base::TimePoint now, LoadReading& reading);
  void read_memory(LoadReading& reading) const;
  void read_net(base::TimePoint now, LoadReading& reading);
  void read_pressure(LoadReading& reading) const;

  Roots roots_;
  // The folders of this process's cgroup; empty when that hierarchy does not exist.
  std::filesystem::path unified_;
  std::filesystem::path cpu_;
  std::filesystem::path cpuacct_;
  std::filesystem::path memory_;

  std::optional<base::TimePoint> sampled_;
  std::optional<double> cgroup_seconds_;  // at the last sample
  std::optional<MachineTicks> ticks_;
  std::optional<NetBytes> net_;
};

}  // namespace brigade::host
