#include "sim/transcripts/datadriven.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace brigade::sim {
namespace {

constexpr const char* kSeparator = "----";

void add_values(Argument& argument, const std::string& text) {
  std::string rest = text;
  if (rest.size() >= 2 && rest.front() == '(' && rest.back() == ')') {
    rest = rest.substr(1, rest.size() - 2);
  }
  std::stringstream parts(rest);
  for (std::string part; std::getline(parts, part, ',');) {
    argument.values.push_back(trim(part));
  }
}

// Splits at spaces that are not inside parentheses.
std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  int depth = 0;
  for (const char c : line) {
    depth += c == '(' ? 1 : 0;
    depth -= c == ')' ? 1 : 0;
    if (std::isspace(static_cast<unsigned char>(c)) != 0 && depth == 0) {
      if (!word.empty()) {
        words.push_back(word);
      }
      word.clear();
    } else {
      word += c;
    }
  }
  if (!word.empty()) {
    words.push_back(word);
  }
  return words;
}

void parse_command(const std::string& line, Directive& directive) {
  const auto words = split_words(line);
  directive.command = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    Argument argument;
    const auto equals = words[i].find('=');
    argument.key = words[i].substr(0, equals);
    if (equals != std::string::npos) {
      add_values(argument, words[i].substr(equals + 1));
    }
    directive.arguments.push_back(argument);
  }
}

}  // namespace

std::string trim(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) {
    return "";
  }
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::optional<std::string> Directive::value(const std::string& key) const {
  for (const Argument& argument : arguments) {
    if (argument.key == key && !argument.values.empty()) {
      return argument.values.front();
    }
  }
  return std::nullopt;
}

std::vector<std::string> Directive::values(const std::string& key) const {
  std::vector<std::string> all;
  for (const Argument& argument : arguments) {
    if (argument.key == key) {
      all.insert(all.end(), argument.values.begin(), argument.values.end());
    }
  }
  return all;
}

bool Directive::has(const std::string& key) const {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const Argument& argument) { return argument.key == key; });
}

std::vector<int> Directive::numbers() const {
  std::vector<int> all;
  for (const Argument& argument : arguments) {
    if (argument.values.empty() && !argument.key.empty() &&
        std::all_of(argument.key.begin(), argument.key.end(),
                    [](char c) { return c >= '0' && c <= '9'; })) {
      all.push_back(std::stoi(argument.key));
    }
  }
  return all;
}

std::vector<Directive> parse_script(const std::string& text) {
  std::vector<Directive> script;
  const auto lines = split_lines(text);
  std::size_t i = 0;
  while (i < lines.size()) {
    const std::string line = trim(lines[i]);
    if (line.empty() || line.front() == '#') {
      ++i;
      continue;
    }
    Directive directive;
    directive.line = static_cast<int>(i) + 1;
    parse_command(line, directive);
    for (++i; i < lines.size() && trim(lines[i]) != kSeparator; ++i) {
      directive.input += lines[i] + "\n";
    }
    ++i;
    // A second separator at once means that the output holds blank lines.
    const bool doubled = i < lines.size() && trim(lines[i]) == kSeparator;
    i += doubled ? 1 : 0;
    while (i < lines.size()) {
      const bool ends = doubled ? trim(lines[i]) == kSeparator : trim(lines[i]).empty();
      if (ends) {
        i += doubled ? 2 : 1;
        break;
      }
      directive.expected += lines[i++] + "\n";
    }
    script.push_back(directive);
  }
  return script;
}

}  // namespace brigade::sim
