// acquire, settle.
#include "app/cli/answer_text.h"
#include "app/cli/commands.h"
#include "app/cli/flags.h"
#include "app/options.h"

namespace brigade::cli {
namespace {

struct Acquire {
  std::string limit;
  std::string key;
  std::string cost = "1";
  std::string wait = "0s";
  std::string priority;
  std::string id;
  bool reserve = false;
};

Call acquire_call(const Acquire& wanted) {
  json body = {{"limit", wanted.limit}, {"cost", amount_json(wanted.cost)}};
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) {
      body[key] = text;
    }
  };
  add("key", wanted.key);
  add("priority", wanted.priority);
  add("id", wanted.id);
  if (const auto wait_ms = milliseconds_of(wanted.wait); wait_ms > 0) {
    body["wait_ms"] = wait_ms;
  }
  if (wanted.reserve) {
    body["reserve"] = true;
  }
  return {.ask = {.method = "POST",
                  .target = "/v1/acquire",
                  .body = body.dump(-1, ' ', false, json::error_handler_t::replace)},
          .show = &acquire_outcome,
          .may_be_refused = true,
          // Exit code 1 means "refused": a limit that does not exist is a mistake in asking.
          .may_be_negative = false};
}

int acquire(const NodeFlags& flags, const Acquire& wanted) {
  const long long wait_ms = milliseconds_of(wanted.wait);
  const int exit_code = run(flags, acquire_call(wanted), base::milliseconds(wait_ms));
  if (exit_code == kNegative && wait_ms > 0 && !flags.as_json) {
    run(flags, {.ask = {.target = "/v1/limits/" + percent_encoded(wanted.limit)},
                .show = [wait_ms](const json& limit) { return wait_note(limit, wait_ms); }});
  }
  return exit_code;
}

void add_acquire(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("acquire", "one decision: exit code 0 admitted, 1 refused, 2 failure");
  const auto wanted = std::make_shared<Acquire>();
  command->add_option("LIMIT", wanted->limit, "name of the limit")->required();
  command->add_option("--key", wanted->key, "key, for limits per key");
  command->add_option("--cost", wanted->cost, "tokens")->check(amount())->capture_default_str();
  command
      ->add_option("--wait", wanted->wait,
                   "how long to wait for tokens; capped by the limit's queue.max_wait")
      ->check(app::duration_validator())
      ->capture_default_str();
  command->add_option("--priority", wanted->priority, "priority class of the limit");
  command->add_option("--id", wanted->id, "strict limits only: the same id is charged once");
  command->add_flag("--reserve", wanted->reserve, "reserve: settle the actual cost afterwards");
  const auto flags = add_node_flags(*command);
  command->callback([flags, wanted, &exit_code] { exit_code = acquire(*flags, *wanted); });
}

struct Settle {
  std::string reservation;
  std::string cost;
};

void add_settle(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("settle", "settle a reservation at the node that made it");
  const auto wanted = std::make_shared<Settle>();
  command->add_option("ID", wanted->reservation, "what acquire --reserve printed")->required();
  command->add_option("COST", wanted->cost, "tokens that were really used")
      ->required()
      ->check(amount());
  const auto flags = add_node_flags(*command);
  command->callback([flags, wanted, &exit_code] {
    const json body = {{"reservation", wanted->reservation}, {"cost", amount_json(wanted->cost)}};
    exit_code =
        run(*flags, {.ask = {.method = "POST",
                             .target = "/v1/settle",
                             .body = body.dump(-1, ' ', false, json::error_handler_t::replace)},
                     .show = &settle_outcome});
  });
}

}  // namespace

void add_decide_commands(CLI::App& app, int& exit_code) {
  add_acquire(app, exit_code);
  add_settle(app, exit_code);
}

}  // namespace brigade::cli
