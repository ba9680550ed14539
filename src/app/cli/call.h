// What a client command asks of a node and what it makes of the reply: plain values, so that
// everything but the socket is tested without one.
#pragma once

#include <functional>
#include <string>

#include "app/cli/http_client.h"
#include "app/cli/json_read.h"

namespace brigade::cli {

// Exit codes of client commands (interface.md).
constexpr int kOk = 0;
constexpr int kNegative = 1;  // refused, no such thing, not done everywhere
constexpr int kFailed = 2;    // usage, an unreachable node, a node that cannot answer

// What a command prints and how it ends.
struct Outcome {
  int exit_code = kOk;
  std::string out;  // whole lines
  std::string err;
};

struct Call {
  HttpAsk ask;
  // What a reply of 200 means for people. `exit_code` of its result counts with --json too.
  std::function<Outcome(const json&)> show;
  // Whether 429 is an answer like 200 (an acquire that is refused).
  bool may_be_refused = false;
  // Whether 404 and 409 answer what was asked ("no such limit"), rather than a mistake in asking.
  bool may_be_negative = true;
  // Whether the body of a 200 is printed as it is.
  bool raw = false;
};

// The outcome of a call that was answered. With `as_json` the node's body is printed as it is and
// errors are told on both streams.
Outcome outcome_of(const Call& call, const HttpReply& reply, bool as_json);
// A failure, told as "brigade: message".
Outcome failed(const std::string& message);

}  // namespace brigade::cli
