// JSON written straight into a buffer, for answers on the acquire path.
#pragma once

#include <string>
#include <string_view>

#include "base/tokens.h"

namespace brigade::api {

// Appends a quoted and escaped string. Every sequence of bytes gives valid JSON: what is no UTF-8
// becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Appends an amount as a decimal number, exact to the micro-token: 12, 0.25, -3.000001.
void append_json_tokens(std::string& out, base::Tokens amount);

}  // namespace brigade::api
