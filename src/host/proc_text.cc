#include "host/proc_text.h"

#include <array>
#include <charconv>

namespace brigade::host {

namespace {

constexpr std::string_view kBlank = " \t";

// Takes the text up to the next newline off `rest`.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

// Takes the next blank-separated word off `rest`; empty at the end.
std::string_view take_word(std::string_view& rest) {
  const std::size_t begin = rest.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) {
    rest = {};
    return {};
  }
  const std::size_t end = rest.find_first_of(kBlank, begin);
  const std::string_view word = rest.substr(begin, end - begin);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  return word;
}

template <class Number>
std::optional<Number> number(std::string_view word) {
  Number value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
  return number<std::uint64_t>(take_line(text));
}

std::optional<std::uint64_t> parse_field(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    std::string_view word = take_word(line);
    if (word.ends_with(':')) {
      word.remove_suffix(1);
    }
    if (word == key) {
      return number<std::uint64_t>(take_word(line));
    }
  }
  return std::nullopt;
}

std::optional<MachineTicks> parse_machine_ticks(std::string_view proc_stat) {
  while (!proc_stat.empty()) {
    std::string_view line = take_line(proc_stat);
    if (take_word(line) != "cpu") {
      continue;
    }
    // user nice system idle iowait irq softirq steal; guest times are inside user and nice.
    std::array<std::uint64_t, 8> ticks{};
    for (std::uint64_t& each : ticks) {
      const auto value = number<std::uint64_t>(take_word(line));
      if (!value) {
        return std::nullopt;
      }
      each = *value;
    }
    MachineTicks sum;
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      sum.total += ticks[i];
      sum.busy += i == 3 || i == 4 ? 0 : ticks[i];
    }
    return sum;
  }
  return std::nullopt;
}

std::optional<double> parse_cpu_max(std::string_view cpu_max) {
  std::string_view line = take_line(cpu_max);
  const auto quota = number<std::uint64_t>(take_word(line));
  const auto period = number<std::uint64_t>(take_word(line));
  if (!quota || !period || *period == 0 || *quota == 0) {
    return std::nullopt;
  }
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<std::uint64_t> parse_resident_pages(std::string_view statm) {
  std::string_view line = take_line(statm);
  take_word(line);
  return number<std::uint64_t>(take_word(line));
}

std::optional<NetBytes> parse_net_dev(std::string_view net_dev) {
  take_line(net_dev);  // two lines of headings
  if (net_dev.empty()) {
    return std::nullopt;
  }
  take_line(net_dev);
  NetBytes sum;
  while (!net_dev.empty()) {
    std::string_view line = take_line(net_dev);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return std::nullopt;
    }
    std::string_view name = line.substr(0, colon);
    name = take_word(name);
    line.remove_prefix(colon + 1);
    const auto in = number<std::uint64_t>(take_word(line));
    for (int i = 0; i < 7; ++i) {  // packets errs drop fifo frame compressed multicast
      take_word(line);
    }
    const auto out = number<std::uint64_t>(take_word(line));
    if (!in || !out) {
      return std::nullopt;
    }
    if (name != "lo") {
      sum.in += *in;
      sum.out += *out;
    }
  }
  return sum;
}

std::optional<double> parse_pressure(std::string_view pressure) {
  constexpr std::string_view kAvg10 = "avg10=";
  while (!pressure.empty()) {
    std::string_view line = take_line(pressure);
    if (take_word(line) != "some") {
      continue;
    }
    const std::string_view word = take_word(line);
    if (!word.starts_with(kAvg10)) {
      return std::nullopt;
    }
    const auto percent = number<double>(word.substr(kAvg10.size()));
    // Written so that NaN, which from_chars accepts, fails too.
    if (!percent || !(*percent >= 0 && *percent <= 100)) {
      return std::nullopt;
    }
    return *percent / 100;
  }
  return std::nullopt;
}

CgroupPaths parse_cgroup_paths(std::string_view self_cgroup) {
  CgroupPaths paths;
  while (!self_cgroup.empty()) {
    const std::string_view line = take_line(self_cgroup);  // hierarchy:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) {
      continue;
    }
    std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (controllers.empty()) {
      paths.unified = path;
    }
    while (!controllers.empty()) {
      const std::size_t comma = controllers.find(',');
      const std::string_view name = controllers.substr(0, comma);
      if (name == "cpu") {
        paths.cpu = path;
      } else if (name == "cpuacct") {
        paths.cpuacct = path;
      } else if (name == "memory") {
        paths.memory = path;
      }
      controllers =
          comma == std::string_view::npos ? std::string_view() : controllers.substr(comma + 1);
    }
  }
  return paths;
}

}  // namespace brigade::host
