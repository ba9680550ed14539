// Scripts of commands and expected output: `command args`, input lines, `----`, output, blank line.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brigade::sim {

struct Argument {
  std::string key;
  std::vector<std::string> values;  // empty: a bare word
};

struct Directive {
  int line = 0;  // of the command, from 1
  std::string command;
  std::vector<Argument> arguments;
  std::string input;
  std::string expected;

  // The first value of `key`, if it is there.
  [[nodiscard]] std::optional<std::string> value(const std::string& key) const;
  [[nodiscard]] std::vector<std::string> values(const std::string& key) const;
  [[nodiscard]] bool has(const std::string& key) const;
  // Bare words that are numbers.
  [[nodiscard]] std::vector<int> numbers() const;
};

std::vector<Directive> parse_script(const std::string& text);
std::vector<std::string> split_lines(const std::string& text);
std::string trim(const std::string& text);

}  // namespace brigade::sim
