// One JSON object per line of the log, whatever a message says: {"time":...,"level":...,
// "message":...}.
#pragma once

#include <memory>

#include <spdlog/formatter.h>

namespace brigade::app {

// Messages of any bytes: they are escaped, and what is no UTF-8 becomes U+FFFD.
std::unique_ptr<spdlog::formatter> json_log();

}  // namespace brigade::app
