// What is wrong with a text that is no YAML, in words for whoever wrote it.
#pragma once

#include <string>
#include <string_view>

namespace brigade::api {

// "limits.yaml:3: expected ...; the line is `...`". `complaint` is the parser's, `line` its line,
// from 0; the text's last line stands in for one behind it.
std::string yaml_error(const std::string& source, std::string_view text, std::string_view complaint,
                       int line);

}  // namespace brigade::api
