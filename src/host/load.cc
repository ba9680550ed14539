#include "host/load.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include <sched.h>
#include <unistd.h>

namespace brigade::host {

namespace {

namespace fs = std::filesystem;

// The kernel's files have no size: read until the end or the bound.
std::optional<std::string> read_text(const fs::path& path) {
  constexpr std::size_t kMaxBytes = 1 << 20;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  if (!file) {
    return std::nullopt;
  }
  std::string text;
  std::array<char, 4096> chunk{};
  while (text.size() < kMaxBytes) {
    const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get());
    text.append(chunk.data(), got);
    if (got < chunk.size()) {
      break;
    }
  }
  return text;
}

template <class Parser>
auto read_with(const fs::path& path, Parser parse) -> decltype(parse(std::string_view())) {
  const auto text = read_text(path);
  return text ? parse(*text) : std::nullopt;
}

// A process in a container sees its own path from the host's root; the mount shows only its
// subtree.
fs::path existing(const fs::path& mount, const std::string& path) {
  std::error_code error;
  const fs::path full = mount / fs::path(path).relative_path();
  if (!path.empty() && fs::is_directory(full, error)) {
    return full;
  }
  return fs::is_directory(mount, error) ? mount : fs::path();
}

double allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) {
    return 1;
  }
  return std::max(1, CPU_COUNT(&set));
}

std::uint64_t per_second(std::uint64_t bytes, base::Duration elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds <= 0 ? 0 : static_cast<std::uint64_t>(static_cast<double>(bytes) * 8 / seconds);
}

std::uint64_t since(std::uint64_t before, std::uint64_t after) {
  return after >= before ? after - before : 0;  // an interface went away or a counter was reset
}

}  // namespace

LoadSampler::LoadSampler(Roots roots) : roots_(std::move(roots)) {
  if (roots_.cores <= 0) {
    roots_.cores = allowed_cores();
  }
  if (roots_.page_size == 0) {
    roots_.page_size = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  find_cgroup();
}

void LoadSampler::find_cgroup() {
  const auto text = read_text(roots_.proc / "self" / "cgroup");
  if (!text) {
    return;
  }
  const CgroupPaths paths = parse_cgroup_paths(*text);
  std::error_code error;
  if (fs::exists(roots_.cgroup / "cgroup.controllers", error)) {
    unified_ = existing(roots_.cgroup, paths.unified);
    return;
  }
  cpu_ = existing(roots_.cgroup / "cpu", paths.cpu);
  cpuacct_ = existing(roots_.cgroup / "cpuacct", paths.cpuacct);
  memory_ = existing(roots_.cgroup / "memory", paths.memory);
}

LoadReading LoadSampler::sample(base::TimePoint now) {
  LoadReading reading;
  reading.cpu = cpu_share(now, reading);
  read_memory(reading);
  read_net(now, reading);
  read_pressure(reading);
  sampled_ = now;
  return reading;
}

// Only a group with a quota is measured by its own clock: without one, its neighbours on the
// machine slow this process down as much as its own work does.
std::optional<LoadSampler::CpuUse> LoadSampler::cgroup_cpu() const {
  if (!unified_.empty()) {
    const auto cores = read_with(unified_ / "cpu.max", parse_cpu_max);
    const auto used = read_with(unified_ / "cpu.stat", [](std::string_view text) {
      return parse_field(text, "usage_usec");
    });
    if (cores && used) {
      return CpuUse{static_cast<double>(*used) / 1e6, std::min(*cores, roots_.cores)};
    }
    return std::nullopt;
  }
  if (cpu_.empty() || cpuacct_.empty()) {
    return std::nullopt;
  }
  const auto quota = read_with(cpu_ / "cpu.cfs_quota_us", parse_count);  // -1 is no count: no quota
  const auto period = read_with(cpu_ / "cpu.cfs_period_us", parse_count);
  const auto used = read_with(cpuacct_ / "cpuacct.usage", parse_count);
  if (!quota || !period || !used || *quota == 0 || *period == 0) {
    return std::nullopt;
  }
  const double cores = static_cast<double>(*quota) / static_cast<double>(*period);
  return CpuUse{static_cast<double>(*used) / 1e9, std::min(cores, roots_.cores)};
}

double LoadSampler::cpu_share(base::TimePoint now, LoadReading& reading) {
  double share = 0;
  const auto ticks = read_with(roots_.proc / "stat", parse_machine_ticks);
  const auto group = cgroup_cpu();
  reading.cores = group ? group->cores : roots_.cores;
  if (group) {
    const double elapsed = sampled_ ? std::chrono::duration<double>(now - *sampled_).count() : 0.0;
    if (cgroup_seconds_ && elapsed > 0) {
      share = (group->used_seconds - *cgroup_seconds_) / (elapsed * group->cores);
    }
  } else if (ticks && ticks_ && ticks->total > ticks_->total) {
    share = static_cast<double>(since(ticks_->busy, ticks->busy)) /
            static_cast<double>(ticks->total - ticks_->total);
  }
  ticks_ = ticks;
  cgroup_seconds_ = group ? std::optional(group->used_seconds) : std::nullopt;
  return std::clamp(share, 0.0, 1.0);
}

void LoadSampler::read_memory(LoadReading& reading) const {
  const auto machine_kib = read_with(
      roots_.proc / "meminfo", [](std::string_view text) { return parse_field(text, "MemTotal"); });
  const std::uint64_t machine = machine_kib.value_or(0) * 1024;
  const bool v2 = !unified_.empty();
  const fs::path& folder = v2 ? unified_ : memory_;
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> used;
  if (!folder.empty()) {
    // No limit: v2 writes "max", which is no count; v1 the largest page-aligned number.
    limit = read_with(folder / (v2 ? "memory.max" : "memory.limit_in_bytes"), parse_count);
    used = read_with(folder / (v2 ? "memory.current" : "memory.usage_in_bytes"), parse_count);
  }
  if (limit && used && (machine == 0 || *limit < machine)) {
    reading.memory_bytes = *used;
    reading.memory_limit_bytes = *limit;
    return;
  }
  reading.memory_bytes =
      read_with(roots_.proc / "self" / "statm", parse_resident_pages).value_or(0) *
      roots_.page_size;
  reading.memory_limit_bytes = machine;
}

void LoadSampler::read_net(base::TimePoint now, LoadReading& reading) {
  const auto net = read_with(roots_.proc / "net" / "dev", parse_net_dev);
  if (net && net_ && sampled_) {
    reading.net_in_bps = per_second(since(net_->in, net->in), now - *sampled_);
    reading.net_out_bps = per_second(since(net_->out, net->out), now - *sampled_);
  }
  net_ = net;
}

void LoadSampler::read_pressure(LoadReading& reading) const {
  const fs::path folder = unified_.empty() ? roots_.proc / "pressure" : unified_;
  const char* suffix = unified_.empty() ? "" : ".pressure";
  const auto share = [&](const char* resource) {
    return read_with(folder / (std::string(resource) + suffix), parse_pressure).value_or(0);
  };
  reading.cpu_pressure = share("cpu");
  reading.memory_pressure = share("memory");
  reading.io_pressure = share("io");
}

}  // namespace brigade::host
