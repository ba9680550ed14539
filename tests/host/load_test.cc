#include "host/load.h"

#include <fstream>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace brigade;
using host::LoadReading;
using host::LoadSampler;

namespace {

namespace fs = std::filesystem;

// A copy of the kernel's file systems that a test can write to.
class FakeKernel {
 public:
  FakeKernel() {
    static int count = 0;
    root_ = fs::temp_directory_path() /
            ("brigade_load_" + std::to_string(getpid()) + "_" + std::to_string(count++));
    fs::create_directories(root_);
    machine(0, 0);
    write("proc/meminfo", "MemTotal: 1000 kB\n");
    write("proc/self/statm", "10 5 1 1 0 1 0\n");
    net(0, 0);
  }
  ~FakeKernel() { fs::remove_all(root_); }
  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void machine(int busy, int idle) {
    write("proc/stat",
          "cpu " + std::to_string(busy) + " 0 0 " + std::to_string(idle) + " 0 0 0 0 0 0\n");
  }
  void net(int in, int out) {
    write("proc/net/dev", "h\nh\neth0: " + std::to_string(in) + " 0 0 0 0 0 0 0 " +
                              std::to_string(out) + " 0 0 0 0 0 0 0\n");
  }
  [[nodiscard]] LoadSampler sampler() const {
    return LoadSampler(
        {.proc = root_ / "proc", .cgroup = root_ / "cgroup", .cores = 4, .page_size = 4096});
  }

 private:
  fs::path root_;
};

base::TimePoint at(int seconds) {
  return base::TimePoint(base::seconds(seconds));
}

}  // namespace

TEST_SUITE("host/load") {
  TEST_CASE("without a cgroup the machine and the process are measured") {
    FakeKernel kernel;
    LoadSampler sampler = kernel.sampler();
    CHECK(sampler.sample(at(10)).cpu == 0);
    kernel.machine(25, 75);
    kernel.net(1000, 500);
    const LoadReading reading = sampler.sample(at(12));
    CHECK(reading.cpu == 0.25);
    CHECK(reading.cores == 4);
    CHECK(reading.memory_bytes == 5 * 4096);
    CHECK(reading.memory_limit_bytes == 1000 * 1024);
    CHECK(reading.net_in_bps == 4000);
    CHECK(reading.net_out_bps == 2000);
  }

  TEST_CASE("a limited cgroup v2 is measured by its own quota, memory and pressure") {
    FakeKernel kernel;
    kernel.write("proc/self/cgroup", "0::/box\n");
    kernel.write("cgroup/cgroup.controllers", "cpu memory\n");
    kernel.write("cgroup/box/cpu.max", "200000 100000\n");
    kernel.write("cgroup/box/cpu.stat", "usage_usec 1000000\n");
    kernel.write("cgroup/box/memory.max", "500000\n");
    kernel.write("cgroup/box/memory.current", "123456\n");
    kernel.write("cgroup/box/cpu.pressure", "some avg10=50.00 avg60=0 avg300=0 total=0\n");
    LoadSampler sampler = kernel.sampler();
    sampler.sample(at(10));
    kernel.machine(1000, 0);
    kernel.write("cgroup/box/cpu.stat", "usage_usec 2000000\n");
    const LoadReading reading = sampler.sample(at(11));
    CHECK(reading.cpu == 0.5);
    CHECK(reading.cores == 2);
    CHECK(reading.memory_bytes == 123456);
    CHECK(reading.memory_limit_bytes == 500000);
    CHECK(reading.cpu_pressure == 0.5);
  }

  TEST_CASE("a limited cgroup v1 is measured by its own quota and memory") {
    FakeKernel kernel;
    kernel.write("proc/self/cgroup", "2:cpuacct:/box\n1:cpu:/box\n4:memory:/gone\n");
    kernel.write("cgroup/cpu/box/cpu.cfs_quota_us", "50000\n");
    kernel.write("cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
    kernel.write("cgroup/cpuacct/box/cpuacct.usage", "0\n");
    // The path of the host is not visible in the container: its mount shows the group as the root.
    kernel.write("cgroup/memory/memory.limit_in_bytes", "600000\n");
    kernel.write("cgroup/memory/memory.usage_in_bytes", "99\n");
    LoadSampler sampler = kernel.sampler();
    sampler.sample(at(0));
    kernel.write("cgroup/cpuacct/box/cpuacct.usage", "500000000\n");
    const LoadReading reading = sampler.sample(at(2));
    CHECK(reading.cpu == 0.5);
    CHECK(reading.cores == 0.5);
    CHECK(reading.memory_bytes == 99);
  }

  TEST_CASE("an unlimited cgroup falls back to the machine") {
    FakeKernel kernel;
    kernel.write("proc/self/cgroup", "1:cpu:/\n2:cpuacct:/\n4:memory:/\n");
    kernel.write("cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    kernel.write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
    kernel.write("cgroup/cpuacct/cpuacct.usage", "5\n");
    kernel.write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    kernel.write("cgroup/memory/memory.usage_in_bytes", "77\n");
    LoadSampler sampler = kernel.sampler();
    sampler.sample(at(0));
    kernel.machine(10, 10);
    const LoadReading reading = sampler.sample(at(1));
    CHECK(reading.cpu == 0.5);
    CHECK(reading.memory_bytes == 5 * 4096);
  }

  TEST_CASE("counters that go back and files that vanish read as nothing") {
    FakeKernel kernel;
    kernel.machine(50, 50);
    kernel.net(1000, 1000);
    LoadSampler sampler = kernel.sampler();
    sampler.sample(at(0));
    kernel.machine(10, 10);
    kernel.net(10, 2000);
    const LoadReading reading = sampler.sample(at(1));
    CHECK(reading.cpu == 0);
    CHECK(reading.net_in_bps == 0);
    CHECK(reading.net_out_bps == 8000);

    LoadSampler blind({.proc = "/nonexistent", .cgroup = "/nonexistent", .cores = 1});
    blind.sample(at(0));
    CHECK(blind.sample(at(1)).memory_bytes == 0);
  }

  TEST_CASE("this machine can be sampled") {
    LoadSampler sampler;
    const LoadReading reading = sampler.sample(at(1));
    CHECK(reading.cores >= 0.01);
    CHECK(reading.memory_bytes > 0);
  }
}
