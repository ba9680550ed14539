// override set, list, clear; transfer; drain, leave, remove.
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include "app/cli/answer_text.h"
#include "app/cli/commands.h"
#include "app/cli/flags.h"
#include "app/options.h"

namespace brigade::cli {
namespace {

std::string text_of(const json& body) {
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

double wall_ms() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Who did it, for those who look later.
std::string user_name() {
  const char* const name = std::getenv("USER");
  return name != nullptr ? name : "";
}

// An override's subject. --node names the member here; members' names have no colon, so that a
// HOST:PORT given with --node is the node to talk to, as everywhere.
struct Subject {
  std::string limit;
  std::vector<std::string> nodes;
  std::string member;
};

void add_subject(CLI::App& command, Subject& subject, NodeFlags& flags) {
  command.add_option("LIMIT", subject.limit, "name of the limit")->required();
  command
      .add_option("--node", subject.nodes,
                  "the member whose bucket it is; given as HOST:PORT besides, the node to talk to")
      ->required()
      ->allow_extra_args(false)
      ->each([&subject, &flags](const std::string& text) {
        (text.find(':') == std::string::npos ? subject.member : flags.node) = text;
      });
}

std::string target_of(const Subject& subject) {
  return "/v1/overrides/" + percent_encoded(subject.limit) + "/" + percent_encoded(subject.member);
}

struct Override {
  Subject subject;
  std::string pin;
  std::string min;
  std::string max;
  std::string lasting;
  std::string reason;
  std::string author = user_name();
  bool freeze = false;
  bool no_lend = false;
};

json body_of(const Override& wanted) {
  json body = {{"reason", wanted.reason}};
  const auto add = [&](const char* key, const std::string& tokens) {
    if (!tokens.empty()) {
      body[key] = amount_json(tokens);
    }
  };
  add("pin", wanted.pin);
  add("min", wanted.min);
  add("max", wanted.max);
  if (wanted.freeze) {
    body["freeze"] = true;
  }
  if (wanted.no_lend) {
    body["no_lend"] = true;
  }
  if (!wanted.author.empty()) {
    body["author"] = wanted.author;
  }
  if (!wanted.lasting.empty()) {
    body["for_ms"] = milliseconds_of(wanted.lasting);
  }
  return body;
}

int set_override(const NodeFlags& flags, const Override& wanted) {
  const Subject& subject = wanted.subject;
  if (subject.member.empty()) {
    return tell(failed("--node: expected the name of the member whose bucket it is"));
  }
  const std::string what = "override of " + subject.limit + " on " + subject.member + " is set";
  return run(
      flags,
      {.ask = {.method = "PUT", .target = target_of(subject), .body = text_of(body_of(wanted))},
       .show = [what](const json& answer) { return done_outcome(what, answer); }});
}

void add_override_set(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("set", "set what one node's bucket of a limit may be");
  const auto wanted = std::make_shared<Override>();
  const auto flags = add_reply_flags(*command);
  add_subject(*command, wanted->subject, *flags);
  CLI::Option_group* settings = command->add_option_group("settings", "one or more of");
  settings->add_option("--pin", wanted->pin, "size, exactly")->check(amount());
  settings->add_option("--min", wanted->min, "size, at least")->check(amount());
  settings->add_option("--max", wanted->max, "size, at most")->check(amount());
  settings->add_flag("--freeze", wanted->freeze, "keep the size as it is");
  settings->add_flag("--no-lend", wanted->no_lend, "lend nothing to other nodes");
  settings->require_option(1, 0);
  command->add_option("--for", wanted->lasting, "how long it lasts (default: until cleared)")
      ->check(app::duration_validator());
  command->add_option("--reason", wanted->reason, "why, for those who look later")->required();
  command->add_option("--author", wanted->author, "who (default: USER)");
  command->callback([flags, wanted, &exit_code] { exit_code = set_override(*flags, *wanted); });
}

void add_override_clear(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("clear", "end an override");
  const auto subject = std::make_shared<Subject>();
  const auto flags = add_reply_flags(*command);
  add_subject(*command, *subject, *flags);
  command->callback([flags, subject, &exit_code] {
    if (subject->member.empty()) {
      exit_code = tell(failed("--node: expected the name of the member whose bucket it is"));
      return;
    }
    const std::string what = "override of " + subject->limit + " on " + subject->member + " ended";
    exit_code =
        run(*flags, {.ask = {.method = "DELETE", .target = target_of(*subject)},
                     .show = [what](const json& answer) { return done_outcome(what, answer); }});
  });
}

void add_override(CLI::App& app, int& exit_code) {
  CLI::App* parent = app.add_subcommand("override", "manual control of one node's bucket");
  parent->require_subcommand(1);
  add_override_set(*parent, exit_code);
  CLI::App* list = parent->add_subcommand("list", "overrides in force, with author and reason");
  const auto flags = add_node_flags(*list);
  list->callback([flags, &exit_code] {
    exit_code = run(*flags, {.ask = {.target = "/v1/overrides"}, .show = [](const json& answer) {
                               return overrides_outcome(answer, wall_ms());
                             }});
  });
  add_override_clear(*parent, exit_code);
}

struct Transfer {
  std::string limit;
  std::string from;
  std::string to;
  std::string tokens;
};

void add_transfer(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("transfer", "move tokens from one node to another");
  const auto wanted = std::make_shared<Transfer>();
  command->add_option("LIMIT", wanted->limit, "name of the limit")->required();
  command->add_option("--from", wanted->from, "member that gives")->required();
  command->add_option("--to", wanted->to, "member that gets")->required();
  command->add_option("--tokens", wanted->tokens, "how many")->required()->check(amount());
  const auto flags = add_node_flags(*command);
  command->callback([flags, wanted, &exit_code] {
    const json body = {{"limit", wanted->limit},
                       {"from", wanted->from},
                       {"to", wanted->to},
                       {"tokens", amount_json(wanted->tokens)}};
    exit_code =
        run(*flags, {.ask = {.method = "POST", .target = "/v1/transfer", .body = text_of(body)},
                     .show = &transfer_outcome});
  });
}

Call post(const char* target, const json& body, std::string what) {
  return {
      .ask = {.method = "POST", .target = target, .body = text_of(body)},
      .show = [what = std::move(what)](const json& answer) { return done_outcome(what, answer); }};
}

void add_leaving(CLI::App& app, int& exit_code) {
  CLI::App* drain =
      app.add_subcommand("drain", "have a node hand its rights back and admit nothing");
  const auto undo = std::make_shared<bool>(false);
  drain->add_flag("--undo", *undo, "have a drained node take part again");
  const auto drain_flags = add_node_flags(*drain);
  drain->callback([drain_flags, undo, &exit_code] {
    const char* const what =
        *undo ? "takes part again"
              : "drained: admits nothing until `brigade drain --undo` or a restart";
    exit_code =
        run(*drain_flags, post("/v1/drain", json{{"undo", *undo}}, what), base::seconds(10));
  });
  CLI::App* leave = app.add_subcommand("leave", "have a node leave the cluster for good");
  const auto leave_flags = add_node_flags(*leave);
  leave->callback([leave_flags, &exit_code] {
    exit_code =
        run(*leave_flags, post("/v1/leave", json::object(), "left the cluster"), base::seconds(30));
  });

  CLI::App* remove = app.add_subcommand("remove", "have the cluster forget a dead node");
  const auto name = std::make_shared<std::string>();
  const auto certified = std::make_shared<bool>(false);
  remove->add_option("NODE", *name, "name of the member")->required();
  remove->add_flag("--certify-stopped", *certified,
                   "its machine is off for certain: do not wait for its rights to expire");
  const auto remove_flags = add_node_flags(*remove);
  remove->callback([remove_flags, name, certified, &exit_code] {
    const json body = {{"node", *name}, {"certify_stopped", *certified}};
    exit_code = run(*remove_flags, post("/v1/remove", body, "removed " + *name));
  });
}

}  // namespace

void add_control_commands(CLI::App& app, int& exit_code) {
  add_override(app, exit_code);
  add_transfer(app, exit_code);
  add_leaving(app, exit_code);
}

}  // namespace brigade::cli
