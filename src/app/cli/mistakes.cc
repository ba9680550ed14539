#include "app/cli/mistakes.h"

#include <algorithm>

#include "app/cli/table.h"
#include "base/spelling.h"

namespace brigade::cli {
namespace {

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  std::erase(names, "");  // groups of flags
  return names;
}

void add_flags(const CLI::App& app, std::vector<std::string>& flags) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      flags.push_back("--" + name);
    }
  }
  for (const CLI::App* group : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (group->get_name().empty()) {
      add_flags(*group, flags);
    }
  }
}

// "brigade limit".
std::string called(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? "brigade" : called(*parent) + " " + app.get_name();
}

std::string with_hint(const CLI::App& app, const std::string& message) {
  return printable(message + " (`" + called(app) + " --help` lists what there is)");
}

std::string unknown(const CLI::App& app, const char* what, const std::string& word,
                    const std::vector<std::string>& known) {
  return with_hint(
      app, "unknown " + std::string(what) + " `" + word + "`" + base::did_you_mean(word, known));
}

// The parser's own words, but for those that speak of its inner types.
std::string message_of(const CLI::App& at, const CLI::ParseError& error) {
  std::string message = error.what();
  if (error.get_name() == "RequiredError" && !commands_of(at).empty()) {
    return "expected a command";
  }
  if (error.get_name() == "ArgumentMismatch" && message.ends_with(" missing")) {
    return message.substr(0, message.find(':')) + ": expected a value";
  }
  return message;
}

}  // namespace

std::string told(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
  }
  return with_hint(*at, message_of(*at, error));
}

std::optional<std::string> mistake_in(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  for (const std::string& word : words) {
    if (word == "--") {
      break;
    }
    if (word.starts_with("--")) {
      std::vector<std::string> flags;
      add_flags(*at, flags);
      const std::string flag = word.substr(0, word.find('='));
      if (std::find(flags.begin(), flags.end(), flag) == flags.end()) {
        return unknown(*at, "flag", flag, flags);
      }
      continue;
    }
    const auto commands = commands_of(*at);
    if (commands.empty()) {
      continue;  // an argument, or a flag's value
    }
    if (std::find(commands.begin(), commands.end(), word) == commands.end()) {
      return unknown(*at, "command", word, commands);
    }
    at = at->get_subcommand(word);
  }
  return std::nullopt;
}

}  // namespace brigade::cli
