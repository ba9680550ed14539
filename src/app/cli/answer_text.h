// What deciding and declaring commands make of a node's JSON answer.
#pragma once

#include <string>

#include "app/cli/call.h"

namespace brigade::cli {

// "admitted", or "refused" and exit code 1; of POST /v1/acquire.
Outcome acquire_outcome(const json& answer);
// Why a request that asked for a wait was refused before: of GET /v1/limits/NAME. Nothing when the
// limit allows the whole wait.
Outcome wait_note(const json& limit, long long wait_ms);
Outcome settle_outcome(const json& answer);
// `what` was committed ("applied 3 limits"). Exit code 1 when live members do not serve it yet.
Outcome done_outcome(const std::string& what, const json& answer);
Outcome transfer_outcome(const json& answer);
// A table of GET /v1/overrides; `now_ms` (milliseconds since 1970) tells how long each still lasts.
Outcome overrides_outcome(const json& answer, double now_ms);

}  // namespace brigade::cli
