// limit apply, get, delete.
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "api/limits_file.h"
#include "app/cli/answer_text.h"
#include "app/cli/commands.h"
#include "app/cli/flags.h"
#include "app/cli/limit_changes.h"

namespace brigade::cli {
namespace {

struct Apply {
  std::string file;
  bool check = false;
  bool prune = false;
};

// "-" is the standard input.
base::Result<std::string> content_of(const std::string& file) {
  std::stringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream stream(file);
  if (!stream) {
    return base::Error{file + ": cannot be read"};
  }
  // Inserting nothing sets the failure bit: an empty file is the reader's to judge.
  if (stream.peek() != std::ifstream::traits_type::eof()) {
    text << stream.rdbuf();
  }
  if (stream.bad() || text.fail()) {
    return base::Error{file + ": cannot be read"};
  }
  return text.str();
}

std::string counted(std::size_t limits) {
  return std::to_string(limits) + (limits == 1 ? " limit" : " limits");
}

int apply(const NodeFlags& flags, const Apply& wanted) {
  auto text = content_of(wanted.file);
  if (!text) {
    return tell(failed(text.error().message));
  }
  const auto limits = api::read_limits(*text, wanted.file == "-" ? "standard input" : wanted.file);
  if (!limits) {
    return tell(failed(limits.error().message));
  }
  const std::string count = counted(limits.value().size());
  if (wanted.check) {
    const json valid = {{"valid", true}, {"limits", limits.value().size()}};
    return tell({.exit_code = kOk,
                 .out = flags.as_json ? valid.dump() + '\n' : count + ", all valid\n",
                 .err = {}});
  }
  std::string changes;
  const Call look{.ask = {.target = "/v1/limits", .body = {}}, .show = [&](const json& answer) {
                    if (const auto before = api::read_limits(answer.dump(), "the node's answer")) {
                      changes = changes_text(before.value(), limits.value(), wanted.prune);
                    }
                    return Outcome{};
                  }};
  if (const int looked = flags.as_json ? kOk : run(flags, look); looked != kOk) {
    return looked;
  }
  Call call{.ask = {.method = "PUT",
                    .target = wanted.prune ? "/v1/limits?prune=true" : "/v1/limits",
                    .body = std::move(*text)},
            .show = [what = "applied " + count, &changes](const json& answer) {
              Outcome outcome = done_outcome(what, answer);
              outcome.out += changes;
              return outcome;
            }};
  return run(flags, call);
}

void add_apply(CLI::App& limit, int& exit_code) {
  CLI::App* command = limit.add_subcommand(
      "apply", "declare the limits of a file; returns when every live member serves them");
  const auto wanted = std::make_shared<Apply>();
  command->add_option("FILE", wanted->file, "YAML or JSON with `limits:`; - reads standard input")
      ->required();
  command->add_flag("--check", wanted->check, "only check the file; needs no node");
  command->add_flag("--prune", wanted->prune, "also delete every limit that is not in the file");
  const auto flags = add_node_flags(*command);
  command->callback([flags, wanted, &exit_code] { exit_code = apply(*flags, *wanted); });
}

void add_get(CLI::App& limit, int& exit_code) {
  CLI::App* command = limit.add_subcommand("get", "print declared limits as a limits file");
  const auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "one limit only");
  const auto flags = add_node_flags(*command);
  command->callback([flags, name, &exit_code] {
    std::string target = name->empty() ? "/v1/limits" : "/v1/limits/" + percent_encoded(*name);
    target += flags->as_json ? "" : "?format=yaml";
    exit_code = run(*flags, {.ask = {.target = std::move(target)}, .raw = true});
  });
}

void add_delete(CLI::App& limit, int& exit_code) {
  CLI::App* command = limit.add_subcommand("delete", "delete one limit");
  const auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "name of the limit")->required();
  const auto flags = add_node_flags(*command);
  command->callback([flags, name, &exit_code] {
    exit_code = run(
        *flags,
        {.ask = {.method = "DELETE", .target = "/v1/limits/" + percent_encoded(*name)},
         .show = [name](const json& answer) { return done_outcome("deleted " + *name, answer); }});
  });
}

}  // namespace

void add_limit_commands(CLI::App& app, int& exit_code) {
  CLI::App* limit = app.add_subcommand("limit", "declare, print and delete limits");
  limit->require_subcommand(1);
  add_apply(*limit, exit_code);
  add_get(*limit, exit_code);
  add_delete(*limit, exit_code);
}

}  // namespace brigade::cli
