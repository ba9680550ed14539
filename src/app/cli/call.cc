#include "app/cli/call.h"

#include "app/cli/table.h"

namespace brigade::cli {
namespace {

// What the node says is wrong.
std::string complaint(const json& body, int status) {
  const json& error = at(body, "error");
  const std::string message = text_at(error, "message");
  if (!message.empty()) {
    return message;
  }
  const std::string code = text_at(error, "code");
  return "the node answered with HTTP status " + std::to_string(status) +
         (code.empty() ? "" : ": " + code);
}

std::string as_lines(const std::string& text) {
  return text.empty() || text.back() == '\n' ? text : text + '\n';
}

}  // namespace

Outcome failed(const std::string& message) {
  return {.exit_code = kFailed, .out = {}, .err = "brigade: " + printable(message) + '\n'};
}

Outcome outcome_of(const Call& call, const HttpReply& reply, bool as_json) {
  const bool answered = reply.status == 200 || (reply.status == 429 && call.may_be_refused);
  if (answered && call.raw) {
    return {.exit_code = kOk, .out = as_lines(reply.body), .err = {}};
  }
  const json body = json::parse(reply.body, nullptr, false);
  if (answered) {
    if (!body.is_object()) {
      return failed("the node's answer is not what this version of brigade expects");
    }
    Outcome outcome = call.show(body);
    if (as_json) {
      outcome.out = as_lines(reply.body);
    }
    return outcome;
  }
  Outcome outcome = failed(complaint(body, reply.status));
  if (call.may_be_negative && (reply.status == 404 || reply.status == 409) && body.is_object()) {
    outcome.exit_code = kNegative;
  }
  if (as_json && body.is_object()) {
    outcome.out = as_lines(reply.body);
  }
  return outcome;
}

}  // namespace brigade::cli
