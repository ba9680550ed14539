#include "api/yaml_error.h"

#include <algorithm>
#include <array>
#include <vector>

namespace brigade::api {
namespace {

struct Saying {
  std::string_view complaint;  // how yaml-cpp's begins (yaml-cpp/exceptions.h, ErrorMsg)
  std::string_view words;
};

constexpr std::array<Saying, 15> kSayings{{
    {"end of sequence flow not found", "expected `,` or `]`: a list in [ ] is not closed"},
    {"end of map flow not found", "expected `,` or `}`: fields in { } are not closed"},
    {"end of sequence not found",
     "expected `- ` below the list's other entries, or a field below their first one"},
    {"end of map not found", "expected the next field below the first one"},
    {"illegal flow end", "this `]` or `}` closes nothing, or the other one is missing before it"},
    {"illegal block entry", "expected spaces alone before `- `"},
    {"illegal map", "expected one `field: value`; a text with `: ` in it must be in quotes"},
    {"illegal tab", "expected spaces in the indentation, not a tab"},
    {"illegal EOF in scalar", "expected a closing quote"},
    {"illegal document indicator", "expected a closing quote before `---` or `...`"},
    {"unknown escape character", "expected '...' around a text with `\\` in it, or `\\\\` for it"},
    {"unknown token", "expected quotes around a text that begins with this character"},
    {"the referenced anchor", "expected quotes around a text that begins with `*`"},
    {"alias not found", "expected quotes around a text that begins with `*`"},
    {"anchor not found", "expected quotes around a text that begins with `&`"},
}};

std::string words_for(std::string_view complaint) {
  const auto known = std::find_if(kSayings.begin(), kSayings.end(), [&](const Saying& one) {
    return complaint.starts_with(one.complaint);
  });
  if (known != kSayings.end()) {
    return std::string(known->words);
  }
  return "expected YAML or JSON (the parser says: " + std::string(complaint) + ")";
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().find_first_not_of(" \r") == std::string_view::npos) {
    lines.pop_back();
  }
  return lines;
}

std::string shown(std::string_view line) {
  constexpr std::size_t kShown = 60;
  const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(begin);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) {
    line.remove_suffix(1);
  }
  return std::string(line.substr(0, kShown)) + (line.size() > kShown ? "..." : "");
}

}  // namespace

std::string yaml_error(const std::string& source, std::string_view text, std::string_view complaint,
                       int line) {
  const auto lines = lines_of(text);
  const std::size_t last = std::max<std::size_t>(1, lines.size());
  const std::size_t number = std::min(static_cast<std::size_t>(std::max(0, line)) + 1, last);
  const std::string_view content = lines.empty() ? std::string_view() : lines[number - 1];
  const std::size_t word = std::min(content.find_first_not_of(" \t"), content.size());
  const bool tab = content.substr(0, word).find('\t') != std::string_view::npos;
  std::string message = source + ":" + std::to_string(number) + ": " +
                        words_for(tab ? std::string_view("illegal tab") : complaint);
  const std::string quoted = shown(content);
  return quoted.empty() ? message : message + "; the line is: " + quoted;
}

}  // namespace brigade::api
