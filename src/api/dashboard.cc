#include "api/dashboard.h"

#include <string>

#include "api/dashboard_assets.h"

namespace brigade::api {

HttpResponse dashboard_response(std::string_view path) {
  HttpResponse response{.content_type = "text/html; charset=utf-8"};
  if (path == "/dashboard.css") {
    response.content_type = "text/css; charset=utf-8";
    response.body = kDashboardCss;
  } else if (path == "/dashboard.js") {
    response.content_type = "text/javascript; charset=utf-8";
    response.body = kDashboardJs;
  } else {
    response.body = kDashboardHtml;
  }
  // Names of limits and members are text from others: nothing but these files may run.
  response.headers = {
      {"Content-Security-Policy",
       "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Cache-Control", "no-cache"}};
  return response;
}

}  // namespace brigade::api
