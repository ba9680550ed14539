#include "api/http_routes.h"

#include <array>
#include <string>

namespace brigade::api {
namespace {

struct Entry {
  std::string_view method;
  std::string_view path;  // one that ends with '/' is followed by names, but the root
  Route route;
};

constexpr std::array<Entry, 25> kEntries{{
    {"POST", "/v1/acquire", Route::kAcquire},
    {"POST", "/v1/settle", Route::kSettle},
    {"GET", "/v1/limits", Route::kLimits},
    {"PUT", "/v1/limits", Route::kPutLimits},
    {"GET", "/v1/limits/", Route::kLimit},
    {"PUT", "/v1/limits/", Route::kPutLimit},
    {"DELETE", "/v1/limits/", Route::kDeleteLimit},
    {"GET", "/v1/buckets/", Route::kBuckets},
    {"GET", "/v1/overrides", Route::kOverrides},
    {"GET", "/v1/overrides/", Route::kOverride},
    {"PUT", "/v1/overrides/", Route::kPutOverride},
    {"DELETE", "/v1/overrides/", Route::kDeleteOverride},
    {"POST", "/v1/transfer", Route::kTransfer},
    {"POST", "/v1/drain", Route::kDrain},
    {"POST", "/v1/leave", Route::kLeave},
    {"POST", "/v1/remove", Route::kRemove},
    {"GET", "/v1/status", Route::kStatus},
    {"GET", "/v1/members", Route::kMembers},
    {"GET", "/v1/shards", Route::kShards},
    {"GET", "/metrics", Route::kMetrics},
    {"GET", "/healthz", Route::kHealthz},
    {"GET", "/readyz", Route::kReadyz},
    {"GET", "/", Route::kDashboard},
    {"GET", "/dashboard.css", Route::kDashboard},
    {"GET", "/dashboard.js", Route::kDashboard},
}};

bool leads_to(const Entry& entry, std::string_view path) {
  const bool named = entry.path.back() == '/' && entry.path.size() > 1;
  return named ? path.size() > entry.path.size() && path.starts_with(entry.path)
               : path == entry.path;
}

}  // namespace

std::variant<Routed, HttpResponse> find_route(std::string_view method, std::string_view path) {
  // Whatever can be got has a head (RFC 9110, 9.3.2); the door leaves the body away.
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  std::string allowed;
  for (const Entry& entry : kEntries) {
    if (!leads_to(entry, path)) {
      continue;
    }
    if (entry.method == wanted) {
      return Routed{.route = entry.route, .rest = path.substr(entry.path.size())};
    }
    allowed += allowed.empty() ? "" : ", ";
    allowed += entry.method == "GET" ? "GET, HEAD" : entry.method;
  }
  if (allowed.empty()) {
    return error_response(404, "not_found",
                          "no such route; expected /v1/acquire, /v1/settle, /v1/limits, "
                          "/v1/buckets/LIMIT, /v1/overrides, /v1/transfer, /v1/drain, /v1/leave, "
                          "/v1/remove, /v1/status, /v1/members, /v1/shards, /metrics, /healthz, "
                          "/readyz or / (the dashboard)");
  }
  HttpResponse response = error_response(405, "method_not_allowed", "expected " + allowed);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace brigade::api
