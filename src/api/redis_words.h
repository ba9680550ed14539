// The words of Redis commands: names in any case, numbers, and the options of an acquire.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "node/acquire.h"

namespace brigade::api {

// Whether `a` is `b` in any case. Requires: `b` is in capitals.
[[nodiscard]] bool same(std::string_view a, std::string_view b);
[[nodiscard]] bool to_integer(std::string_view text, std::int64_t& out);
// "12" or "0.25"; at most six decimals, at least zero.
[[nodiscard]] bool to_tokens(std::string_view text, base::Tokens& out);

// How BRIGADE.ACQUIRE, or BRIGADE.PEEK, is written.
[[nodiscard]] const char* acquire_form(bool peek);
// Reads what stands behind the limit's name; answers the first thing that is wrong. Requires:
// request.peek says which command it is. The views of the request are those of the words.
[[nodiscard]] std::optional<std::string> read_options(std::span<const std::string_view> words,
                                                      node::AcquireRequest& request);

}  // namespace brigade::api
