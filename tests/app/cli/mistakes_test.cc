#include "app/cli/mistakes.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "app/cli/commands.h"

namespace brigade::cli {
namespace {

std::string mistake(const std::vector<std::string>& words) {
  int exit_code = 0;
  CLI::App app;
  app.set_version_flag("--version", "1");
  add_client_commands(app, exit_code);
  return mistake_in(app, words).value_or("none");
}

TEST_CASE("a word that is no command is told, with the one that was perhaps meant") {
  CHECK(mistake({"membrs"}) ==
        "unknown command `membrs`; did you mean `members`? (`brigade --help` lists what there is)");
  CHECK(mistake({"limit", "aply", "f"}) ==
        "unknown command `aply`; did you mean `apply`? (`brigade limit --help` lists what there "
        "is)");
  CHECK(mistake({"redis"}) == "unknown command `redis` (`brigade --help` lists what there is)");
}

TEST_CASE("a flag that a command does not have is told, with the one that was perhaps meant") {
  CHECK(mistake({"acquire", "api", "--cots", "2"}) ==
        "unknown flag `--cots`; did you mean `--cost`? (`brigade acquire --help` lists what there "
        "is)");
  CHECK(mistake({"acquire", "api", "--cots=2"}).find("`--cost`") != std::string::npos);
  CHECK(mistake({"override", "set", "api", "--pni", "2"}).find("`--pin`") != std::string::npos);
}

TEST_CASE("words that a command has are no mistakes, whatever their values") {
  CHECK(mistake({"acquire", "api", "--cost", "membrs"}) == "none");
  CHECK(mistake({"override", "set", "api", "--node", "n1", "--freeze", "--reason=x"}) == "none");
  CHECK(mistake({"limit", "apply", "-", "--check"}) == "none");
  CHECK(mistake({"status", "--help"}) == "none");
  CHECK(mistake({"acquire", "--", "--odd"}) == "none");
  CHECK(mistake({"settle", "1-2-3", "-5"}) == "none");
}

std::string refused(std::vector<std::string> words) {
  int exit_code = 0;
  CLI::App app;
  app.require_subcommand(1);
  add_client_commands(app, exit_code);
  std::reverse(words.begin(), words.end());  // as the parser wants them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return told(app, error);
  }
  return "none";
}

TEST_CASE("what the parser refuses is told in the same form, of the command that it belongs to") {
  CHECK(refused({}) == "expected a command (`brigade --help` lists what there is)");
  CHECK(refused({"limit"}) == "expected a command (`brigade limit --help` lists what there is)");
  CHECK(refused({"acquire"}) == "LIMIT is required (`brigade acquire --help` lists what there is)");
  CHECK(refused({"acquire", "api", "--cost"}) ==
        "--cost: expected a value (`brigade acquire --help` lists what there is)");
  CHECK(refused({"acquire", "api", "--cost", "much"}).starts_with("--cost: expected a number"));
  CHECK(refused({"settle", "1-2-3", "5", "\x1b[2J"}).find('\x1b') == std::string::npos);
}

TEST_CASE("a mistake cannot drive the terminal") {
  CHECK(mistake({"\x1b[2J"}).find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace brigade::cli
