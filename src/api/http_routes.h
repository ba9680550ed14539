// Which route a method and a path mean (interface.md, HTTP/JSON).
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "api/http_message.h"

namespace brigade::api {

enum class Route : std::uint8_t {
  kAcquire,
  kSettle,
  kLimits,
  kPutLimits,
  kLimit,
  kPutLimit,
  kDeleteLimit,
  kBuckets,
  kOverrides,
  kOverride,
  kPutOverride,
  kDeleteOverride,
  kTransfer,
  kDrain,
  kLeave,
  kRemove,
  kStatus,
  kMembers,
  kShards,
  kMetrics,
  kHealthz,
  kReadyz,
  kDashboard,
};

struct Routed {
  Route route;
  std::string_view rest;  // what follows "/v1/limits/" and the like, still percent-encoded
};

// 404 for an unknown path, 405 with Allow for a known one with another method.
std::variant<Routed, HttpResponse> find_route(std::string_view method, std::string_view path);

}  // namespace brigade::api
