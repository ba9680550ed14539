// A command line that makes no sense, told in words: what is wrong and what was perhaps meant.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace brigade::cli {

// The first word that is no command, or no flag of the command before it; nullopt when each is one.
// `words` are the arguments without the program's name.
std::optional<std::string> mistake_in(const CLI::App& app, const std::vector<std::string>& words);

// What the parser says of a command line without such a word, in the same form. Requires: `app` has
// parsed the words.
std::string told(const CLI::App& app, const CLI::ParseError& error);

}  // namespace brigade::cli
