// The files of src/api/dashboard/, compiled in: the program is one file to copy.
#pragma once

#include <string_view>

namespace brigade::api {

extern const std::string_view kDashboardHtml;
extern const std::string_view kDashboardCss;
extern const std::string_view kDashboardJs;

}  // namespace brigade::api
