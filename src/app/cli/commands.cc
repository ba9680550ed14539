#include "app/cli/commands.h"

namespace brigade::cli {

void add_client_commands(CLI::App& app, int& exit_code) {
  add_show_commands(app, exit_code);
  add_limit_commands(app, exit_code);
  add_decide_commands(app, exit_code);
  add_control_commands(app, exit_code);
}

}  // namespace brigade::cli
