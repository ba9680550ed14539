// The control plane's routes: requests to node::AdminRequest, replies to answers.
#pragma once

#include <cstdint>
#include <functional>
#include <variant>

#include "api/http_message.h"
#include "api/http_routes.h"
#include "node/admin.h"

namespace brigade::api {

// What to ask of the node, and how to tell what it replies.
struct AdminCall {
  node::AdminRequest request;
  std::function<HttpResponse(const node::AdminReply&)> render;
};

// Whether admin_call answers this route.
bool is_admin(Route route);

// An answer at once when the request is malformed. `wall_ms` (milliseconds since 1970) dates
// expiries and what is shown. Requires: is_admin(routed.route).
std::variant<AdminCall, HttpResponse> admin_call(const Routed& routed, const HttpRequest& request,
                                                 std::int64_t wall_ms);

}  // namespace brigade::api
