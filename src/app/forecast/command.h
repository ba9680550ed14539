// `brigade forecast`: how well each predictor foresees a recorded series.
#pragma once

#include <CLI/CLI.hpp>

namespace brigade::forecast {

// Adds the command. When it is parsed it runs at once and sets `exit_code`, which must outlive the
// parse: 0 done, 2 usage or failure.
void add_forecast_command(CLI::App& app, int& exit_code);

}  // namespace brigade::forecast
