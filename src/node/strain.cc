#include "node/strain.h"

namespace brigade::node {
namespace {

constexpr int kInARow = 2;

std::uint64_t microseconds(double ms) {
  return static_cast<std::uint64_t>(ms * 1000);
}
double milliseconds(std::uint64_t us) {
  return static_cast<double>(us) / 1000;
}

}  // namespace

void Strain::Sign::observe(double value, double begins, double ends) {
  above = value >= begins ? above + 1 : 0;
  if (above >= kInARow) {
    on = true;
    above = kInARow;
  } else if (value < ends) {
    on = false;
  }
}

void Strain::observe(const LoadView& load) {
  cpu_.observe(load.cpu, 0.95, 0.80);
  const double memory =
      load.memory_limit_bytes == 0
          ? 0
          : static_cast<double>(load.memory_bytes) / static_cast<double>(load.memory_limit_bytes);
  memory_.observe(memory, 0.95, 0.90);
  queue_.observe(load.queue_ms, 20, 5);
}

LoadDigest digest_of(const LoadView& load) {
  return {.cpu_permille = static_cast<std::uint32_t>(load.cpu * 1000),
          .memory_bytes = load.memory_bytes,
          .memory_limit_bytes = load.memory_limit_bytes,
          .net_in_bps = load.net_in_bps,
          .net_out_bps = load.net_out_bps,
          .request_us_p99 = microseconds(load.request_ms_p99),
          .redis_us_p99 = microseconds(load.redis_ms_p99),
          .http_us_p99 = microseconds(load.http_ms_p99),
          .queue_us = microseconds(load.queue_ms),
          .offered_per_s = static_cast<std::uint64_t>(load.offered_per_s),
          .pressed = load.pressed};
}

LoadView view_of(const LoadDigest& digest) {
  return {.cpu = digest.cpu_permille / 1000.0,
          .memory_bytes = digest.memory_bytes,
          .memory_limit_bytes = digest.memory_limit_bytes,
          .net_in_bps = digest.net_in_bps,
          .net_out_bps = digest.net_out_bps,
          .request_ms_p99 = milliseconds(digest.request_us_p99),
          .redis_ms_p99 = milliseconds(digest.redis_us_p99),
          .http_ms_p99 = milliseconds(digest.http_us_p99),
          .queue_ms = milliseconds(digest.queue_us),
          .offered_per_s = static_cast<double>(digest.offered_per_s),
          .pressed = digest.pressed};
}

}  // namespace brigade::node
