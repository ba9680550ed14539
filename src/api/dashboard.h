// The page that shows the cluster as this node sees it: three files, which ask /v1/status.
#pragma once

#include <string_view>

#include "api/http_message.h"

namespace brigade::api {

// The page for "/", what it loads for the path of that.
HttpResponse dashboard_response(std::string_view path);

}  // namespace brigade::api
