#include <algorithm>
#include <csignal>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "app/cli/commands.h"
#include "app/cli/mistakes.h"
#include "app/forecast/command.h"
#include "app/json_log.h"
#include "app/options.h"
#include "app/replay/command.h"
#include "app/runtime.h"

namespace {

void set_up_log(const brigade::app::NodeOptions& options) {
  auto logger = spdlog::stderr_logger_st("brigade");
  logger->set_level(spdlog::level::from_str(options.log_level));
  if (options.log_format == brigade::app::LogFormat::kJson) {
    logger->set_formatter(brigade::app::json_log());
  }
  spdlog::set_default_logger(std::move(logger));
}

int run_node(const brigade::app::NodeOptions& options) {
  if (auto status = brigade::app::check(options); !status) {
    std::fprintf(stderr, "brigade node: %s\n", status.error().message.c_str());
    return 2;
  }
  // A log that nobody reads any more, and a file at its limit, are errors of one write each.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  set_up_log(options);
  return brigade::app::Runtime(options).run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Brigade: a distributed rate limiter");
  app.set_version_flag("--version", BRIGADE_VERSION);
  app.require_subcommand(1);
  brigade::app::NodeOptions options;
  CLI::App* node = brigade::app::add_node_command(app, options);
  int exit_code = 2;
  brigade::cli::add_client_commands(app, exit_code);
  brigade::forecast::add_forecast_command(app, exit_code);
  brigade::replay::add_replay_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      return app.exit(error);  // --help, --version
    }
    const auto mistake = brigade::cli::mistake_in(app, {argv + std::min(1, argc), argv + argc});
    std::fprintf(stderr, "brigade: %s\n", mistake.value_or(brigade::cli::told(app, error)).c_str());
    return 2;
  }
  return node->parsed() ? run_node(options) : exit_code;
}
