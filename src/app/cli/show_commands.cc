// status, members, limits, buckets, shards.
#include <utility>

#include "app/cli/commands.h"
#include "app/cli/flags.h"
#include "app/cli/status_text.h"

namespace brigade::cli {
namespace {

using Text = std::string (*)(const json&);

struct Show {
  const char* name;
  const char* description;
  Text text;
};

Call show(std::string target, Text text) {
  return {.ask = {.target = std::move(target)}, .show = [text](const json& answer) {
            return Outcome{.exit_code = kOk, .out = text(answer), .err = {}};
          }};
}

std::string shown_members(const json& answer) {
  return members_text(list_at(answer, "members"));
}
std::string shown_shards(const json& answer) {
  return shards_text(list_at(answer, "shards"));
}
std::string shown_limits(const json& answer) {
  return limits_text(list_at(answer, "limits"));
}

// A command without arguments that shows what the route of its name answers.
void add_show(CLI::App& app, int& exit_code, const Show& shown) {
  CLI::App* command = app.add_subcommand(shown.name, shown.description);
  const auto flags = add_node_flags(*command);
  command->callback([flags, shown, &exit_code] {
    exit_code = run(*flags, show(std::string("/v1/") + shown.name, shown.text));
  });
}

}  // namespace

void add_show_commands(CLI::App& app, int& exit_code) {
  add_show(app, exit_code,
           {"status", "one screen: members, shards, limits, buckets per node", &status_text});
  add_show(app, exit_code,
           {"members", "the cluster's members, their addresses and load", &shown_members});
  add_show(app, exit_code, {"shards", "the Raft shards: leader, term, voters", &shown_shards});

  CLI::App* limits = app.add_subcommand("limits", "declared limits, configured and effective");
  const auto limits_flags = add_node_flags(*limits);
  limits->callback([limits_flags, &exit_code] {
    // The table shows what is effective; JSON has the declared fields.
    const char* target = limits_flags->as_json ? "/v1/limits" : "/v1/status";
    exit_code = run(*limits_flags, show(target, &shown_limits));
  });

  CLI::App* buckets = app.add_subcommand("buckets", "one limit's tokens, node by node");
  const auto name = std::make_shared<std::string>();
  buckets->add_option("LIMIT", *name, "name of the limit")->required();
  const auto buckets_flags = add_node_flags(*buckets);
  buckets->callback([buckets_flags, name, &exit_code] {
    exit_code = run(*buckets_flags, show("/v1/buckets/" + percent_encoded(*name), &buckets_text));
  });
}

}  // namespace brigade::cli
